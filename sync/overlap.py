"""Shapes in WGS 84 against each other: what they share, what lies outside, edges that may be off.

Shapes are those of `polygon`, longitude first. Edges of the results are straight in degrees, as
those of the shapes are between their points, a kilometre apart at most.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from pyproj import Proj

from sync.place import Numbers
from sync.polygon import edges_of
from sync.problems import problem
from sync.rings import NEIGHBOURS, Shape, areas_of

_MOST_MOVED = 20_000  # points of an edge that is moved
_CHORDS = 1 / math.cos(math.pi / 16)  # four chords for a quarter of a circle stay within it
_STEP = 128  # edges looked up at once: a tangle is noticed before its pairs fill the memory


def shared(one: Shape, other: Shape) -> Shape | None:
    """What two shapes have in common; None where that has no area.

    Raises `polygon-malformed` where their edges cross so often that it would take too long.
    """
    other = _beside(other, one)
    if not shapely.box(*one.bounds).intersects(shapely.box(*other.bounds)):
        return None
    _must_be_readable(one, other)
    return areas_of(one.intersection(other))


def outside_of(one: Shape, other: Shape) -> Shape | None:
    """What of a shape lies outside another; None where that has no area.

    Raises `polygon-malformed` as `shared` does.
    """
    other = _beside(other, one)
    _must_be_readable(one, other)
    return areas_of(one.difference(other))


def grown(shape: Shape, metres: float) -> Shape:
    """A shape with all that lies within so many metres of it; a little more, never less."""
    return _moved(shape, metres) or shape


def shrunk(shape: Shape, metres: float) -> Shape | None:
    """What of a shape lies so many metres from its edge; a little less, never more."""
    return _moved(shape, -metres)


def sketch(shape: Shape, most: int = 40) -> str:
    """The outline of the largest part in few points, as latitude,longitude pairs with spaces.

    For looking at, not for measuring.
    """
    parts = shapely.get_parts(shape)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    edge = shapely.get_exterior_ring(largest)
    west, south, east, north = largest.bounds
    step = max(east - west, north - south) / 500
    while len(edge.coords) > most:
        edge = shapely.simplify(edge, step)
        step *= 2
    return " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in edge.coords)


def _moved(shape: Shape, metres: float) -> Shape | None:
    """The edge moved out, or in, in the plane around the middle of the shape.

    The edge is made simpler first, by a tenth of the way or, where it has very many points, by as
    much as it takes; the edge then goes as much further, so what is sure only shrinks.
    """
    if metres == 0:
        return shape
    middle = shapely.centroid(shape)
    plane = Proj(proj="aeqd", lat_0=middle.y, lon_0=middle.x, ellps="WGS84")

    def there(points: Numbers) -> Numbers:
        return np.column_stack(plane(points[:, 0], points[:, 1]))

    def back(points: Numbers) -> Numbers:
        lons, lats = plane(points[:, 0], points[:, 1], inverse=True)
        return np.column_stack([lons + 360.0 * np.round((middle.x - lons) / 360.0), lats])

    slack = step = abs(metres) / 10
    flat = shapely.simplify(shapely.transform(shape, there), step)
    while shapely.get_num_coordinates(flat) > _MOST_MOVED:
        step *= 4
        slack += step
        flat = shapely.simplify(flat, step)
    way = math.copysign((abs(metres) + slack) * _CHORDS, metres)
    return areas_of(shapely.transform(shapely.buffer(flat, way, quad_segs=4), back))


def _beside(shape: Shape, other: Shape) -> Shape:
    """A shape on the same side of the 180th meridian as another."""
    (west, _, east, _), (first, _, last, _) = shape.bounds, other.bounds
    turn = 360.0 * round(((first + last) - (west + east)) / 2 / 360.0)
    if not turn:
        return shape
    return (
        areas_of(shapely.transform(shape, lambda points: points + np.array([turn, 0.0]))) or shape
    )


def _must_be_readable(one: Shape, other: Shape) -> None:
    """Raises `polygon-malformed` where nearly every edge of one lies across the other's."""
    (a, b), (c, d) = edges_of(one), edges_of(other)
    if len(a) * len(c) < 1_000_000:
        return
    tree = shapely.STRtree(_boxes(a, b))
    boxes = _boxes(c, d)
    total, limit = 0, NEIGHBOURS * (len(a) + len(c))
    for first in range(0, len(boxes), _STEP):
        total += len(tree.query(boxes[first : first + _STEP])[0])
        if total > limit:
            why = "its edges and another's run across each other all over"
            raise problem("polygon-malformed", why=why)


def _boxes(starts: Numbers, ends: Numbers) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    return shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
