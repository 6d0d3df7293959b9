"""Places: fixes, distances, and coordinates given in other systems, brought to WGS 84.

Positions are WGS 84 degrees, latitude first; distances are geodesic metres; accuracies are radii
in metres. PROJ's own data alone are used: no grid is fetched from a network. Shapes that cross the
180th meridian are not supported.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]
from pyproj.transformer import TransformerGroup
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.validation import explain_validity

from sync.inspection import Fix, is_decimal
from sync.problems import problem

AXES = ("xy", "yx")
LIMIT_POINTS = 10_000

_GEOD = Geod(ellps="WGS84")
_EPSG = re.compile(r"EPSG:\d{4,6}\Z")
_PROJ_STRING = re.compile(r"\+proj=[\x20-\x7e]{1,500}\Z")
_READS_FILES = ("init=", "grids=", "grid=", "proj=pipeline", "file=", "catalog=")
_DENSE_M = 1000.0  # an edge is straight in its own system: points in between keep it so

Given = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """A given point in WGS 84: `accuracy_m` is None where nobody states the accuracy of the
    operation; `notes` say what a reader must know about it.
    """

    lat: float
    lon: float
    accuracy_m: float | None
    operation: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A given boundary in WGS 84 (shapely, longitude first): as declared or as repaired.

    `widest` is the most that the given points can mean: the same shape, or the convex hull where
    a ring crossed itself and had to be repaired. `within_use` tells whether all given points lie
    in the system's area of use.
    """

    shape: Polygon | MultiPolygon
    widest: Polygon | MultiPolygon
    accuracy_m: float | None
    operation: str
    notes: tuple[str, ...]
    within_use: bool


@dataclass(frozen=True, slots=True)
class _Operation:
    transformer: Transformer
    accuracy_m: float | None
    name: str
    bounds: tuple[float, float, float, float] | None
    ballpark: bool


@dataclass(frozen=True, slots=True)
class _System:
    crs: str
    geographic: bool
    bounds: tuple[float, float, float, float] | None
    operations: tuple[_Operation, ...]
    lacking: tuple[tuple[float | None, str], ...]  # operations whose grid files are not here


# -- fixes and distances --------------------------------------------------------------------------


def distance_m(a: Fix | tuple[float, float], b: Fix | tuple[float, float]) -> float:
    """Geodesic distance in metres between two positions (fixes, or latitude and longitude)."""
    (lat_a, lon_a), (lat_b, lon_b) = _lat_lon(a), _lat_lon(b)
    return float(_GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2])


def distances_m(
    starts: Sequence[tuple[float, float]], ends: Sequence[tuple[float, float]]
) -> list[float]:
    """Geodesic distances in metres between positions (latitude, longitude), pair by pair."""
    if not starts:
        return []
    (lats_a, lons_a), (lats_b, lons_b) = (
        tuple(list(column) for column in zip(*some, strict=True)) for some in (starts, ends)
    )
    return [float(d) for d in _GEOD.inv(lons_a, lats_a, lons_b, lats_b)[2]]


def parse_fix(text: str) -> Fix:
    """Read a typed position, latitude,longitude[,accuracy] in degrees and metres.

    Raises `place-malformed`.
    """
    parts = [p.strip() for p in text.split(",")]
    if len(parts) not in (2, 3):
        raise problem("place-malformed", text=text, why="it has not two or three numbers")
    numbers = [p.removeprefix("+") for p in parts]
    for part in numbers:
        if not is_decimal(part):
            raise problem("place-malformed", text=text, why=f"{part!r} is not a decimal number")
    lat, lon = (Decimal(p) for p in numbers[:2])
    if abs(lat) > 90:
        raise problem("place-malformed", text=text, why=f"the latitude {lat} is beyond 90 degrees")
    if abs(lon) > 180:
        why = f"the longitude {lon} is beyond 180 degrees"
        raise problem("place-malformed", text=text, why=why)
    accuracy = numbers[2] if len(numbers) == 3 else None
    if accuracy is not None and Decimal(accuracy) <= 0:
        raise problem("place-malformed", text=text, why="the accuracy is not more than 0 m")
    return Fix(numbers[0], numbers[1], accuracy)


def _lat_lon(place: Fix | tuple[float, float]) -> tuple[float, float]:
    return (float(place.lat), float(place.lon)) if isinstance(place, Fix) else place


# -- from other systems to WGS 84 -----------------------------------------------------------------


def convert(first: str, second: str, crs: str, axes: str) -> Converted:
    """Bring one given point to WGS 84 with the best operation that is known for its place.

    `first` and `second` are decimal strings in the order of `axes`; `crs` is "EPSG:n" or a PROJ
    string. Raises `crs-unknown` and `place-malformed`.
    """
    system = _system(crs)
    points = [_given(first, second, axes)]
    operation, notes = _choose(system, points)
    where = _apply(operation, points)
    if where is None:
        why = f"these numbers lie outside what {crs} can describe"
        raise problem("place-malformed", text=f"{first}, {second}", why=why)
    lon, lat = where[0]
    if not _within(system.bounds, where):
        notes = (*notes, f"it lies outside the area in which {crs} is used")
    return Converted(lat, lon, operation.accuracy_m, operation.name, notes)


