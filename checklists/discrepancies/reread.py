"""Declared coordinates read in other systems that are official in the country (for R04)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from checklists.discrepancies.declaration import GivenShape
from checklists.discrepancies.rule import tenth
from checklists.discrepancies.systems import OFFICIAL, System
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
    """A reading that fits: `outside_m` is how far the furthest visited position stays outside."""

    system: System
    axes: str
    accuracy_m: Decimal | None
    operation: str
    outside_m: Decimal


@lru_cache(maxsize=8)
def shape_area(shape: GivenShape, crs: str | None = None, axes: str | None = None) -> Area:
    """A declared boundary in WGS 84, as given or read in another system.

    Raises `crs-unknown`, `place-malformed` and `polygon-malformed`.
    """
    rings = [[(p.first, p.second) for p in ring] for ring in shape.rings]
    return area(crs or shape.crs, axes or shape.axes, rings)


@lru_cache(maxsize=4)
def fitting(
    boundary: GivenShape,
    location: GivenShape | None,
    country: str,
    visited: tuple[Visited, ...],
    margin: Decimal,
) -> tuple[Candidate, ...]:
    """The readings under which everything declared and everything visited fits, likeliest first.

    A reading fits when all re-read points lie in its area of use, the declared location lies
    within the re-read boundary, and so does every visited position, each within the margin plus
    the accuracies. An accuracy nobody states explains nothing here. A location given in another
    system than the boundary is left as it was given.
    """
    if country not in OFFICIAL:
        return ()
    found = [
        candidate
        for system in OFFICIAL[country].systems
        for axes in AXES
        if (system.crs, axes) != (boundary.crs, boundary.axes)
        if (candidate := _fit(boundary, location, system, axes, visited, margin)) is not None
    ]

    def likeliness(candidate: Candidate) -> tuple[bool, Decimal, bool]:
        """Swapped axes alone first, then the closest fit; equals in the order of the list."""
        same = candidate.system.crs == boundary.crs
        return not same, candidate.outside_m, candidate.axes != boundary.axes

    return tuple(sorted(found, key=likeliness))


def _fit(
    boundary: GivenShape,
    location: GivenShape | None,
    system: System,
    axes: str,
    visited: tuple[Visited, ...],
    margin: Decimal,
) -> Candidate | None:
    try:
        first = boundary.rings[0][0]
        corner = convert(first.first, first.second, system.crs, axes)
        if not within_use(system.crs, corner) or _far(boundary, corner, visited, margin):
            return None
        read = shape_area(boundary, system.crs, axes)
        if not read.within_use or not _location_fits(
            location, boundary, system, axes, read, margin
        ):
            return None
    except Problem:  # numbers that this system cannot describe
        return None
    accuracy = None if read.accuracy_m is None else tenth(read.accuracy_m)
    furthest = Decimal("0.0")
    for one in visited:
        distance = tenth(outside_m(read, float(one.fix.lat), float(one.fix.lon)))
        if distance > margin + one.accuracy_m + (accuracy or 0):
            return None
        furthest = max(furthest, distance)
    return Candidate(system, axes, accuracy, read.operation, furthest)


def _far(
    boundary: GivenShape, corner: Converted, visited: tuple[Visited, ...], margin: Decimal
) -> bool:
    """Whether a visited point is too far from one corner for any shape of this size to reach it.

    Spares working out a large boundary in every zone. The size is taken generously: numbers up to
    360 may be degrees, all others are metres in the systems that `systems.OFFICIAL` lists.
    """
    first, second = (
        [float(getattr(p, part)) for ring in boundary.rings for p in ring]
        for part in ("first", "second")
    )
    size = math.hypot(max(first) - min(first), max(second) - min(second))
    degrees = max(map(abs, first)) <= 360 and max(map(abs, second)) <= 360
    reach = 1.5 * size * (111_320 if degrees else 1) + 2000 + float(margin)
    return any(
        distance_m(one.fix, (corner.lat, corner.lon)) > reach + float(one.accuracy_m)
        for one in visited
    )


def _location_fits(
    location: GivenShape | None,
    boundary: GivenShape,
    system: System,
    axes: str,
    read: Area,
    margin: Decimal,
) -> bool:
    """Raises what convert raises."""
    if location is None:
        return True
    together = (location.crs, location.axes) == (boundary.crs, boundary.axes)
    crs, order = (system.crs, axes) if together else (location.crs, location.axes)
    point = location.rings[0][0]
    where = convert(point.first, point.second, crs, order)
    if not within_use(crs, where):
        return False
    allowed = float(margin) + (read.accuracy_m or 0.0)
    if not together:
        allowed += where.accuracy_m or 0.0
    return float(tenth(outside_m(read, where.lat, where.lon))) <= allowed
