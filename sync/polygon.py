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
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.validation import explain_validity

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

LIMIT_POINTS = 100_000

_DENSE_M = 1000.0  # an edge is straight in its own system: points in between keep it so
_APART = 0.01  # a further ring with less than this share inside the outline is a part, no hole
_NESTED = 0.99  # a ring with this share inside a hole is an island in it
_LIMIT_RINGS = 1000  # parts and holes that have to be told apart
_SMALL = 300  # so few points are read whatever their edges do
_NEIGHBOURS = 30  # edges whose boxes an edge meets on average, at most, in a shape that is read
_CROSSINGS = 10_000  # what crosses itself more often than this is no boundary
_STEP = 128  # edges looked up at once: a tangle is noticed before its pairs fill the memory
_NEAR_M = 50_000.0  # within this a flat reckoning finds the edges that may be nearest

Given = Sequence[str]  # two numbers, or three with a height
Shape = Polygon | MultiPolygon
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class Area:
    """A given boundary in WGS 84: as declared or as repaired.

    `widest` is the most that the given points can mean: the same shape, or the convex hulls of its
    rings where it had to be repaired. `in_use` of the `points` that were given (closing ones
    counted) lie in the system's area of use.
    """

    shape: Shape
    widest: Shape
    accuracy_m: float | None
    operation: str
    notes: tuple[str, ...]
    points: int
    in_use: int

    @property
    def within_use(self) -> bool:
        """Whether all given points lie in the system's area of use."""
        return self.in_use == self.points

    @property
    def repaired(self) -> bool:
        """Whether the given rings did not say by themselves what they enclose."""
        return self.widest is not self.shape


@dataclass(frozen=True, slots=True, eq=False)
class _Ring:
    """A ring in its own plane: closed, and what it encloses."""

    number: int
    points: Numbers
    shape: Shape
    crossed: bool


# -- reading --------------------------------------------------------------------------------------


