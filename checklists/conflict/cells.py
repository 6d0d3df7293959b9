"""Cells of a grid over the Earth: what is near a place is looked for in few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

PER_DEGREE = 1
_COLUMNS = 360 * PER_DEGREE
_ROWS = 180 * PER_DEGREE
# Less than a degree of latitude, and than any radius of the ellipsoid, in metres: a cell too many
# costs little, one too few would lose events.
_DEGREE_M = 110_500.0
_RADIUS_M = 6_335_000.0


def cell_of(lat_e7: int, lon_e7: int) -> int:
    """The cell of a position in degrees times 10^7: a number from 0 up, row by row."""
    row = min((lat_e7 + 90 * 10**7) * PER_DEGREE // 10**7, _ROWS - 1)
    column = (lon_e7 + 180 * 10**7) * PER_DEGREE // 10**7 % _COLUMNS
    return row * _COLUMNS + column


@dataclass(frozen=True, slots=True)
class Reach:
    """What a reach around a place may cover: cells, and within them a rough circle around `lat_e7`
    and `lon_e7`. There (north)² + (east x scale / 1000)² is at most `square`, with degrees times
    10^7 north and east of it. The scale is 0 over the antimeridian and near a pole.
    """

    cells: list[int]
    lat_e7: int
    lon_e7: int
    scale: int
    square: int


def reach(lat: float, lon: float, reach_m: float) -> Reach:
    """The cells and the circle that hold everything within `reach_m` metres of a position."""
    up = reach_m / _DEGREE_M
    rows = range(
        max(math.floor((lat - up + 90) * PER_DEGREE), 0),
        min(math.floor((lat + up + 90) * PER_DEGREE), _ROWS - 1) + 1,
    )
    sine = 1.0
    if abs(lat) + up < 90:
        sine = math.sin(reach_m / _RADIUS_M) / math.cos(math.radians(lat))
    side = 180.0 if sine >= 1 else math.degrees(math.asin(sine))
    first = math.floor((lon - side + 180) * PER_DEGREE)
    last = min(math.floor((lon + side + 180) * PER_DEGREE), first + _COLUMNS - 1)
    columns = sorted({column % _COLUMNS for column in range(first, last + 1)})
    # Degrees of longitude are shortest on the side of the pole; taken as long as that everywhere,
    # the circle holds more than it must and loses nothing.
    plain = abs(lat) + up < 70 and lon - side >= -180 and lon + side < 180
    scale = math.floor(1000 * math.cos(math.radians(abs(lat) + up))) if plain else 0
    return Reach(
        [row * _COLUMNS + column for row in rows for column in columns],
        round(lat * 10**7),
        round(lon * 10**7),
        scale,
        math.ceil(up * 10**7) ** 2,
    )


def cells_within(lat: float, lon: float, reach_m: float) -> list[int]:
    """All cells of which any part may lie within `reach_m` metres of a position, in order."""
    return reach(lat, lon, reach_m).cells
