"""Declared coordinates read in other systems that are official in the country (for R04)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from checklists.discrepancies.declaration import GivenShape
from checklists.discrepancies.rule import tenth
from checklists.discrepancies.systems import OFFICIAL, Country, System
from sync.inspection import Fix
from sync.place import AXES, Converted, convert, distance_m, within_use
from sync.polygon import Area, area, outside_m
from sync.problems import Problem


@dataclass(frozen=True, slots=True)
class Visited:
    """A visited position and its accuracy radius in metres."""

    fix: Fix
    accuracy_m: Decimal


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reading: `outside_m` is how far the furthest visited position stays outside, `age` how old
    its datum is (see `Country.age`), and `fit` of the `points` declared lie where they should.
    """

    system: System
    axes: str
    accuracy_m: Decimal | None
    operation: str
    outside_m: Decimal
    age: int
    points: int
    fit: int

    @property
    def fits(self) -> bool:
        return self.fit == self.points


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked of all official systems: the readings that fit, likeliest first; those under
    which only a part of the declared points does; and how many readings were tried.
    """

    candidates: tuple[Candidate, ...]
    nearly: tuple[Candidate, ...]
    tried: int


@dataclass(frozen=True, slots=True)
class _Declared:
    """What is read again, and the positions that it must hold."""

    boundary: GivenShape
    location: GivenShape | None
    visited: tuple[Visited, ...]
    margin: Decimal
    reach_m: float  # from one corner, more than any reading of the boundary can span


@lru_cache(maxsize=8)
def shape_area(shape: GivenShape, crs: str | None = None, axes: str | None = None) -> Area:
    """A declared boundary in WGS 84, as given or read in another system.

    Raises `crs-unknown`, `place-malformed` and `polygon-malformed`.
    """
    rings = [[(p.first, p.second) for p in ring] for ring in shape.rings]
    return area(crs or shape.crs, axes or shape.axes, rings)


@lru_cache(maxsize=4)
def search(
    boundary: GivenShape,
    location: GivenShape | None,
    country: str,
    visited: tuple[Visited, ...],
    margin: Decimal,
) -> Search:
    """Read the declared numbers in every system official in the country, in both orders.

    A reading fits when all re-read points lie in its area of use, the declared location lies
    within the re-read boundary, and so does every visited position, each within the margin plus
    the accuracies. An accuracy nobody states explains nothing here. A location given in another
    system than the boundary is left as it was given.
    """
    if country not in OFFICIAL:
        return Search((), (), 0)
    declared = _Declared(boundary, location, visited, margin, _reach(boundary, margin))
    readings = [
        (system, axes)
        for system in OFFICIAL[country].systems
        for axes in AXES
        if (system.crs, axes) != (boundary.crs, boundary.axes)
    ]
    read = [_read(declared, OFFICIAL[country], system, axes) for system, axes in readings]
    found = sorted((c for c in read if c is not None), key=lambda c: _likeliness(c, boundary))
    fit, nearly = ([c for c in found if c.fits is whole] for whole in (True, False))
    return Search(tuple(fit), tuple(nearly), len(readings))


def _likeliness(c: Candidate, boundary: GivenShape) -> tuple[bool, Decimal, float, int, bool]:
    """Swapped axes alone first; then the closest to the visited place, the larger share of points
    that fit, the present datum before older ones; equals in the order of the list.
    """
    swapped = c.system.crs == boundary.crs
    return not swapped, c.outside_m, -c.fit / c.points, c.age, c.axes != boundary.axes


def _reach(boundary: GivenShape, margin: Decimal) -> float:
    """Metres, generously: numbers up to 360 may be degrees, all others are metres in the systems
    that `systems.OFFICIAL` lists.
    """
    first, second = (
        [float(getattr(p, part)) for ring in boundary.rings for p in ring]
        for part in ("first", "second")
    )
    size = math.hypot(max(first) - min(first), max(second) - min(second))
    degrees = max(map(abs, first)) <= 360 and max(map(abs, second)) <= 360
    return 1.5 * size * (111_320 if degrees else 1) + 2000 + float(margin)


def _read(declared: _Declared, country: Country, system: System, axes: str) -> Candidate | None:
    """One reading, if the visited positions lie in it; it may fit a part of the declared points."""
    boundary = declared.boundary
    try:
        first = boundary.rings[0][0]
        corner = convert(first.first, first.second, system.crs, axes)
        # Spares working out a large boundary in every zone.
        if _far(declared, corner):
            return None
        read = shape_area(boundary, system.crs, axes)
        points, fit = read.points, read.in_use
        if declared.location is not None:
            points += 1
            fit += _location_fits(declared.location, declared, system, axes, read)
    except Problem:  # numbers that this system cannot describe
        return None
    accuracy = None if read.accuracy_m is None else tenth(read.accuracy_m)
    furthest = Decimal("0.0")
    for one in declared.visited:
        distance = tenth(outside_m(read, float(one.fix.lat), float(one.fix.lon)))
        if distance > declared.margin + one.accuracy_m + (accuracy or 0):
            return None
        furthest = max(furthest, distance)
    age = country.age(system)
    return Candidate(system, axes, accuracy, read.operation, furthest, age, points, fit)


def _far(declared: _Declared, corner: Converted) -> bool:
    """Whether a visited point is too far from one corner for any shape of this size to reach it."""
    return any(
        distance_m(one.fix, (corner.lat, corner.lon)) > declared.reach_m + float(one.accuracy_m)
        for one in declared.visited
    )


def _location_fits(
    location: GivenShape, declared: _Declared, system: System, axes: str, read: Area
) -> bool:
    """Raises what convert raises."""
    boundary = declared.boundary
    together = (location.crs, location.axes) == (boundary.crs, boundary.axes)
    crs, order = (system.crs, axes) if together else (location.crs, location.axes)
    point = location.rings[0][0]
    where = convert(point.first, point.second, crs, order)
    if not within_use(crs, where):
        return False
    allowed = float(declared.margin) + (read.accuracy_m or 0.0)
    if not together:
        allowed += where.accuracy_m or 0.0
    return float(tenth(outside_m(read, where.lat, where.lon))) <= allowed
