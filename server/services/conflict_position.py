"""Where a facility is, for what happens around it: the place that its operator declares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from checklists.conflict.cells import cells_within
from checklists.conflict.exposure import REACH_M
from checklists.discrepancies.declaration import Declaration, read_declaration
from checklists.discrepancies.reread import shape_area
from server.services.conflict import CAHRA, covered_days, out_of_place
from server.services.identifiers import day_of
from server.store import conflict, declarations, facilities, gradings
from server.store.conflict import Snapshot
from server.store.logs import inspections_at
from server.store.transaction import Tx
from sync.place import convert
from sync.problems import Problem

# How long a visit may have been carried about before the server heard of it.
_CARRIED = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in degrees; `doubt_m` is the conversion's accuracy in metres, None where unknown."""

    lat: float
    lon: float
    doubt_m: float | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A graded facility: everywhere it was ever declared to be, and between which days it may
    have been visited or is graded.
    """

    facility: str
    country: str
    places: tuple[Position, ...]
    since: date
    until: date


def position_of(declaration: Declaration | None) -> Position | None:
    """The declared location, else the middle of the declared boundary; None where neither is there
    or can be placed on the map.
    """
    try:
        if declaration is not None and declaration.location is not None:
            given = declaration.location
            point = given.rings[0][0]
            there = convert(point.first, point.second, given.crs, given.axes)
            return Position(there.lat, there.lon, there.accuracy_m)
        if declaration is not None and declaration.boundary is not None:
            found = shape_area(declaration.boundary)
            middle = found.shape.centroid
            return Position(middle.y, middle.x, found.accuracy_m)
    except Problem:  # numbers that lie nowhere on the map: R01 and R04 say so
        return None
    return None


def placed(tx: Tx) -> Iterator[Placed]:
    """Every graded facility."""
    for grading in gradings.every(tx):
        facility = facilities.get(tx, grading.facility)
        if facility is None:
            continue
        filed = [read_declaration(json.loads(b)) for b in declarations.bodies(tx, facility.id)]
        places = tuple({p: None for one in filed if (p := position_of(one)) is not None})
        until = date.fromisoformat(grading.as_of)
        visits = [row.first_seen_at for row in inspections_at(tx, facility.id)]
        days = [until, *(date.fromisoformat(day_of(at)) - _CARRIED for at in visits)]
        yield Placed(facility.id, facility.country, places, min(days), until)


def concerned(
    tx: Tx, before: Snapshot | None, new: Snapshot, facilities: Iterable[Placed]
) -> Iterator[str]:
    """The facilities of which the new data may say something else than the old."""
    both = [one for one in (before, new) if one is not None]
    cells: set[int] = set()
    for one in both:
        cells |= conflict.occupied(tx, one.id)
    for facility in facilities:
        if new.source == CAHRA:
            touched = any(facility.country in one.countries for one in both)
        else:
            around = (cells_within(p.lat, p.lon, REACH_M) for p in facility.places)
            touched = any(not cells.isdisjoint(some) for some in around) or (
                bool(facility.places) and _covered(before, facility) != _covered(new, facility)
            )
        if touched:
            yield facility.facility


def _covered(snapshot: Snapshot | None, facility: Placed) -> tuple[date, date] | None:
    """Between which of a facility's days a snapshot covers its country."""
    if snapshot is None or out_of_place(snapshot, facility.country):
        return None
    first, last = covered_days(snapshot)
    span = max(first, facility.since), min(last, facility.until)
    return span if span[0] <= span[1] else None