def within_use(crs: str, converted: Converted) -> bool:
    """Whether a converted point lies in the area of use of its system (True where none is known).

    Raises `crs-unknown`.
    """
    return _within(_system(crs).bounds, [(converted.lon, converted.lat)])


def system_name(crs: str) -> str:
    """The registry's name of a system, or the PROJ string itself. Raises `crs-unknown`."""
    _system(crs)
    return CRS.from_user_input(crs).name if _EPSG.match(crs) else crs


def _given(first: str, second: str, axes: str) -> tuple[float, float]:
    for number in (first, second):
        if not is_decimal(number):
            why = f"{number!r} is not a decimal number"
            raise problem("place-malformed", text=f"{first}, {second}", why=why)
    if axes not in AXES:
        why = f"the order of axes {axes!r} is neither xy nor yx"
        raise problem("place-malformed", text=f"{first}, {second}", why=why)
    x, y = (first, second) if axes == "xy" else (second, first)
    return float(x), float(y)


@lru_cache(maxsize=256)
def _system(crs: str) -> _System:
    """Everything PROJ offers to bring a system to WGS 84, in PROJ's order."""
    set_network_enabled(active=False)
    parsed = _parse(crs)
    with warnings.catch_warnings():
        # PROJ warns when a grid is missing; that is said in the notes of each conversion instead.
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(parsed, "EPSG:4326", always_xy=True)
    operations = tuple(_operation(t) for t in group.transformers)
    if not operations:
        raise problem("crs-unknown", crs=crs, why="no operation leads from it to WGS 84")
    lacking = tuple((_stated(o.accuracy), str(o.name)) for o in group.unavailable_operations)
    use = parsed.area_of_use
    bounds = (use.west, use.south, use.east, use.north) if use else None
    return _System(crs, bool(parsed.is_geographic), bounds, operations, lacking)


def _parse(crs: str) -> CRS:
    if not _EPSG.match(crs) and not _PROJ_STRING.match(crs):
        raise problem("crs-unknown", crs=crs, why="it is neither an EPSG code nor a PROJ string")
    if any(word in crs for word in _READS_FILES):
        raise problem("crs-unknown", crs=crs, why="it refers to files that may not be here")
    try:
        parsed = CRS.from_user_input(crs)
    except ProjError as exc:
        raise problem("crs-unknown", crs=crs, why="it is not in the registry") from exc
    if len(parsed.axis_info) != 2 or not (parsed.is_geographic or parsed.is_projected):
        raise problem("crs-unknown", crs=crs, why="it is not a system of horizontal positions")
    return parsed


def _operation(transformer: Transformer) -> _Operation:
    """Our record of one of PROJ's operations.

    The transformers of a group belong to the thread that made them; one made anew from the same
    pipeline may be shared. PROJ answers -1 where the accuracy of an operation is not known.
    """
    name = str(transformer.description or "unnamed operation")
    use = transformer.area_of_use
    return _Operation(
        Transformer.from_pipeline(transformer.definition),
        _stated(transformer.accuracy),
        name.replace("axis order change (2D) + ", "").replace(" + axis order change (2D)", ""),
        (use.west, use.south, use.east, use.north) if use else None,
        "ballpark" in name.lower(),
    )


def _stated(accuracy: float) -> float | None:
    return None if accuracy < 0 else float(accuracy)


def _choose(
    system: _System, points: Sequence[tuple[float, float]]
) -> tuple[_Operation, tuple[str, ...]]:
    """The finest operation meant for all of the points; PROJ's first where none is.

    One shape is brought over by one operation, or its parts would drift apart.
    """

    def meant(operation: _Operation) -> bool:
        where = _apply(operation, points)
        return where is not None and _within(operation.bounds, where)

    def fineness(operation: _Operation) -> float:
        return math.inf if operation.accuracy_m is None else operation.accuracy_m

    fit = [o for o in system.operations if meant(o)]
    best = min(fit, key=fineness) if fit else system.operations[0]
    notes: list[str] = []
    if best.ballpark:
        notes.append(
            "no operation is known between its datum and WGS 84 for this place; the difference, "
            "often hundreds of metres, is not corrected"
        )
    finer = [n for a, n in system.lacking if (math.inf if a is None else a) < fineness(best)]
    if finer:
        notes.append(f"a finer operation needs a grid file that is not here: {finer[0]}")
    return best, tuple(notes)


def _apply(
    operation: _Operation, points: Sequence[tuple[float, float]]
) -> list[tuple[float, float]] | None:
    """The points as longitude, latitude; None where one of them is nowhere on Earth."""
    xs, ys = zip(*points, strict=True)
    lons, lats = operation.transformer.transform(list(xs), list(ys))
    where = list(zip(map(float, lons), map(float, lats), strict=True))
    good = all(math.isfinite(x) and math.isfinite(y) for x, y in where)
    return where if good and _within((-180.0, -90.0, 180.0, 90.0), where) else None


