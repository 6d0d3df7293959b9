"""Conflict events by the file they came in: staged in batches, looked up by cell and day.

ACLED's rows are here and nowhere else: what leaves the server is worked out from `near`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, cast, delete, func, insert, literal, select, update

from checklists.conflict.areas import Area
from checklists.conflict.cells import cell_of, cells_within, reach
from checklists.conflict.event import Event, Rejected
from server.store.tables import (
    conflict_areas,
    conflict_events,
    conflict_rejected,
    conflict_snapshots,
)
from server.store.transaction import Tx

STAGING, CURRENT, REPLACED, REFUSED = "staging", "current", "replaced", "refused"
WORLD = "world"
DELISTED = ("delisted", "removed")  # a row that says so names no such area
COARSE = -1  # the cell of events that are no points


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that was imported, or the list that others were laid over.

    `begins` and `ends` are the first and the last day it speaks of, `countries` the ones it covers
    (ISO 3166-1 alpha-2, or "world"). `imported_at` is UTC milliseconds. `id` is 0 until stored.
    """

    id: int
    source: str
    state: str
    name: str
    sha256: str
    size: int
    version: str
    licence: str
    accessed: str
    countries: tuple[str, ...]
    begins: str
    ends: str
    events: int
    coarse: int
    rejected: int
    imported_at: int


class Found(NamedTuple):
    """An event around a place, as it is stored: degrees are times 10^7, days ordinals."""

    id: str
    lat_e7: int
    lon_e7: int
    radius_m: int
    weight: int
    deaths: int
    day: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a snapshot's rows say of it; days are empty where it has none."""

    events: int
    coarse: int
    begins: str
    ends: str
    countries: tuple[str, ...]


_COLUMNS = Snapshot.__slots__
_PLAIN = [c for c in _COLUMNS if c != "id"]


# -- snapshots ------------------------------------------------------------------------------------


def add_snapshot(tx: Tx, new: Snapshot) -> int:
    """Store a snapshot and return its number."""
    made = tx.execute(insert(conflict_snapshots).values(**_values(new)))
    key = made.inserted_primary_key
    return int(key[0]) if key else 0


def change_snapshot(tx: Tx, changed: Snapshot) -> None:
    """Store a snapshot as it is now, by its number."""
    found = conflict_snapshots.c.id == changed.id
    tx.execute(update(conflict_snapshots).where(found).values(**_values(changed)))


def current(tx: Tx) -> dict[str, Snapshot]:
    """The snapshot of each source that counts now."""
    query = select(conflict_snapshots).where(conflict_snapshots.c.state == CURRENT)
    return {one.source: one for one in map(_snapshot, tx.execute(query))}


def snapshots(tx: Tx) -> list[Snapshot]:
    """Every snapshot, the latest first."""
    query = select(conflict_snapshots).order_by(conflict_snapshots.c.id.desc())
    return [_snapshot(row) for row in tx.execute(query)]


def swap(tx: Tx, new: Snapshot) -> int | None:
    """Make a staged snapshot the current one of its source; return the number of the one before."""
    before = current(tx).get(new.source)
    if before is not None:
        change_snapshot(tx, replace(before, state=REPLACED))
    change_snapshot(tx, replace(new, state=CURRENT))
    return None if before is None else before.id


def held(tx: Tx, snapshot: int) -> Held:
    """Count what a snapshot holds. Looks at each of its rows."""
    c = conflict_events.c
    mine = c.snapshot == snapshot
    count, first, last = tx.execute(
        select(func.count(), func.min(c.first), func.max(c.last)).where(mine)
    ).one()
    coarse = tx.execute(select(func.count()).where(mine, c.cell == COARSE)).scalar_one()
    countries = tx.execute(select(c.country).where(mine).distinct().order_by(c.country)).scalars()
    days = [date.fromordinal(one).isoformat() if one else "" for one in (first, last)]
    return Held(count, coarse, days[0], days[1], tuple(countries))


# -- events ---------------------------------------------------------------------------------------

