"""Half-degree cells of a grid over the Earth: what is near a place is looked for in few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

PER_DEGREE = 2
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
class Box:
    """What a reach around a place may cover: cells, and within them degrees times 10^7 from south
    to north and from west to east. Over the antimeridian or a pole, west and east are all around.
    """

    cells: list[int]
    south: int
    north: int
    west: int
    east: int


def box(lat: float, lon: float, reach_m: float) -> Box:
    """The cells and degrees of which any part may lie within `reach_m` metres of a position."""
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
    around = lon - side < -180 or lon + side >= 180
    return Box(
        [row * _COLUMNS + column for row in rows for column in columns],
        math.floor((lat - up) * 10**7),
        math.ceil((lat + up) * 10**7),
        -180 * 10**7 if around else math.floor((lon - side) * 10**7),
        180 * 10**7 if around else math.ceil((lon + side) * 10**7),
    )


def cells_within(lat: float, lon: float, reach_m: float) -> list[int]:
    """All cells of which any part may lie within `reach_m` metres of a position, in order."""
    return box(lat, lon, reach_m).cells
