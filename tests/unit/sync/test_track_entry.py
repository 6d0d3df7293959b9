"""Tracks as values of entries: rules L3, L5 and S12."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import INSPECTION, Device

from sync.inspection import TrackPoint
from sync.inspection_reader import read_inspection
from sync.log import MAX_ENTRY_BYTES
from sync.merge import merge
from sync.track_entry import read_track_value, track_values

TIMES = st.none() | st.integers(0, 2**53 - 1)


def degrees(limit: int) -> st.SearchStrategy[str]:
    return st.integers(-limit * 10**7, limit * 10**7).map(
        lambda n: f"{'-' if n < 0 else ''}{abs(n) // 10**7}.{abs(n) % 10**7:07d}"
    )


POINTS = st.builds(
    TrackPoint,
    TIMES,
    degrees(90),
    degrees(180),
    st.none() | st.integers(1, 10**6).map(lambda n: f"{n // 10}.{n % 10}"),
    TIMES,
)


@given(st.lists(POINTS, min_size=1, max_size=30), st.sets(st.integers(0, 29)))
def test_a_track_reads_back_as_it_was_written(points: list[TrackPoint], starts: set[int]) -> None:
    """L5"""
    segments = tuple(sorted(s for s in starts if s < len(points)))
    (value,) = track_values("recorded", "", points, segments)
    read = read_track_value(value)
    assert (read.points, read.segments) == (tuple(points), segments)


def test_a_long_track_is_several_entries_and_loses_no_point_and_no_break() -> None:
    """S12, L5: each entry within 64 kB, the parts in a row are the whole."""
    points = [
        TrackPoint(
            1_700_000_000_000 + i * 1000, f"{i % 89}.1234567", f"-{i % 179}.7654321", "12.5", i
        )
        for i in range(9_000)
    ]
    starts = {0, 1, 5, 2_000, *range(3_000, 9_000, 7)}
    values = track_values("imported", "a" * 64, points, sorted(starts), 20_000)
    one = Device(1)
    for n, value in enumerate(values, start=1):
        one.write(f"track/{one.id}/{n}", value)
    assert len(values) > 2
    assert all(len(line) <= MAX_ENTRY_BYTES for line in one.lines)
    tracks = read_inspection(INSPECTION, merge(one.records())).tracks
    parts = [slot.value for slot in tracks.values() if slot.value is not None]
    parts.sort(key=lambda t: t.n)
    assert [p for part in parts for p in part.points] == points
    firsts = accumulate((len(part.points) for part in parts), initial=0)
    found = {first + s for first, part in zip(firsts, parts, strict=False) for s in part.segments}
    assert found == starts
    assert {part.thinned_from for part in parts} == {20_000}


def test_an_accuracy_is_never_told_better_than_it_is() -> None:
    points = [TrackPoint(1, "1", "2", "0.01"), TrackPoint(2, "1", "2", "3.11")]
    (value,) = track_values("recorded", "", points, (0,))
    assert [p.accuracy_m for p in read_track_value(value).points] == ["0.1", "3.2"]


@pytest.mark.parametrize(
    "point", [TrackPoint(-1, "1", "2"), TrackPoint(1, "90.1", "2"), TrackPoint(1, "1", "-180.1")]
)
def test_what_no_reader_would_understand_is_not_written(point: TrackPoint) -> None:
    """L4"""
    with pytest.raises(ValueError, match="beyond"):
        track_values("recorded", "", [point], (0,))