_EVENT = [c.name for c in conflict_events.columns]
_KEPT = ", ".join(f"{c} = excluded.{c}" for c in _EVENT if c not in ("snapshot", "id"))


def put_events(tx: Tx, snapshot: int, events: Iterable[Event]) -> None:
    """Keep events; of one that is there already, the newer version stays, the later of equals."""
    newest: dict[str, Event] = {}
    for one in events:
        before = newest.get(one.id)
        if before is None or one.stamp >= before.stamp:
            newest[one.id] = one
    if not newest:
        return
    mark = "%s" if tx.dialect.name == "postgresql" else "?"
    statement = (
        f"INSERT INTO conflict_events ({', '.join(_EVENT)}) "  # noqa: S608 - our own names
        f"VALUES ({', '.join([mark] * len(_EVENT))}) ON CONFLICT (snapshot, id) "
        f"DO UPDATE SET {_KEPT} WHERE excluded.stamp >= conflict_events.stamp"
    )
    tx.exec_driver_sql(statement, [_row(snapshot, one) for one in newest.values()])


def copy_events(tx: Tx, old: int, new: int, after: str, limit: int) -> str:
    """Copy the events behind the id `after`, at most `limit`; return the last id, or nothing."""
    c = conflict_events.c
    some = (
        select(c.id).where(c.snapshot == old, c.id > after).order_by(c.id).limit(limit).subquery()
    )
    last: str | None = tx.execute(select(func.max(some.c.id))).scalar_one()
    if last is None:
        return ""
    columns = [literal(new), *(c[name] for name in _EVENT[1:])]
    copied = select(*columns).where(c.snapshot == old, c.id > after, c.id <= last)
    tx.execute(insert(conflict_events).from_select(_EVENT, copied))
    return last


def withdraw(tx: Tx, snapshot: int, ids: Sequence[str]) -> int:
    """Take events out of a snapshot; return how many of them it had."""
    c = conflict_events.c
    gone = tx.execute(delete(conflict_events).where(c.snapshot == snapshot, c.id.in_(ids)))
    return int(gone.rowcount)


def clear(tx: Tx, snapshot: int, limit: int) -> bool:
    """Delete at most `limit` events of a snapshot; True while there may be more."""
    c = conflict_events.c
    some = select(c.id).where(c.snapshot == snapshot).limit(limit)
    gone = tx.execute(delete(conflict_events).where(c.snapshot == snapshot, c.id.in_(some)))
    return int(gone.rowcount) == limit


_E = conflict_events.c
_UP = cast(_E.lat_e7, BigInteger) - bindparam("lat", type_=BigInteger)
_EAST = cast(_E.lon_e7, BigInteger) - bindparam("lon", type_=BigInteger)
_ASIDE = _EAST * bindparam("scale", type_=BigInteger) // 1000
_NEAR = select(*(_E[name] for name in Found._fields)).where(
    _E.snapshot == bindparam("snapshot"),
    _E.cell.in_(bindparam("cells", expanding=True)),
    _E.day.between(bindparam("since"), bindparam("until")),
    bindparam("square", type_=BigInteger) >= _UP * _UP + _ASIDE * _ASIDE,
    _E.weight > 0,
)


def near(
    tx: Tx, snapshot: int, lat: float, lon: float, reach_m: float, since: date, until: date
) -> Sequence[Found]:
    """The points of a snapshot around a place (degrees), of days from `since` to `until`.

    Events that weigh nothing are left out. An index leads to the others, so that what it costs does
    not grow with the table. Some lie farther away than `reach_m` metres: distances are the
    caller's matter. The rows are as wide as Found, and as the database gave them.
    """
    around = reach(lat, lon, reach_m)
    asked = {
        "snapshot": snapshot,
        "cells": around.cells,
        "since": since.toordinal(),
        "until": until.toordinal(),
        "lat": around.lat_e7,
        "lon": around.lon_e7,
        "scale": around.scale,
        "square": around.square,
    }
    return tx.execute(_NEAR, asked).all()  # type: ignore[return-value]


