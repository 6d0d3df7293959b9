"""A track as the value of an entry, and back: columns of whole numbers, each told by its change.

Times are UTC milliseconds, positions 1e-7 degrees (about a centimetre), accuracies tenths of a
metre. Only integers occur (docs/adr/0003); the layout is described in docs/protocol.md (L5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any

from sync.inspection import TRACK_SOURCES, TrackPoint
from sync.log import MAX_ENTRY_BYTES, MAX_INTEGER

# What an entry holds besides the changes in its columns: seq, at, by, path, digests, segments,
# replaces, and the first number of each column, which is told whole.
_REST_BYTES = 6 * 1024
_COLUMNS_BYTES = MAX_ENTRY_BYTES - _REST_BYTES
_BREAKS = 512  # segments that may begin in one entry, 6 digits and a comma each

_TIME, _LAT, _LON, _ACCURACY, _DEVICE_TIME = _COLUMNS = (
    "at_ms",
    "lat_e7",
    "lon_e7",
    "accuracy_dm",
    "device_at_ms",
)
_BOUNDS: Mapping[str, tuple[int, int]] = {
    _TIME: (0, MAX_INTEGER),
    _LAT: (-900_000_000, 900_000_000),
    _LON: (-1_800_000_000, 1_800_000_000),
    _ACCURACY: (1, MAX_INTEGER),
    _DEVICE_TIME: (0, MAX_INTEGER),
}
_SHA256 = re.compile(r"([0-9a-f]{64})?\Z")

Row = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class TrackValue:
    """What an entry says of a track, without where it stands in a log."""

    source: str
    file: str
    points: tuple[TrackPoint, ...]
    segments: tuple[int, ...]
    thinned_from: int | None


# -- writing --------------------------------------------------------------------------------------


def track_values(
    source: str,
    file: str,
    points: Sequence[TrackPoint],
    segments: Sequence[int],
    thinned_from: int | None = None,
) -> list[dict[str, Any]]:
    """A track as the values of as many entries as it needs, each within the limit of S12.

    Positions are rounded to 1e-7 degrees, accuracies up to tenths of a metre. Raises ValueError
    where a point lies nowhere on Earth or a time is before 1970.
    """
    rows = [_row(p) for p in points]
    for row in rows:
        for name, number in zip(_COLUMNS, row, strict=True):
            low, high = _BOUNDS[name]
            if number is not None and not low <= number <= high:
                raise ValueError(f"{name} is {number}, beyond what can be written")
    starts = set(segments)
    values: list[dict[str, Any]] = []
    for first, end in _cuts(rows, starts):
        value: dict[str, Any] = {"source": source}
        if file:
            value["file"] = file
        if thinned_from is not None:
            value["thinned_from"] = thinned_from
        for i, name in enumerate(_COLUMNS):
            column = [row[i] for row in rows[first:end]]
            if any(number is not None for number in column):
                value[name] = _changes(column)
        value["segments"] = [i - first for i in range(first, end) if i in starts]
        values.append(value)
    return values


def _row(point: TrackPoint) -> Row:
    accuracy = None
    if point.accuracy_m is not None:
        tenths = (Decimal(point.accuracy_m) * 10).to_integral_value(ROUND_CEILING)
        accuracy = max(1, int(tenths))
    return (point.at, _e7(point.lat), _e7(point.lon), accuracy, point.device_at)


def _e7(degrees: str) -> int:
    return int(Decimal(degrees).scaleb(7).to_integral_value(ROUND_HALF_EVEN))


def _cuts(rows: Sequence[Row], starts: set[int]) -> Iterator[tuple[int, int]]:
    """Where to cut so that every entry stays within its size: (first, end) of each."""
    first = size = breaks = 0
    before: list[int | None] = [None] * len(_COLUMNS)
    for index, row in enumerate(rows):
        cost = 0
        for i, number in enumerate(row):
            base = before[i]
            if number is None:
                cost += len("null,")
                continue
            cost += len(str(number if base is None else number - base)) + 1
            before[i] = number
        begins = index in starts
        if index > first and (size + cost > _COLUMNS_BYTES or breaks + begins > _BREAKS):
            yield first, index
            first, size, breaks = index, 0, 0
        size += cost
        breaks += begins
    if rows:
        yield first, len(rows)


def _changes(column: Sequence[int | None]) -> list[int | None]:
    """The first number, then each one's change from the number before it; None stays None."""
    told: list[int | None] = []
    before = 0
    for number in column:
        told.append(None if number is None else number - before)
        before = before if number is None else number
    return told


# -- reading --------------------------------------------------------------------------------------


def read_track_value(value: Any) -> TrackValue:
    """What an entry's value says of a track; raises ValueError where it is not understood (L4)."""
    if not isinstance(value, dict):
        raise ValueError("the value is not an object")
    source, file = value.get("source"), value.get("file", "")
    if source not in TRACK_SOURCES:
        raise ValueError(f"source is not one of {', '.join(TRACK_SOURCES)}")
    if not isinstance(file, str) or not _SHA256.match(file):
        raise ValueError("file is not a digest")
    lats = _column(value, _LAT, None)
    lons = _column(value, _LON, len(lats))
    if not lats or None in lats or None in lons:
        raise ValueError("a point has no position")
    times, accuracies, device_times = (
        _column(value, name, len(lats)) for name in (_TIME, _ACCURACY, _DEVICE_TIME)
    )
    points = tuple(
        TrackPoint(
            t,
            _scaled(lat or 0, 7),
            _scaled(lon or 0, 7),
            None if a is None else _scaled(a, 1),
            d,
        )
        for t, lat, lon, a, d in zip(times, lats, lons, accuracies, device_times, strict=True)
    )
    thinned = value.get("thinned_from")
    if thinned is not None and (not _whole(thinned) or thinned < len(points)):
        raise ValueError("thinned_from is not a number of points")
    return TrackValue(source, file, points, _segments(value, len(points)), thinned)


def _column(value: Mapping[str, Any], name: str, length: int | None) -> list[int | None]:
    """One column added up again; without a `length` it must be there."""
    told = value.get(name)
    if told is None and length is not None:
        return [None] * length
    if not isinstance(told, list) or (length is not None and len(told) != length):
        raise ValueError(f"{name} is not a list with one number for each point")
    low, high = _BOUNDS[name]
    numbers: list[int | None] = []
    total = 0
    for change in told:
        if change is None:
            numbers.append(None)
            continue
        if not _whole(change):
            raise ValueError(f"{name} holds something that is not a whole number")
        total += change
        if not low <= total <= high:
            raise ValueError(f"{name} goes beyond what is possible")
        numbers.append(total)
    return numbers


def _segments(value: Mapping[str, Any], length: int) -> tuple[int, ...]:
    starts = value.get("segments")
    if not isinstance(starts, list) or not all(_whole(s) and 0 <= s < length for s in starts):
        raise ValueError("segments is not a list of points' indices")
    if any(b <= a for a, b in pairwise(starts)):
        raise ValueError("segments is not in rising order")
    return tuple(starts)


def _scaled(number: int, places: int) -> str:
    """A whole number of 10^-places as a decimal string, such as 45.3806001."""
    digits = f"{abs(number):0{places + 1}d}"
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
