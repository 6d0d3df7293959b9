"""Places: fixes, distances, and coordinates given in other systems, brought to WGS 84.

Positions are WGS 84 degrees, latitude first; distances are geodesic metres; accuracies are radii
in metres. PROJ's own data alone are used: no grid is fetched from a network. Boundaries are read
in `polygon`.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]
from pyproj.transformer import TransformerGroup

from sync.inspection import Fix, is_decimal
from sync.problems import problem

AXES = ("xy", "yx")

GEOD = Geod(ellps="WGS84")
_EPSG = re.compile(r"EPSG:\d{1,6}\Z")
_PROJ_STRING = re.compile(r"\+proj=[\x20-\x7e]{1,500}\Z")
_READS_FILES = ("init=", "grids=", "grid=", "proj=pipeline", "file=", "catalog=")
_COMMA = re.compile(r"[-+]?[\d ]+,\d[\d ]*\Z")

Numbers = NDArray[np.float64]
Bounds = tuple[float, float, float, float]  # west, south, east, north; west of east or around 180


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
class Operation:
    """One of PROJ's operations to WGS 84; `accuracy_m` is None where nobody states it."""

    transformer: Transformer
    accuracy_m: float | None
    name: str
    bounds: Bounds | None
    ballpark: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What PROJ knows of a system: its operations in PROJ's order, and those it lacks files for."""

    crs: str
    geographic: bool
    unit: str
    unit_factor: float  # metres or radians in one of the unit
    bounds: Bounds | None
    operations: tuple[Operation, ...]
    lacking: tuple[tuple[float | None, str], ...]


# -- fixes and distances --------------------------------------------------------------------------


def distance_m(a: Fix | tuple[float, float], b: Fix | tuple[float, float]) -> float:
    """Geodesic distance in metres between two positions (fixes, or latitude and longitude)."""
    (lat_a, lon_a), (lat_b, lon_b) = _lat_lon(a), _lat_lon(b)
    return float(GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2])


def distances_m(
    starts: Sequence[tuple[float, float]], ends: Sequence[tuple[float, float]]
) -> list[float]:
    """Geodesic distances in metres between positions (latitude, longitude), pair by pair."""
    if not starts:
        return []
    (lats_a, lons_a), (lats_b, lons_b) = (
        tuple(list(column) for column in zip(*some, strict=True)) for some in (starts, ends)
    )
    return [float(d) for d in GEOD.inv(lons_a, lats_a, lons_b, lats_b)[2]]


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
    system = known_system(crs)
    x, y = given_numbers(first, second, axes)
    xs, ys = np.array([x]), np.array([y])
    operation, notes = choose(system, xs, ys)
    where = apply(operation, xs, ys)
    if where is None:
        why = f"these numbers lie outside what {crs} can describe"
        raise problem("place-malformed", text=f"{first}, {second}", why=why)
    if not in_bounds(system.bounds, *where):
        notes = (*notes, f"it lies outside the area in which {crs} is used")
    lon, lat = (float(column[0]) for column in where)
    return Converted(lat, lon, operation.accuracy_m, operation.name, notes)


def within_use(crs: str, converted: Converted) -> bool:
    """Whether a converted point lies in the area of use of its system (True where none is known).

    Raises `crs-unknown`.
    """
    lon, lat = np.array([converted.lon]), np.array([converted.lat])
    return in_bounds(known_system(crs).bounds, lon, lat)


def system_name(crs: str) -> str:
    """The registry's name of a system, or the PROJ string itself. Raises `crs-unknown`."""
    known_system(crs)
    return CRS.from_user_input(crs).name if _EPSG.match(crs) else crs


def given_numbers(first: str, second: str, axes: str) -> tuple[float, float]:
    """Two given numbers as x and y. Raises `place-malformed`."""
    for number in (first, second):
        if not is_decimal(number):
            why = f"{number!r} is not a decimal number"
            if _COMMA.match(number):
                why += "; write it with a point and without commas or spaces"
            raise problem("place-malformed", text=f"{first}, {second}", why=why)
    if axes not in AXES:
        why = f"the order of axes {axes!r} is neither xy nor yx"
        raise problem("place-malformed", text=f"{first}, {second}", why=why)
    x, y = (first, second) if axes == "xy" else (second, first)
    return float(x), float(y)


@lru_cache(maxsize=256)
def known_system(crs: str) -> Known:
    """Everything PROJ offers to bring a system to WGS 84. Raises `crs-unknown`."""
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
    axis = parsed.axis_info[0]
    return Known(
        crs,
        bool(parsed.is_geographic),
        axis.unit_name,
        float(axis.unit_conversion_factor),
        bounds,
        operations,
        lacking,
    )


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


def _operation(transformer: Transformer) -> Operation:
    """Our record of one of PROJ's operations.

    The transformers of a group belong to the thread that made them; one made anew from the same
    pipeline may be shared. PROJ answers -1 where the accuracy of an operation is not known.
    """
    name = str(transformer.description or "unnamed operation")
    use = transformer.area_of_use
    return Operation(
        Transformer.from_pipeline(transformer.definition),
        _stated(transformer.accuracy),
        name.replace("axis order change (2D) + ", "").replace(" + axis order change (2D)", ""),
        (use.west, use.south, use.east, use.north) if use else None,
        "ballpark" in name.lower(),
    )


def _stated(accuracy: float) -> float | None:
    return None if accuracy < 0 else float(accuracy)


def choose(system: Known, xs: Numbers, ys: Numbers) -> tuple[Operation, tuple[str, ...]]:
    """The finest operation meant for all of the points, and notes; PROJ's first where none is.

    One shape is brought over by one operation, or its parts would drift apart.
    """

    def meant(operation: Operation) -> bool:
        where = apply(operation, xs, ys)
        return where is not None and in_bounds(operation.bounds, *where)

    def fineness(operation: Operation) -> float:
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


def apply(operation: Operation, xs: Numbers, ys: Numbers) -> tuple[Numbers, Numbers] | None:
    """The points as longitudes and latitudes; None where one of them is nowhere on Earth."""
    lons, lats = operation.transformer.transform(xs, ys)
    # What is not finite fails every comparison.
    good = np.all((np.abs(lons) <= 180.0) & (np.abs(lats) <= 90.0))
    return (lons, lats) if good else None


def in_bounds(bounds: Bounds | None, lons: Numbers, lats: Numbers) -> bool:
    """Whether all positions lie in the bounds, which may reach across the 180th meridian."""
    return count_in_bounds(bounds, lons, lats) == len(lons)


def count_in_bounds(bounds: Bounds | None, lons: Numbers, lats: Numbers) -> int:
    """How many of the positions lie in the bounds."""
    if bounds is None:
        return len(lons)
    west, south, east, north = bounds
    after, before = lons >= west, lons <= east
    across = after & before if west <= east else after | before
    return int(np.count_nonzero(across & (lats >= south) & (lats <= north)))