def named(tx: Tx, snapshot: int, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Who fought in these events, and where, as their source calls it."""
    found: dict[str, tuple[str, str]] = {}
    for at in range(0, len(ids), 500):
        some = _E.id.in_(ids[at : at + 500])
        query = select(_E.id, _E.title, _E.place).where(_E.snapshot == snapshot, some)
        found.update((row[0], (row[1], row[2])) for row in tx.execute(query))
    return found


def any_near(tx: Tx, snapshot: int, lat: float, lon: float, reach_m: float) -> bool:
    """Whether a snapshot has a point of any day in the cells around a place."""
    c = conflict_events.c
    cells = c.cell.in_(cells_within(lat, lon, reach_m))
    query = select(c.id).where(c.snapshot == snapshot, cells).limit(1)
    return tx.execute(query).first() is not None


def coarse_in(tx: Tx, snapshot: int, country: str, since: date, until: date) -> int:
    """How many events of a country and of these days are known only by their region."""
    c = conflict_events.c
    query = select(func.count()).where(
        c.snapshot == snapshot,
        c.cell == COARSE,
        c.day.between(since.toordinal(), until.toordinal()),
        c.country == country,
    )
    return int(tx.execute(query).scalar_one())


def occupied(tx: Tx, snapshot: int) -> set[int]:
    """The cells in which a snapshot has points."""
    c = conflict_events.c
    query = select(c.cell).where(c.snapshot == snapshot, c.cell != COARSE).distinct()
    return set(tx.execute(query).scalars())


# -- rows that were refused, areas ----------------------------------------------------------------


def put_rejected(tx: Tx, snapshot: int, file: str, rows: Sequence[Rejected]) -> None:
    """Keep which rows of a file were refused, and why."""
    if rows:
        tx.execute(
            insert(conflict_rejected),
            [{"snapshot": snapshot, "file": file, "row": one.row, "why": one.why} for one in rows],
        )


def rejected(tx: Tx, snapshot: int) -> Iterator[tuple[str, Rejected]]:
    """The rows of an import that were refused: file, number and why, a few in memory at a time."""
    c = conflict_rejected.c
    query = select(c.file, c.row, c.why).where(c.snapshot == snapshot).order_by(c.file, c.row)
    for file, number, why in tx.execute(query.execution_options(yield_per=500)):
        yield file, Rejected(number, why)


def put_areas(tx: Tx, snapshot: int, areas: Iterable[Area]) -> None:
    """Keep the areas of a list."""
    rows = [
        {"snapshot": snapshot, "region": a.region, "status": a.status, "day": a.day} for a in areas
    ]
    if rows:
        tx.execute(insert(conflict_areas), rows)


def areas(tx: Tx, snapshot: int, regions: Iterable[str]) -> list[Area]:
    """Those of the regions that a list names, in order."""
    c = conflict_areas.c
    query = (
        select(c.region, c.status, c.day)
        .where(c.snapshot == snapshot, c.region.in_(sorted(set(regions))))
        .order_by(c.region)
    )
    return [Area(*row) for row in tx.execute(query)]


# -- inside ---------------------------------------------------------------------------------------


def _values(one: Snapshot) -> dict[str, object]:
    values = {name: getattr(one, name) for name in _PLAIN}
    return values | {"countries": json.dumps(one.countries)}


def _snapshot(row: Sequence[object]) -> Snapshot:
    values = dict(zip((c.name for c in conflict_snapshots.columns), row, strict=True))
    return Snapshot(**{**values, "countries": tuple(json.loads(str(values["countries"])))})  # type: ignore[arg-type]


def _row(snapshot: int, one: Event) -> tuple[object, ...]:
    point = one.lat_e7 is not None and one.lon_e7 is not None
    return (
        snapshot,
        one.id,
        cell_of(one.lat_e7 or 0, one.lon_e7 or 0) if point else COARSE,
        one.day.toordinal(),
        one.first.toordinal(),
        one.last.toordinal(),
        one.lat_e7,
        one.lon_e7,
        one.radius_m,
        one.weight,
        one.deaths,
        one.stamp,
        one.country,
        one.title,
        one.where,
    )
