"""The map of a visit: every position stands where it is, or at the edge with its distance."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon

from server.pages.site_map import HEIGHT, WIDTH, Drawn, Mark, SiteMap, draw
from sync.place import distance_m

BOUNDARY = Polygon([(99.87, 20.44), (99.89, 20.44), (99.89, 20.46), (99.87, 20.46)])

places = st.tuples(st.floats(20.3, 20.6), st.floats(99.7, 100.1))


def mark(lat: float, lon: float, number: int | None = 1, accuracy: float | None = 5.0) -> Mark:
    return Mark("photo", "photo", lat, lon, accuracy, number)


def drawn(marks: list[Mark]) -> SiteMap:
    found = draw(BOUNDARY, marks)
    assert found is not None
    return found


def apart(a: Drawn, b: Drawn) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


@given(st.lists(places, min_size=1, max_size=30))
def test_every_position_is_in_the_frame_or_says_how_far_away_it_is(
    spots: list[tuple[float, float]],
) -> None:
    site = drawn([mark(lat, lon, n) for n, (lat, lon) in enumerate(spots, 1)])
    assert len(site.marks) == len(spots)
    for one in site.marks:
        assert 0 <= one.x <= WIDTH and 0 <= one.y <= HEIGHT
        if one.away_m is not None:
            away = distance_m((20.45, 99.88), (one.mark.lat, one.mark.lon))
            assert one.away_m == pytest.approx(away, rel=0.01)


@given(st.lists(places, min_size=1, max_size=30))
def test_no_number_is_written_over_another(spots: list[tuple[float, float]]) -> None:
    site = drawn([mark(lat, lon, n) for n, (lat, lon) in enumerate(spots, 1)])
    labels = [(d.label, len(str(d.mark.number))) for d in site.marks if d.label is not None]
    for n, ((x, y), length) in enumerate(labels):
        for (other_x, other_y), other_length in labels[n + 1 :]:
            beside = x + 10 * length <= other_x or other_x + 10 * other_length <= x
            assert beside or abs(y - other_y) >= 12


def test_north_is_up_and_the_scale_bar_is_true() -> None:
    south, north, east = mark(20.445, 99.88), mark(20.455, 99.88), mark(20.445, 99.885)
    site = drawn([south, north, east])
    a, b, c = site.marks
    assert b.y < a.y and b.x == pytest.approx(a.x, abs=0.2)
    assert c.x > a.x and c.y == pytest.approx(a.y, abs=0.2)
    a_metre = site.bar / site.bar_m
    assert apart(a, b) == pytest.approx(
        distance_m((20.445, 99.88), (20.455, 99.88)) * a_metre, 0.01
    )
    assert apart(a, c) == pytest.approx(
        distance_m((20.445, 99.88), (20.445, 99.885)) * a_metre, 0.01
    )


def test_an_accuracy_circle_is_drawn_to_scale_and_an_unknown_one_is_doubt() -> None:
    site = drawn([mark(20.45, 99.88, accuracy=100.0), mark(20.45, 99.881, accuracy=None)])
    assert site.marks[0].radius == pytest.approx(100 * site.bar / site.bar_m, abs=0.1)
    assert site.marks[1].radius is None and site.doubtful
    assert not drawn([mark(20.45, 99.88)]).doubtful


def test_one_far_position_does_not_shrink_the_boundary() -> None:
    near = drawn([mark(20.45, 99.88)])
    far = drawn([mark(20.45, 99.88), mark(21.0, 101.0, 2)])
    assert far.boundary == near.boundary
    assert [d.mark.number for d in far.far] == [2]


def test_nothing_to_draw_gives_no_map_and_a_lone_position_gives_one() -> None:
    assert draw(None, []) is None
    site = draw(None, [mark(0.0, 0.0)])
    assert site is not None and site.boundary == ""
    assert (site.marks[0].x, site.marks[0].y) == (WIDTH / 2, HEIGHT / 2)


def test_a_position_at_the_pole_or_across_the_date_line_breaks_nothing() -> None:
    assert drawn([mark(90.0, 180.0), mark(-90.0, -180.0, 2)])
    lone = draw(None, [mark(89.999, 10.0), mark(90.0, -170.0, 2)])
    assert lone is not None


def test_a_track_is_one_line_for_each_segment_and_its_gaps_are_left_open() -> None:
    lines = [[(20.45, 99.88), (20.451, 99.88)], [(20.453, 99.881)]]
    site = draw(BOUNDARY, [], lines)
    assert site is not None
    first, second = site.way.split("M")[1:]
    assert first.count("L") == 1
    assert second.endswith("h0")  # a single point, which the line's round ends show
    assert draw(None, [], lines) is not None


def test_a_long_track_is_drawn_with_no_more_points_than_can_be_told_apart() -> None:
    steps = [(20.44 + n * 1e-6, 99.88) for n in range(20_000)]
    site = draw(BOUNDARY, [], [steps])
    assert site is not None
    assert site.way.count("L") < 2 * HEIGHT
    assert site.boundary == drawn([mark(20.45, 99.88)]).boundary
