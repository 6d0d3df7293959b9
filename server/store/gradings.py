"""What has to be graded again, and as of which date. The date is primary data: set from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from server.store.among import among
from server.store.tables import gradings
from server.store.transaction import Tx
from server.store.types import storable_key


@dataclass(frozen=True, slots=True)
class Grading:
    """A facility's grading: `as_of` is a date (YYYY-MM-DD); `asked_at` tells one asking from the
    next and never repeats for a facility.
    """

    facility: str
    as_of: str
    stale: bool
    asked_at: int


# Statements of the way in are put together once: that costs more than running them.
_FIND = select(gradings).where(among(gradings.c.facility, "of"))
_NEW = insert(gradings)
_ASK = (
    update(gradings)
    .where(gradings.c.facility == bindparam("of"))
    .values(as_of=bindparam("to_date"), stale=True, asked_at=bindparam("at"))
)


def mark_stale(tx: Tx, facility: str, as_of: str, now: int) -> None:
    """Ask for the facility to be graded again as of this date; `now` in UTC milliseconds."""
    mark_all_stale(tx, {facility: (as_of, now)})


def mark_all_stale(tx: Tx, wanted: Mapping[str, tuple[str, int]]) -> None:
    """`mark_stale` for several facilities: each with its date and time."""
    if not wanted:
        return
    wanted = {storable_key(facility): asked for facility, asked in wanted.items()}
    found = {row.facility: Grading(*row) for row in tx.execute(_FIND, {"of": sorted(wanted)})}
    new = [
        {"facility": facility, "as_of": as_of, "stale": True, "asked_at": now}
        for facility, (as_of, now) in wanted.items()
        if facility not in found
    ]
    if new:
        tx.execute(_NEW, new)
    if found:
        tx.execute(_ASK, [_asking(one, *wanted[one.facility]) for one in found.values()])


def mark_again(tx: Tx, facilities: Iterable[str], now: int) -> None:
    """Ask for these facilities again as of the date they have, where they were graded before."""
    for facility in sorted(set(facilities)):
        found = find(tx, facility)
        if found is not None:
            _ask(tx, found, found.as_of, now)


def mark_all(tx: Tx, as_of: str, now: int) -> int:
    """Ask for every facility that is graded as of another date; return how many those are."""
    query = select(gradings).where(gradings.c.as_of != as_of).order_by(gradings.c.facility)
    others = [Grading(*row) for row in tx.execute(query)]
    for one in others:
        _ask(tx, one, as_of, now)
    return len(others)


def find(tx: Tx, facility: str) -> Grading | None:
    """The facility's grading, if it was ever asked for."""
    row = tx.execute(_FIND, {"of": [facility]}).one_or_none()
    return None if row is None else Grading(*row)


def stale(tx: Tx) -> list[Grading]:
    """The gradings to answer, the longest waiting first."""
    query = (
        select(gradings).where(gradings.c.stale).order_by(gradings.c.asked_at, gradings.c.facility)
    )
    return [Grading(*row) for row in tx.execute(query)]


def every(tx: Tx) -> list[Grading]:
    """Every grading that was ever asked for, by facility."""
    return [Grading(*row) for row in tx.execute(select(gradings).order_by(gradings.c.facility))]


def done(tx: Tx, grading: Grading) -> bool:
    """Note that this asking was answered; False when it was asked again meanwhile."""
    changed = tx.execute(
        update(gradings)
        .where(gradings.c.facility == grading.facility, gradings.c.asked_at == grading.asked_at)
        .values(stale=False)
    )
    return bool(changed.rowcount)


def _ask(tx: Tx, found: Grading, as_of: str, now: int) -> None:
    tx.execute(_ASK, _asking(found, as_of, now))


def _asking(found: Grading, as_of: str, now: int) -> dict[str, Any]:
    return {"of": found.facility, "to_date": as_of, "at": max(now, found.asked_at + 1)}
