"""The frame of a map: metres east and north of a middle, scaled into units of the drawing.

The plane lies around the middle of what matters most. Far points are not left out: they stand at
the edge, with their distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
from shapely import MultiPolygon, Polygon

from server.pages.map_groups import Drawn, Mark

WIDTH = 480
HEIGHT = 360
FAR = 2.5  # points further out than so many times the outline's half size stand at the edge

_EDGE = 28
_LEAST_M = 60.0  # half the width of the smallest map, so that one point still has surroundings
_NEXT = 0.6  # points of a line that are nearer to the one before are not told apart
_STEPS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
_LONG_STEPS = (100_000, 200_000, 500_000, 1_000_000)

Line = Sequence[tuple[float, float]]  # latitudes and longitudes
Ring = list[tuple[float, float]]  # longitudes and latitudes, as shapely has them


@dataclass(frozen=True, slots=True)
class Frame:
    """Where places lie in the drawing, y downwards."""

    lat: float
    lon: float
    per_lat: float
    per_lon: float
    east: float
    north: float
    scale: float

    def metres(self, lat: float, lon: float) -> tuple[float, float]:
        across = (lon - self.lon + 180) % 360 - 180
        return across * self.per_lon, (lat - self.lat) * self.per_lat

    def place(self, east: float, north: float) -> tuple[float, float]:
        return (
            round(WIDTH / 2 + (east - self.east) * self.scale, 1),
            round(HEIGHT / 2 - (north - self.north) * self.scale, 1),
        )

    def bar(self) -> tuple[int, float]:
        """A round length in metres for the scale bar, and its length in the drawing."""
        steps = (*_STEPS, *_LONG_STEPS)
        metres = max((s for s in steps if s * self.scale <= WIDTH / 3), default=_STEPS[0])
        return metres, round(metres * self.scale, 1)


def rings_of(shape: Polygon | MultiPolygon | None) -> list[Ring]:
    """The rings of a shape, holes too."""
    if shape is None or shape.is_empty:
        return []
    parts = shape.geoms if isinstance(shape, MultiPolygon) else (shape,)
    return [
        [(c[0], c[1]) for c in ring.coords] for p in parts for ring in (p.exterior, *p.interiors)
    ]


def frame_of(rings: list[Ring], inside: Line, far: float = FAR) -> Frame:
    """The frame that holds the rings and, of the places, those that are not too far from them."""
    outline = [point for ring in rings for point in ring]
    around = outline or [(lon, lat) for lat, lon in inside]
    lat = (min(p[1] for p in around) + max(p[1] for p in around)) / 2
    lon = (min(p[0] for p in around) + max(p[0] for p in around)) / 2
    per_lat, per_lon = _metres_per_degree(lat)
    plain = Frame(lat, lon, per_lat, per_lon, 0.0, 0.0, 1.0)
    spots = [plain.metres(y, x) for x, y in around]
    reach = max([_LEAST_M, *(max(abs(e), abs(n)) for e, n in spots)])
    for y, x in inside:
        east, north = plain.metres(y, x)
        if max(abs(east), abs(north)) <= reach * far:
            spots.append((east, north))
    west, right = min(s[0] for s in spots), max(s[0] for s in spots)
    south, top = min(s[1] for s in spots), max(s[1] for s in spots)
    wide, high = max(right - west, _LEAST_M), max(top - south, _LEAST_M)
    scale = min((WIDTH - 2 * _EDGE) / wide, (HEIGHT - 2 * _EDGE) / high)
    return Frame(lat, lon, per_lat, per_lon, (west + right) / 2, (south + top) / 2, scale)


def _metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres a degree of latitude and of longitude measure here, on the WGS 84 ellipsoid.

    Radii of curvature: Snyder, Map Projections: A Working Manual (USGS 1395), p. 24-25.
    """
    a, e2 = 6_378_137.0, 0.006_694_379_990_14
    w = 1 - e2 * math.sin(math.radians(lat)) ** 2
    meridian, across = a * (1 - e2) / w**1.5, a / math.sqrt(w)
    per_degree = math.pi / 180
    return meridian * per_degree, max(1.0, across * math.cos(math.radians(lat)) * per_degree)


def draw_mark(mark: Mark, frame: Frame) -> Drawn:
    """A mark in its place, or at the edge with its distance from the middle."""
    east, north = frame.metres(mark.lat, mark.lon)
    x, y = frame.place(east, north)
    if 0 <= x <= WIDTH and 0 <= y <= HEIGHT:
        radius = None if mark.accuracy_m is None else round(mark.accuracy_m * frame.scale, 1)
        return Drawn(mark, x, y, radius)
    away = math.hypot(east, north)
    dx, dy = x - WIDTH / 2, y - HEIGHT / 2
    shrink = min(
        (WIDTH / 2 - 14) / abs(dx) if dx else math.inf,
        (HEIGHT / 2 - 14) / abs(dy) if dy else math.inf,
    )
    return Drawn(
        mark, round(WIDTH / 2 + dx * shrink, 1), round(HEIGHT / 2 + dy * shrink, 1), None, away
    )


def labelled(drawn: list[Drawn]) -> tuple[Drawn, ...]:
    """Write the numbers where they cover no mark and no other number; leave out the rest."""
    taken = [(d.x - 6, d.y - 6, d.x + 6, d.y + 6) for d in drawn]
    found: list[Drawn] = []
    for one in drawn:
        spot = None
        if one.sign:
            wide = 10 * len(one.sign) + 2
            for dx, dy in ((8, -6), (8, 16), (-8 - wide, -6), (-8 - wide, 16)):
                box = (one.x + dx, one.y + dy - 12, one.x + dx + wide, one.y + dy + 1)
                inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT
                if inside and not any(_overlap(box, other) for other in taken):
                    taken.append(box)
                    spot = (round(box[0], 1), round(one.y + dy, 1))
                    break
        found.append(replace(one, label=spot))
    return tuple(found)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def path_of(rings: list[Ring], frame: Frame) -> str:
    """Closed rings as a path, without the points that cannot be told apart in the drawing."""
    pieces: list[str] = []
    for ring in rings:
        spots = [frame.place(*frame.metres(lat, lon)) for lon, lat in ring]
        if len(spots) > 200:
            drawn = shapely.simplify(shapely.LinearRing(spots), _NEXT / 2)
            spots = [(round(x, 1), round(y, 1)) for x, y in shapely.get_coordinates(drawn).tolist()]
        pieces.append("M" + "L".join(f"{x} {y}" for x, y in spots) + "Z")
    return "".join(pieces)


def line_of(line: Line, frame: Frame) -> str:
    """A segment as a path; a single point is a line of no length, which its round ends show."""
    spots: list[tuple[float, float]] = []
    for lat, lon in line:
        spot = frame.place(*frame.metres(lat, lon))
        if not spots or math.dist(spot, spots[-1]) >= _NEXT:
            spots.append(spot)
    rest = "".join(f"L{x} {y}" for x, y in spots[1:]) or "h0"
    return f"M{spots[0][0]} {spots[0][1]}{rest}" if spots else ""
