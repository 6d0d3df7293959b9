"""Rings in their own plane -> one valid shape: crossings repaired, holes and parts told apart.

Arrays hold x and y of a ring's points, the last the same as the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.validation import explain_validity

from sync.place import Numbers
from sync.problems import problem

NEIGHBOURS = 30  # edges whose boxes an edge meets on average, at most, in a shape that is read
SMALL = 300  # so few points are read whatever their edges do

_APART = 0.01  # a further ring with less than this share inside the outline is a part, no hole
_NESTED = 0.99  # a ring with this share inside a hole is an island in it
_LIMIT_RINGS = 1000  # parts and holes that have to be told apart
_CROSSINGS = 10_000  # what crosses itself more often than this is no boundary
_STEP = 128  # edges looked up at once: a tangle is noticed before its pairs fill the memory

Shape = Polygon | MultiPolygon
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """What a ring encloses; `crossed` where it had to be repaired to enclose anything certain."""

    number: int
    points: Numbers
    shape: Shape
    crossed: bool

    @property
    def unclear(self) -> float:
        """The area on which readings disagree: what winds to the left, to the right, or twice."""
        if not self.crossed:
            return 0.0
        x, y = (self.points - self.points[0]).T
        signed = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
        return abs(self.shape.area - abs(signed))


@dataclass(frozen=True, slots=True)
class Assembled:
    """What all rings enclose in their own plane, the most that they can mean, and how unsure."""

    shape: Shape
    widest: Shape
    unclear: float


def read_ring(number: int, points: Numbers, notes: list[str]) -> Ring:
    """A ring that is valid, or repaired with a note. Raises `polygon-malformed`."""
    given = Polygon(points)
    if given.is_valid and given.area > 0:
        return Ring(number, points, given, crossed=False)
    if len(points) > SMALL:
        _must_be_mendable(points)
    whole = mended(given)
    if whole is None or whole.area <= 0:
        raise problem("polygon-malformed", why=f"the points of ring {number} enclose no area")
    reason = explain_validity(given).split("[")[0].strip().lower()
    notes.append(f"ring {number} was not valid ({reason}) and was repaired")
    return Ring(number, points, whole, crossed=True)


def assemble(rings: list[Ring], notes: list[str]) -> Assembled:
    """One shape of all rings, the first the outer one. Raises `polygon-malformed`."""
    first = rings[0]
    if len(rings) == 1:
        widest = _hull(first) if first.crossed else first.shape
        return Assembled(first.shape, widest, first.unclear / first.shape.area)
    plain = not any(r.crossed for r in rings)
    given = Polygon(first.points, [r.points for r in rings[1:]])
    if plain and given.is_valid and given.area > 0:
        return Assembled(given, given, 0.0)
    if len(rings) > _LIMIT_RINGS:
        why = f"it has more than {_LIMIT_RINGS} rings, and not all are holes in the first"
        raise problem("polygon-malformed", why=why)
    outline, holes = [first], list[Ring]()
    unclear = sum(r.unclear for r in rings)
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
                unclear += ring.shape.area * (1 - inside)
                notes.append(
                    f"ring {ring.number}, a hole, leaves its outline and was repaired: only what "
                    "lies inside was taken out"
                )
    drawn = _drawn(first, outline, holes)
    if plain and not unclear:
        return Assembled(drawn, drawn, 0.0)
    most = areas_of(shapely.union_all([_hull(r) if r.crossed else r.shape for r in outline]))
    return Assembled(drawn, most or drawn, min(1.0, unclear / drawn.area))


def _drawn(first: Ring, outline: list[Ring], holes: list[Ring]) -> Shape:
    """Parts joined and holes taken out, the larger first, so that an island stands in its hole."""
    drawn: Shape | None = first.shape
    for ring in sorted((*outline[1:], *holes), key=lambda r: -r.shape.area):
        if ring not in holes:
            drawn = areas_of(drawn.union(ring.shape)) if drawn else ring.shape
        elif drawn is not None:
            drawn = areas_of(drawn.difference(ring.shape))
    if drawn is None:
        raise problem("polygon-malformed", why="its holes leave no area")
    return drawn


def mended(invalid: Shape) -> Shape | None:
    """What a shape that crosses itself encloses; what is enclosed twice is inside."""
    return areas_of(shapely.make_valid(invalid, method="structure", keep_collapsed=False))


def _share(inner: Shape, outer: Shape) -> float:
    """Which share of one shape lies inside another."""
    shapely.prepare(outer)
    if not outer.intersects(inner):
        return 0.0
    if outer.contains(inner):
        return 1.0
    return float(inner.intersection(outer).area / inner.area)


def _hull(ring: Ring) -> Polygon:
    """All that the points can mean; a ring that encloses an area has a hull that does."""
    hull = shapely.convex_hull(shapely.MultiPoint(ring.points))
    return Polygon(shapely.get_coordinates(hull))


def areas_of(geometry: shapely.Geometry) -> Shape | None:
    """What of a geometry has an area; lines and points left by a repair are dropped."""
    if isinstance(geometry, Polygon | MultiPolygon):
        return None if geometry.is_empty else geometry
    found: list[Polygon] = []
    for part in getattr(geometry, "geoms", ()):
        inner = areas_of(part)
        if isinstance(inner, Polygon):
            found.append(inner)
        elif inner is not None:
            found.extend(inner.geoms)
    if not found:
        return None
    return found[0] if len(found) == 1 else MultiPolygon(found)


# -- what would take too long ---------------------------------------------------------------------


def must_be_readable(rings: Sequence[Numbers]) -> None:
    """Raises `polygon-malformed` where nearly every edge lies across nearly every other.

    To check such a shape all pairs of edges would have to be compared. The edges of real outlines
    are short against the whole, so that each meets the boxes of few others.
    """
    starts, ends = (np.concatenate([r[s] for r in rings]) for s in (slice(-1), slice(1, None)))
    if _pairs(starts, ends, NEIGHBOURS * len(starts)) is None:
        why = "its edges run across each other all over, as those of no boundary do"
        raise problem("polygon-malformed", why=why)


def _must_be_mendable(points: Numbers) -> None:
    """Raises `polygon-malformed` where a ring crosses itself so often that it says nothing."""
    starts, ends = points[:-1], points[1:]
    pairs = _pairs(starts, ends, NEIGHBOURS * len(points))
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
