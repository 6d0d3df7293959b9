"""A track's length, gaps and accuracy; and a position from it by time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.inspection import Fix, Track, TrackPoint, Written
from sync.place import distance_m
from sync.track import LONGEST_PAUSE_MS, Way, length_m, summarise, ways, with_gaps
from sync.track_match import UNKNOWN_M, WALK_M_PER_S, NoPlace, place, timeline

WRITTEN = Written("d", 1, "h", 0, "p")


def point(
    at: int | None, lat: float = 1.5, lon: float = 103.0, acc: str | None = "5"
) -> TrackPoint:
    return TrackPoint(at, f"{lat:.9f}", f"{lon:.9f}", acc)


def walk(*times: int | None) -> list[TrackPoint]:
    """A step of about 1.1 m to the north for each second."""
    return [point(t, 1.5 + (t or 0) * 1e-8) for t in times]


def at(fix: Fix | NoPlace) -> Fix:
    assert isinstance(fix, Fix)
    return fix


# -- gaps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "starts"),
    [
        ([0, 1000, 2000, 62_000, 63_000], (0,)),  # a minute to the dot is none
        ([0, 1000, 2000, 62_001, 63_000], (0, 3)),
        ([0, 30_000, 60_000, 360_000, 390_000], (0,)),  # ten of its usual intervals
        ([0, 30_000, 60_000, 360_001, 390_000], (0, 3)),
        ([0, 600_000, 1_200_000, 1_800_000], (0,)),
        ([0, 600_001, 1_200_002, 1_800_003], (0, 1, 2, 3)),  # never more than ten minutes
        ([0, 1000, 500, 1500], (0, 2)),  # time runs backwards
        ([0, None, None, 90_000], (0, 3)),
        ([None, None, None], (0,)),
        ([], ()),
    ],
)
def test_where_a_track_is_broken(times: list[int | None], starts: tuple[int, ...]) -> None:
    assert with_gaps(walk(*times), ()).starts == starts


def test_length_is_geodesic_and_leaves_gaps_out() -> None:
    points = [point(0, 0, 0), point(1000, 0, 1), point(2000, 1, 1), point(3000, 1, 2)]
    # One degree along the equator and along a meridian, on WGS 84.
    assert length_m(points[:2]) == pytest.approx(111_319.491, abs=0.001)
    assert length_m(points[1:3]) == pytest.approx(110_574.389, abs=0.001)
    shown = summarise(with_gaps(points, (0, 2)))
    assert shown.length_m == pytest.approx(length_m(points[:2]) + length_m(points[2:]))
    (gap,) = shown.gaps
    assert (gap.start, gap.end, gap.duration_ms) == (1000, 2000, 1000)
    assert gap.across_m == pytest.approx(110_574.389, abs=0.001)


def test_accuracy_is_told_where_it_is_known_only() -> None:
    points = [point(0, acc="3"), point(1, acc=None), point(2, acc="9"), point(3, acc="4")]
    shown = summarise(with_gaps(points, ()))
    assert (shown.median_accuracy_m, shown.worst_accuracy_m, shown.without_accuracy) == (4, 9, 1)
    unknown = summarise(with_gaps([point(0, acc=None)], ()))
    assert (unknown.median_accuracy_m, unknown.worst_accuracy_m) == (None, None)


def test_parts_of_a_track_are_put_together_and_a_missing_part_is_a_gap() -> None:
    """L5: a part goes on from the one before it where no segment begins with it."""

    def part(n: int, starts: tuple[int, ...], device: str = "d") -> Track:
        points = tuple(walk(n * 2000, n * 2000 + 1000))
        return Track(device, n, "imported", "a" * 64, points, starts, None, WRITTEN)

    found = ways([part(10, ()), part(1, (0,)), part(2, ()), part(4, ()), part(5, (0,))])
    assert found["d", "a" * 64].starts == (0, 4, 6, 8)
    assert set(ways([part(1, (0,)), part(1, (0,), "e")])) == {("d", "a" * 64), ("e", "a" * 64)}


# -- a position by time ---------------------------------------------------------------------------


def test_between_two_points_the_way_is_straight_and_less_sure_in_the_middle() -> None:
    line = timeline([with_gaps([point(0, acc="5"), point(40_000, 1.501, acc="8")], ())])
    found = at(place(line, 10_000))
    assert (found.lat, found.source, found.at) == ("1.5002500", "track", 10_000)
    speed = distance_m((1.5, 103), (1.501, 103)) / 40
    assert float(found.accuracy_m or 0) == pytest.approx(8 + 10 * speed, abs=0.06)
    assert float(at(place(line, 20_000)).accuracy_m or 0) > float(found.accuracy_m or 0)


def test_one_who_stands_may_have_walked_meanwhile() -> None:
    line = timeline([with_gaps([point(0), point(40_000)], ())])
    assert at(place(line, 20_000)).accuracy_m == f"{5 + 20 * WALK_M_PER_S:.1f}"


def test_a_clock_that_may_be_wrong_makes_the_position_less_sure() -> None:
    line = timeline([with_gaps([point(0), point(40_000)], ())])
    assert at(place(line, 0, 4000)).accuracy_m == f"{5 + 4 * WALK_M_PER_S:.1f}"


def test_an_accuracy_that_is_not_known_is_not_taken_for_a_good_one() -> None:
    line = timeline([with_gaps([point(0, acc=None), point(1000)], ())])
    assert float(at(place(line, 500)).accuracy_m or 0) > UNKNOWN_M


def test_outside_and_in_gaps_there_is_no_position() -> None:
    line = timeline([with_gaps(walk(10_000, 11_000, 111_000, 112_000), ())])
    assert place(line, 9_000) == NoPlace("before", 1_000)
    assert place(line, 112_001) == NoPlace("after", 1)
    assert place(line, 31_000) == NoPlace("gap", 20_000)
    assert at(place(line, 111_000)).at == 111_000
    assert place(timeline([with_gaps(walk(None, None), ())]), 5) == NoPlace("empty")


def test_of_two_tracks_the_more_accurate_is_asked() -> None:
    fine, coarse = (with_gaps([point(0, acc=a), point(1000, acc=a)], ()) for a in ("3", "30"))
    assert float(at(place(timeline([coarse, fine]), 500)).accuracy_m or 0) < 5


def test_a_way_over_the_180th_meridian_stays_there() -> None:
    line = timeline([with_gaps([point(0, 0, 179.999), point(1000, 0, -179.999)], ())])
    assert abs(float(at(place(line, 500)).lon)) == pytest.approx(180)


STEPS = st.lists(
    st.tuples(
        st.integers(1, 40_000),
        st.floats(-1e-3, 1e-3, allow_nan=False),
        st.integers(1, 50).map(str),
    ),
    min_size=1,
    max_size=20,
)


@st.composite
def made(draw: st.DrawFn) -> Way:
    time, lat, points = 0, 1.5, [point(0)]
    for step, north, accuracy in draw(STEPS):
        time, lat = time + step, lat + north
        points.append(point(time, lat, acc=accuracy))
    return with_gaps(points, draw(st.sets(st.integers(0, len(points) - 1), max_size=3)))


@given(made())
def test_at_a_points_own_time_the_position_is_that_point(way: Way) -> None:
    line = timeline([way])
    for one in way.points:
        found = at(place(line, one.at or 0))
        assert distance_m(found, (float(one.lat), float(one.lon))) < 0.02
        assert float(found.accuracy_m or 0) >= float(one.accuracy_m or 0) - 0.05


@given(made(), st.integers(0, 10**6))
def test_a_position_lies_between_its_neighbours_or_there_is_a_gap(way: Way, when: int) -> None:
    found = place(timeline([way]), when)
    legs = [(a, b) for segment in way.segments for a, b in pairwise(segment)]
    around = [(a, b) for a, b in legs if (a.at or 0) <= when <= (b.at or 0)]
    alone = any(p.at == when for p in way.points)
    assert isinstance(found, Fix) is bool(around or alone)
    assume(around)
    a, b = around[0]
    low, high = sorted((float(a.lat), float(b.lat)))
    assert low - 1e-6 <= float(at(found).lat) <= high + 1e-6


@given(made(), st.integers(0, 10**6), st.integers(0, 10**9))
def test_moving_all_times_alike_moves_nothing_else(way: Way, when: int, later: int) -> None:
    moved = Way(tuple(replace(p, at=(p.at or 0) + later) for p in way.points), way.starts)
    before, after = place(timeline([way]), when), place(timeline([moved]), when + later)
    if isinstance(before, Fix):
        assert after == replace(before, at=when + later)
    else:
        assert after == before


@given(made(), st.integers(0, 10**6), st.integers(0, 60_000))
def test_a_worse_clock_never_makes_a_position_better(way: Way, when: int, worse: int) -> None:
    line = timeline([way])
    sure, unsure = place(line, when), place(line, when, worse)
    if isinstance(sure, Fix) and isinstance(unsure, Fix):
        assert float(unsure.accuracy_m or 0) >= float(sure.accuracy_m or 0)
    else:
        assert sure == unsure


def test_no_pause_that_a_track_bridges_is_over_ten_minutes() -> None:
    assert with_gaps(walk(0, LONGEST_PAUSE_MS + 1), ()).starts == (0, 1)
