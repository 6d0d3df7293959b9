"""Boundaries as they were given, brought to valid shapes in WGS 84; their areas and distances.

What is given may be open, may cross itself, carry heights, have holes and parts that lie apart, or
cross the 180th meridian. It comes out as a valid shape, with a note in words for all that had to
be done to it, or it is refused with the reason. Shapes are shapely's, longitude first; beyond the
180th meridian their longitudes go on beyond 180. Areas and distances are geodesic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon

from sync.place import (
    GEOD,
    Known,
    Numbers,
    Operation,
    apply,
    choose,
    count_in_bounds,
    given_numbers,
    known_system,
)
from sync.problems import problem
from sync.rings import SMALL, Assembled, Shape, assemble, mended, must_be_readable, read_ring

LIMIT_POINTS = 100_000

_DENSE_M = 1000.0  # an edge is straight in its own system: points in between keep it so
_NEAR_M = 50_000.0  # within this a flat reckoning finds the edges that may be nearest

Given = Sequence[str]  # two numbers, or three with a height


@dataclass(frozen=True, slots=True)
class Area:
    """A given boundary in WGS 84: as declared or as repaired.

    `widest` is the most that the given points can mean: the same shape, or the convex hulls of its
    rings where it had to be repaired; `unclear` is the share of its area on which readings of the
    given points disagree, 0 where nothing was repaired. `in_use` of the `points` that were given
    (closing ones counted) lie in the system's area of use.
    """

    shape: Shape
    widest: Shape
    accuracy_m: float | None
    operation: str
    notes: tuple[str, ...]
    points: int
    in_use: int
    unclear: float = 0.0

    @property
    def within_use(self) -> bool:
        """Whether all given points lie in the system's area of use."""
        return self.in_use == self.points

    @property
    def repaired(self) -> bool:
        """Whether the given rings did not say by themselves what they enclose."""
        return self.widest is not self.shape


# -- reading --------------------------------------------------------------------------------------


def area(crs: str, axes: str, rings: Sequence[Sequence[Given]]) -> Area:
    """Bring a given boundary to WGS 84: the outer ring first, then others in any order.

    Of the others, a ring inside is a hole, one that lies apart is a further part of the boundary,
    and one inside a hole an island. Raises `crs-unknown`, `place-malformed`, and
    `polygon-malformed` where no area can be made of it; its detail has `unplaced` where the rings
    may be sound and the numbers lie nowhere on the map.
    """
    system = known_system(crs)
    if not rings:
        raise problem("polygon-malformed", why="it has no ring")
    if sum(map(len, rings)) > LIMIT_POINTS:
        raise problem("polygon-malformed", why=f"it has more than {LIMIT_POINTS} points")
    notes: list[str] = []
    heights = sum(len(point) > 2 for ring in rings for point in ring)
    if heights:
        notes.append("heights were given and left out")
    flat = [_numbers(n, ring, axes, system, notes) for n, ring in enumerate(rings, 1)]
    _side_by_side(flat, system)
    if sum(map(len, flat)) > SMALL:
        must_be_readable(flat)
    read = assemble([read_ring(n, p, notes) for n, p in enumerate(flat, 1)], notes)
    return _bring(np.concatenate(flat), read, system, notes)


def _numbers(
    number: int, ring: Sequence[Given], axes: str, system: Known, notes: list[str]
) -> Numbers:
    """A ring as an array of x and y, closed; raises `place-malformed` and `polygon-malformed`."""
    pairs = np.array([given_numbers(p[0], p[1], axes) for p in ring] or np.empty((0, 2)))
    if len(np.unique(pairs, axis=0)) < 3:
        why = f"ring {number} has fewer than three different points"
        raise problem("polygon-malformed", why=why)
    if not np.array_equal(pairs[0], pairs[-1]):
        notes.append(f"ring {number} was not closed; its first point was taken as its last")
        pairs = np.concatenate([pairs, pairs[:1]])
    turn = _turn(system)
    if turn:
        pairs[:, 0] = _unbroken(pairs[:, 0], turn)
        if abs(pairs[0, 0] - pairs[-1, 0]) > turn / 2:
            raise problem("polygon-malformed", why=f"ring {number} goes around a pole")
        pairs[-1] = pairs[0]
        if np.abs(pairs[:, 0]).max() > turn / 2:
            notes.append(f"ring {number} reaches across the 180th meridian")
    return pairs


def _turn(system: Known) -> float:
    """A whole turn in the unit of a geographic system, such as 360 degrees; 0 for others."""
    return round(2 * math.pi / system.unit_factor, 6) if system.geographic else 0.0


def _unbroken(lons: Numbers, turn: float) -> Numbers:
    """Longitudes that go on beyond half a turn where the short way between two points does."""
    if np.abs(lons).max() > turn:
        why = f"longitudes of more than {turn:g} lie nowhere"
        raise problem("polygon-malformed", why=why, unplaced=True)
    steps = np.round(np.diff(lons) / turn)
    return lons - turn * np.concatenate([[0.0], np.cumsum(steps)]) if steps.any() else lons


def _side_by_side(rings: list[Numbers], system: Known) -> None:
    """Rings on either side of the 180th meridian go where the first one is."""
    turn = _turn(system)
    if not turn:
        return
    middle = (rings[0][:, 0].min() + rings[0][:, 0].max()) / 2
    for ring in rings[1:]:
        away = (ring[:, 0].min() + ring[:, 0].max()) / 2 - middle
        ring[:, 0] -= turn * round(away / turn)


# -- to WGS 84 ------------------------------------------------------------------------------------


