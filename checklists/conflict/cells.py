"""Half-degree cells of a grid over the Earth: what is near a place is looked for in few of them."""

from __future__ import annotations

import math

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


def cells_within(lat: float, lon: float, reach_m: float) -> list[int]:
    """All cells of which any part may lie within `reach_m` metres of a position, in order."""
    north = reach_m / _DEGREE_M
    rows = range(
        max(math.floor((lat - north + 90) * PER_DEGREE), 0),
        min(math.floor((lat + north + 90) * PER_DEGREE), _ROWS - 1) + 1,
    )
    if abs(lat) + north >= 90:
        columns = list(range(_COLUMNS))
    else:
        reach = math.sin(reach_m / _RADIUS_M) / math.cos(math.radians(lat))
        east = 180.0 if reach >= 1 else math.degrees(math.asin(reach))
        first = math.floor((lon - east + 180) * PER_DEGREE)
        last = math.floor((lon + east + 180) * PER_DEGREE)
        columns = sorted({column % _COLUMNS for column in range(first, last + 1)})
    return [row * _COLUMNS + column for row in rows for column in columns]
