"""Shapes against each other: what is sure of them only shrinks with how far edges may be off."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.overlap import grown, outside_of, shared, shrunk, sketch
from sync.place import GEOD
from sync.polygon import area, area_m2, outside_m
from sync.rings import Shape

LAT, LON = 12.0, 112.0


def star(points: int, spike: float = 0.1, reach: float = 1000.0, lon: float = LON) -> Shape:
    """An outline around one place, its points in turn nearer and farther, in metres."""
    ring = []
    for n in range(points):
        away = reach * (1 - spike * (n % 2))
        x, y, _ = GEOD.fwd(lon, LAT, 360 * n / points, away)
        ring.append((f"{x:.9f}", f"{y:.9f}"))
    return area("EPSG:4326", "xy", [[*ring, ring[0]]]).shape


@settings(max_examples=20)
@given(st.integers(3, 12), st.floats(1, 300))
def test_a_grown_shape_holds_all_within_reach_and_a_shrunk_one_nothing_near_the_edge(
    points: int, metres: float
) -> None:
    shape = star(2 * points)
    more, inner = grown(shape, metres), shrunk(shape, metres)
    for n in range(0, 2 * points, 2):
        for turned in range(-60, 61, 15):  # around an outer corner, just within reach of it
            lon, lat, _ = GEOD.fwd(LON, LAT, 180 * n / points, 1000)
            lon, lat, _ = GEOD.fwd(lon, lat, 180 * n / points + turned, metres * 0.999)
            assert outside_m(more, lat, lon) == 0.0
    for lon, lat in [] if inner is None else shapely.get_coordinates(inner)[:60].tolist():
        for turned in range(0, 360, 15):
            x, y, _ = GEOD.fwd(lon, lat, turned, metres * 0.999)
            assert outside_m(shape, y, x) == 0.0


def test_an_edge_of_very_many_points_gives_way_further_and_never_less() -> None:
    many = star(24_000, spike=0.003)
    inner = shrunk(many, 5.0)
    assert inner is not None
    assert math.pi * 975**2 < area_m2(inner) < math.pi * 992**2
    assert math.pi * 1005**2 < area_m2(grown(many, 5.0)) < math.pi * 1020**2


def test_what_is_shared_and_what_lies_outside_make_the_whole() -> None:
    one, other = star(40), star(40, lon=LON + 0.01)
    both, rest = shared(one, other), outside_of(one, other)
    assert both is not None
    assert rest is not None
    assert area_m2(both) + area_m2(rest) == pytest.approx(area_m2(one), rel=1e-9)
    assert shared(one, star(40, lon=LON + 1)) is None
    assert outside_of(one, one) is None


def test_shapes_on_either_side_of_the_180th_meridian_meet() -> None:
    west, east = star(40, lon=179.995), star(40, lon=-179.995)
    both = shared(west, east)
    assert both is not None
    same = shared(star(40, lon=99.995), star(40, lon=100.005))
    assert same is not None
    assert area_m2(both) == pytest.approx(area_m2(same), rel=1e-6)


def test_a_sketch_has_few_points_and_comes_near_the_outline() -> None:
    pairs = [p.split(",") for p in sketch(star(5000, spike=0.0)).split()]
    assert 10 < len(pairs) <= 40
    assert pairs[0] == pairs[-1]
    ring = area("EPSG:4326", "yx", [pairs]).shape
    assert area_m2(ring) == pytest.approx(math.pi * 1e6, rel=0.05)