def _within(
    bounds: tuple[float, float, float, float] | None, where: Iterable[tuple[float, float]]
) -> bool:
    if bounds is None:
        return True
    west, south, east, north = bounds
    return all(west <= lon <= east and south <= lat <= north for lon, lat in where)


# -- boundaries -----------------------------------------------------------------------------------


def area(crs: str, axes: str, rings: Sequence[Sequence[Given]]) -> Area:
    """Bring a given boundary to WGS 84: the outer ring first, then holes.

    An open ring is closed and a ring that crosses itself is repaired, each with a note. Raises
    `crs-unknown`, `place-malformed`, and `polygon-malformed` where no area can be made of it.
    """
    system = _system(crs)
    if not rings:
        raise problem("polygon-malformed", why="it has no ring")
    if sum(len(ring) for ring in rings) > LIMIT_POINTS:
        raise problem("polygon-malformed", why=f"it has more than {LIMIT_POINTS} points")
    notes: list[str] = []
    planar = [_ring(n, [_given(*p, axes) for p in ring], notes) for n, ring in enumerate(rings, 1)]
    flat, repaired = _polygon(planar, notes)
    given = [p for ring in planar for p in ring]
    operation, more = _choose(system, given)
    where = _apply(operation, given)
    if where is None:
        raise problem("polygon-malformed", why=f"it lies outside what {crs} can describe")
    notes.extend(more)
    in_use = _within(system.bounds, where)
    if not in_use:
        notes.append(f"it lies outside the area in which {crs} is used")
    shape = _bring(flat, system, operation)
    widest = _bring(shapely.convex_hull(flat), system, operation) if repaired else shape
    return Area(shape, widest, operation.accuracy_m, operation.name, tuple(notes), in_use)


def outside_m(where: Area | Polygon | MultiPolygon, lat: float, lon: float) -> float:
    """Geodesic distance in metres from a position to an area; 0 inside and on its edge.

    Measured in the azimuthal equidistant plane around the position, where every distance from
    the centre is the geodesic one.
    """
    shape = where.shape if isinstance(where, Area) else where
    if shape.covers(Point(lon, lat)):
        return 0.0
    parts = shape.geoms if isinstance(shape, MultiPolygon) else (shape,)
    edges = [_around(ring.coords, lat, lon) for p in parts for ring in (p.exterior, *p.interiors)]
    return float(shapely.MultiLineString(edges).distance(Point(0.0, 0.0)))


def _around(
    coords: Iterable[tuple[float, ...]], lat: float, lon: float
) -> list[tuple[float, float]]:
    lons, lats = zip(*((c[0], c[1]) for c in coords), strict=True)
    n = len(lons)
    azimuths, _, distances = _GEOD.inv([lon] * n, [lat] * n, list(lons), list(lats))
    return [
        (d * math.sin(math.radians(a)), d * math.cos(math.radians(a)))
        for a, d in zip(azimuths, distances, strict=True)
    ]


def _ring(
    number: int, points: list[tuple[float, float]], notes: list[str]
) -> list[tuple[float, float]]:
    if len(set(points)) < 3:
        why = f"ring {number} has fewer than three different points"
        raise problem("polygon-malformed", why=why)
    if points[0] != points[-1]:
        notes.append(f"ring {number} was not closed; its first point was taken as its last")
        points = [*points, points[0]]
    return points


def _polygon(
    rings: list[list[tuple[float, float]]], notes: list[str]
) -> tuple[Polygon | MultiPolygon, bool]:
    """The rings as a valid shape in their own plane, and whether it had to be repaired."""
    given = Polygon(rings[0], rings[1:])
    if given.is_valid and given.area > 0:
        return given, False
    mended = _areas(shapely.make_valid(Polygon(rings[0])))
    if mended is not None and len(rings) > 1:
        holes = shapely.union_all([shapely.make_valid(Polygon(r)) for r in rings[1:]])
        mended = _areas(mended.difference(holes))
    if mended is None or mended.area <= 0:
        raise problem("polygon-malformed", why="its points enclose no area")
    reason = explain_validity(given).split("[")[0].strip().lower()
    notes.append(f"the shape was not valid ({reason}) and was repaired")
    return mended, True


def _areas(geometry: shapely.Geometry) -> Polygon | MultiPolygon | None:
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


def _bring(
    flat: shapely.Geometry, system: _System, operation: _Operation
) -> Polygon | MultiPolygon:
    """A shape of the given plane in WGS 84, with points added along long edges."""
    step = max(_DENSE_M / (111_000.0 if system.geographic else 1.0), shapely.length(flat) / 5000)
    dense = _areas(shapely.segmentize(flat, step))
    parts = dense.geoms if isinstance(dense, MultiPolygon) else (dense,) if dense else ()
    brought: list[Polygon] = []
    for part in parts:
        rings = [_apply(operation, list(r.coords)) for r in (part.exterior, *part.interiors)]
        whole = [r for r in rings if r is not None]
        if len(whole) < len(rings):
            why = f"it lies outside what {system.crs} can describe"
            raise problem("polygon-malformed", why=why)
        brought.append(Polygon(whole[0], whole[1:]))
    return brought[0] if len(brought) == 1 else MultiPolygon(brought)