def area(crs: str, axes: str, rings: Sequence[Sequence[Given]]) -> Area:
    """Bring a given boundary to WGS 84: the outer ring first, then others in any order.

    Of the others, a ring inside is a hole, one that lies apart is a further part of the boundary,
    and one inside a hole an island. Raises `crs-unknown`, `place-malformed`, and
    `polygon-malformed` where no area can be made of it.
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
    if sum(map(len, flat)) > _SMALL:
        _must_be_readable(flat)
    shape, widest = _assemble([_ring(n, p, notes) for n, p in enumerate(flat, 1)], notes)
    return _bring(np.concatenate(flat), shape, widest, system, notes)


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
        raise problem("polygon-malformed", why=why)
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


def _ring(number: int, points: Numbers, notes: list[str]) -> _Ring:
    given = Polygon(points)
    if given.is_valid and given.area > 0:
        return _Ring(number, points, given, crossed=False)
    if len(points) > _SMALL:
        _must_be_mendable(points)
    mended = _mended(given)
    if mended is None or mended.area <= 0:
        raise problem("polygon-malformed", why=f"the points of ring {number} enclose no area")
    reason = explain_validity(given).split("[")[0].strip().lower()
    notes.append(f"ring {number} was not valid ({reason}) and was repaired")
    return _Ring(number, points, mended, crossed=True)


def _assemble(rings: list[_Ring], notes: list[str]) -> tuple[Shape, Shape]:
    """One shape of all rings, and the widest that they can mean; the same where nothing is open."""
    first = rings[0]
    if len(rings) == 1:
        return first.shape, _hull(first) if first.crossed else first.shape
    plain = not any(r.crossed for r in rings)
    given = Polygon(first.points, [r.points for r in rings[1:]])
    if plain and given.is_valid and given.area > 0:
        return given, given
    if len(rings) > _LIMIT_RINGS:
        why = f"it has more than {_LIMIT_RINGS} rings, and not all are holes in the first"
        raise problem("polygon-malformed", why=why)
    outline, holes = [first], list[_Ring]()
    unclear = not plain
    # The larger first: an island comes after its hole, a hole after its part.
    for ring in sorted(rings[1:], key=lambda r: -r.shape.area):
        shares = [(_share(ring.shape, r.shape), r) for r in (*outline, *holes)]
        around = [r for share, r in shares if share >= _NESTED]
        nearest = min(around, key=lambda r: r.shape.area, default=None)
        inside = sum(share for share, r in shares if r in outline)
        if nearest in holes:
            outline.append(ring)
            notes.append(f"ring {ring.number} lies in a hole and was taken as an island in it")
        elif inside < _APART:
            outline.append(ring)
            notes.append(f"ring {ring.number} lies apart and was taken as a further part")
        else:
            holes.append(ring)
            if inside < _NESTED:
                unclear = True
                notes.append(
                    f"ring {ring.number}, a hole, leaves its outline and was repaired: only what "
                    "lies inside was taken out"
                )
    shape: Shape | None = None
    for ring in sorted(outline + holes, key=lambda r: (r is not first, -r.shape.area)):
        if shape is not None:
            joined = shape.difference(ring.shape) if ring in holes else shape.union(ring.shape)
            shape = _areas(joined)
        else:
            shape = ring.shape
    if shape is None or shape.area <= 0:
        raise problem("polygon-malformed", why="its holes leave no area")
    if not unclear:
        return shape, shape
    widest = _areas(shapely.union_all([_hull(r) if r.crossed else r.shape for r in outline]))
    return shape, widest or shape


def _mended(invalid: Shape) -> Shape | None:
    """What a shape that crosses itself encloses; what is enclosed twice is inside."""
    return _areas(shapely.make_valid(invalid, method="structure", keep_collapsed=False))


def _share(inner: Shape, outer: Shape) -> float:
    """Which share of one shape lies inside another."""
    shapely.prepare(outer)
    if not outer.intersects(inner):
        return 0.0
    if outer.contains(inner):
        return 1.0
    return float(inner.intersection(outer).area / inner.area)


def _hull(ring: _Ring) -> Polygon:
    """All that the points can mean; a ring that encloses an area has a hull that does."""
    hull = shapely.convex_hull(shapely.MultiPoint(ring.points))
    return Polygon(shapely.get_coordinates(hull))


def _areas(geometry: shapely.Geometry) -> Shape | None:
    """What of a geometry has an area; lines and points left by a repair are dropped."""
    if isinstance(geometry, Polygon | MultiPolygon):
        return None if geometry.is_empty else geometry
    found: list[Polygon] = []
    for part in getattr(geometry, "geoms", ()):
        inner = _areas(part)
        if isinstance(inner, Polygon):
            found.append(inner)
        elif inner is not None:
            found.extend(inner.geoms)
    if not found:
        return None
    return found[0] if len(found) == 1 else MultiPolygon(found)


# -- what would take too long ---------------------------------------------------------------------


def _must_be_readable(rings: Sequence[Numbers]) -> None:
    """Raises `polygon-malformed` where nearly every edge lies across nearly every other.

    To check such a shape all pairs of edges would have to be compared. The edges of real outlines
    are short against the whole, so that each meets the boxes of few others.
    """
    starts, ends = (np.concatenate([r[s] for r in rings]) for s in (slice(-1), slice(1, None)))
    if _pairs(starts, ends, _NEIGHBOURS * len(starts)) is None:
        why = "its edges run across each other all over, as those of no boundary do"
        raise problem("polygon-malformed", why=why)


def _must_be_mendable(points: Numbers) -> None:
    """Raises `polygon-malformed` where a ring crosses itself so often that it says nothing."""
    starts, ends = points[:-1], points[1:]
    pairs = _pairs(starts, ends, _NEIGHBOURS * len(points))
    if pairs is not None:
        one, other = pairs
        if _crossings(starts[one], ends[one], starts[other], ends[other]) <= _CROSSINGS:
            return
    why = f"its edges cross each other more than {_CROSSINGS} times"
    raise problem("polygon-malformed", why=why)


def _pairs(starts: Numbers, ends: Numbers, limit: int) -> Pairs | None:
    """Pairs of edges whose boxes meet, each pair once; None where there are more than `limit`."""
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    tree = shapely.STRtree(boxes)
    found: list[Pairs] = []
    total = 0
    for first in range(0, len(boxes), _STEP):
        one, other = tree.query(boxes[first : first + _STEP])
        one = one + first
        found.append((one[one < other], other[one < other]))
        total += len(found[-1][0])
        if total > limit:
            return None
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _crossings(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> int:
    """How many edges from a to b cross the edges from c to d, row by row, between their ends."""

    def side(p: Numbers, q: Numbers, r: Numbers) -> Numbers:
        (ux, uy), (vx, vy) = (q - p).T, (r - p).T
        turned: Numbers = np.sign(ux * vy - uy * vx)
        return turned

    across = (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)
    return int(np.count_nonzero(across))


# -- to WGS 84 ------------------------------------------------------------------------------------


def _bring(given: Numbers, shape: Shape, widest: Shape, system: Known, notes: list[str]) -> Area:
    """The shapes of the given plane in WGS 84, by one operation."""
    operation, more = choose(system, *_wrapped(_extremes(given), system))
    where = apply(operation, *_wrapped(given, system))
    if where is None:
        raise problem("polygon-malformed", why=f"it lies outside what {system.crs} can describe")
    notes.extend(more)
    in_use = count_in_bounds(system.bounds, *where)
    if in_use < len(given):
        notes.append(f"it lies outside the area in which {system.crs} is used")
    brought = _over(shape, system, operation, notes)
    most = brought if widest is shape else _over(widest, system, operation, [])
    for one in (brought, most):
        shapely.prepare(one)
    return Area(
        brought, most, operation.accuracy_m, operation.name, tuple(notes), len(given), in_use
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
        raise problem("polygon-malformed", why=f"it lies outside what {system.crs} can describe")
    lons, lats = where
    if np.ptp(lons) > 180:  # nothing that is declared reaches half around the Earth
        lons = np.where(lons < 0, lons + 360.0, lons)
    brought = shapely.set_coordinates(dense, np.column_stack([lons, lats]))
    if not brought.is_valid:
        mended = _mended(brought)
        if mended is None:
            raise problem("polygon-malformed", why="it shrinks to nothing on the map")
        notes.append("parts that touch each other were joined when it was brought to the map")
        brought = mended
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
    starts, ends = _edges(shape, lat, lon)
    around = _around(np.concatenate([starts, ends]), lat, lon)
    edges = np.stack([around[: len(starts)], around[len(starts) :]], axis=1)
    return float(shapely.distance(Point(0.0, 0.0), shapely.linestrings(edges)).min())


def _edges(shape: Shape, lat: float, lon: float) -> tuple[Numbers, Numbers]:
    """The edges that may be nearest to a position: those that a flat reckoning cannot rule out."""
    coords, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(shape)), return_index=True
    )
    kept = ring[:-1] == ring[1:]
    starts, ends = coords[:-1][kept], coords[1:][kept]
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