def _bring(given: Numbers, read: Assembled, system: Known, notes: list[str]) -> Area:
    """The shapes of the given plane in WGS 84, by one operation."""
    operation, more = choose(system, *_wrapped(_extremes(given), system))
    where = apply(operation, *_wrapped(given, system))
    if where is None:
        raise problem(
            "polygon-malformed",
            why=f"it lies outside what {system.crs} can describe",
            unplaced=True,
        )
    notes.extend(more)
    in_use = count_in_bounds(system.bounds, *where)
    if in_use < len(given):
        notes.append(f"it lies outside the area in which {system.crs} is used")
    brought = _over(read.shape, system, operation, notes)
    same = read.widest is read.shape
    most = brought if same else _over(read.widest, system, operation, [])
    for one in (brought, most):
        shapely.prepare(one)
    return Area(
        brought,
        most,
        operation.accuracy_m,
        operation.name,
        tuple(notes),
        len(given),
        in_use,
        read.unclear,
    )


def _extremes(given: Numbers) -> Numbers:
    """The outermost points in eight directions: they stand for all when an operation is chosen."""
    x, y = given[:, 0], given[:, 1]
    ways = (x, -x, y, -y, x + y, -x - y, x - y, y - x)
    return given[sorted({int(np.argmax(way)) for way in ways})]


def _wrapped(points: Numbers, system: Known) -> tuple[Numbers, Numbers]:
    x, y = points[:, 0], points[:, 1]
    turn = _turn(system)
    if turn and np.abs(x).max() > turn / 2:
        x = (x + turn / 2) % turn - turn / 2
    return x, y


def _over(flat: Shape, system: Known, operation: Operation, notes: list[str]) -> Shape:
    """A valid shape of the given plane in WGS 84, with points added along long edges."""
    step = max(_DENSE_M / (111_000.0 if system.geographic else 1.0), shapely.length(flat) / 5000)
    dense = shapely.segmentize(flat, step)
    where = apply(operation, *_wrapped(shapely.get_coordinates(dense), system))
    if where is None:
        raise problem(
            "polygon-malformed",
            why=f"it lies outside what {system.crs} can describe",
            unplaced=True,
        )
    lons, lats = where
    if np.ptp(lons) > 180:  # nothing that is declared reaches half around the Earth
        lons = np.where(lons < 0, lons + 360.0, lons)
    brought = shapely.set_coordinates(dense, np.column_stack([lons, lats]))
    if not brought.is_valid:
        whole = mended(brought)
        if whole is None:
            raise problem("polygon-malformed", why="it shrinks to nothing on the map")
        notes.append("parts that touch each other were joined when it was brought to the map")
        brought = whole
    return brought


# -- measuring ------------------------------------------------------------------------------------


def area_m2(shape: Shape) -> float:
    """The geodesic area of a shape in square metres, holes taken off."""
    return sum(
        _ring_m2(part.exterior.coords) - sum(_ring_m2(hole.coords) for hole in part.interiors)
        for part in _parts(shape)
    )


def _ring_m2(coords: Iterable[tuple[float, ...]]) -> float:
    lonlat = np.asarray(coords)
    return abs(float(GEOD.polygon_area_perimeter(lonlat[:, 0], lonlat[:, 1])[0]))


def _parts(shape: Shape) -> Sequence[Polygon]:
    return tuple(shape.geoms) if isinstance(shape, MultiPolygon) else (shape,)


def outside_m(where: Area | Shape, lat: float, lon: float) -> float:
    """Geodesic distance in metres from a position to an area; 0 inside and on its edge.

    Measured in the azimuthal equidistant plane around the position, where every distance from
    the centre is the geodesic one.
    """
    shape = where.shape if isinstance(where, Area) else where
    west, _, east, _ = shape.bounds
    lon += 360.0 * round(((west + east) / 2 - lon) / 360.0)
    if shape.covers(Point(lon, lat)):
        return 0.0
    starts, ends = _near_edges(shape, lat, lon)
    around = _around(np.concatenate([starts, ends]), lat, lon)
    edges = np.stack([around[: len(starts)], around[len(starts) :]], axis=1)
    return float(shapely.distance(Point(0.0, 0.0), shapely.linestrings(edges)).min())


def edges_of(shape: Shape) -> tuple[Numbers, Numbers]:
    """Where the edges of a shape begin and end."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    kept = ring[:-1] == ring[1:]
    return coords[:-1][kept], coords[1:][kept]


def _near_edges(shape: Shape, lat: float, lon: float) -> tuple[Numbers, Numbers]:
    """The edges that may be nearest to a position: those that a flat reckoning cannot rule out."""
    starts, ends = edges_of(shape)
    scale = np.array([111_320.0 * math.cos(math.radians(lat)), 110_574.0])
    a, b = (starts - (lon, lat)) * scale, (ends - (lon, lat)) * scale
    along = b - a
    length = np.einsum("ij,ij->i", along, along)
    part = np.clip(-np.einsum("ij,ij->i", a, along) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    away = np.hypot(*(a + along * part[:, None]).T)
    nearest = float(away.min())
    if nearest > _NEAR_M:
        return starts, ends
    may = away <= nearest * 1.05 + 10.0
    return starts[may], ends[may]


def _around(coords: Numbers, lat: float, lon: float) -> Numbers:
    n = len(coords)
    azimuths, _, distances = GEOD.inv(
        np.full(n, lon), np.full(n, lat), coords[:, 0].copy(), coords[:, 1].copy()
    )
    turned = np.radians(azimuths)
    return np.column_stack([distances * np.sin(turned), distances * np.cos(turned)])
