from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from sync.place import distance_m
from sync.polygon import LIMIT_POINTS, Area, area, area_m2, outside_m
from sync.problems import Problem

# A made-up square of about 1.1 km in the middle of the South China Sea.
SQUARE = [("112.00", "12.00"), ("112.01", "12.00"), ("112.01", "12.01"), ("112.00", "12.01")]


def square(*more: list[tuple[str, str]]) -> Area:
    return area("EPSG:4326", "xy", [[*SQUARE, SQUARE[0]], *more])


def code_of(call: object, *args: object) -> str:
    with pytest.raises(Problem) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


def refusal(rings: Sequence[Sequence[Sequence[str]]], crs: str = "EPSG:32647") -> str:
    with pytest.raises(Problem) as caught:
        area(crs, "xy", rings)
    assert caught.value.code == "polygon-malformed"
    return caught.value.happened


def box(west: float, east: float, south: float, north: float) -> list[tuple[str, str]]:
    """A closed ring of four corners, in metres or degrees."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [(f"{x:.6f}", f"{y:.6f}") for x, y in corners]


def hectares(made: Area) -> float:
    return area_m2(made.shape) / 10_000


def test_a_valid_closed_ring_needs_no_note() -> None:
    made = square()
    assert made.notes == ()
    assert made.within_use
    assert made.accuracy_m == 0.0
    assert outside_m(made, 12.005, 112.005) == 0.0


def test_an_open_ring_is_closed_with_a_note() -> None:
    made = area("EPSG:4326", "xy", [SQUARE])
    assert any("not closed" in n for n in made.notes)
    assert made.shape.equals(square().shape)


def test_a_ring_that_crosses_itself_is_repaired_with_a_note_and_its_widest_reading() -> None:
    a, b, c, d = SQUARE
    made = area("EPSG:4326", "xy", [[a, c, b, d, a]])
    assert any("repaired" in n for n in made.notes)
    assert outside_m(made, 12.0099, 112.005) > 0
    assert outside_m(made.widest, 12.0099, 112.005) == 0.0


def test_a_hole_is_outside() -> None:
    hole = [("112.004", "12.004"), ("112.006", "12.004"), ("112.006", "12.006")]
    made = square([*hole, ("112.004", "12.006"), hole[0]])
    nearest = distance_m((12.005, 112.005), (12.005, 112.004))
    assert outside_m(made, 12.005, 112.005) == pytest.approx(nearest, abs=0.01)


def test_a_hole_that_leaves_its_ring_is_repaired_with_a_note() -> None:
    hole = [("112.005", "12.004"), ("112.020", "12.004"), ("112.020", "12.006")]
    made = square([*hole, ("112.005", "12.006"), hole[0]])
    assert any("repaired" in n for n in made.notes)
    assert outside_m(made, 12.005, 112.008) > 0


@pytest.mark.parametrize(
    "rings",
    [
        [],
        [[]],
        [SQUARE[:2]],
        [[SQUARE[0]] * 5],
        [[("0", "0"), ("1", "1"), ("2", "2"), ("0", "0")]],
        [[("112", "1200"), ("112.1", "1200"), ("112.1", "1201")]],
    ],
)
def test_a_shape_without_an_area_is_a_catalogue_error(rings: list[list[tuple[str, str]]]) -> None:
    assert code_of(area, "EPSG:4326", "xy", rings) == "polygon-malformed"


def test_too_many_points_are_a_catalogue_error() -> None:
    ring = [(f"{n}.5", "1") for n in range(LIMIT_POINTS + 1)]
    assert code_of(area, "EPSG:32647", "xy", [ring]) == "polygon-malformed"


def test_the_distance_to_a_corner_is_the_geodesic_one() -> None:
    assert outside_m(square(), 12.02, 112.02) == pytest.approx(
        distance_m((12.02, 112.02), (12.01, 112.01)), abs=0.01
    )


def test_a_long_edge_stays_straight_in_its_own_system() -> None:
    """An edge along a parallel follows the parallel, which is no geodesic: 80 m apart here."""
    ring = [("99", "19"), ("100", "19"), ("100", "20"), ("99", "20"), ("99", "19")]
    made = area("EPSG:4326", "xy", [ring])
    north = distance_m((20.0, 99.5), (20.001, 99.5))
    assert outside_m(made, 20.001, 99.5) == pytest.approx(north, abs=0.05)


@given(st.floats(-80, 80), st.floats(-170, 170))
def test_a_point_is_never_further_from_a_shape_than_from_its_corners(
    lat: float, lon: float
) -> None:
    made = square()
    corners = [distance_m((lat, lon), (float(y), float(x))) for x, y in SQUARE]
    assert outside_m(made, lat, lon) <= min(corners) + 1e-6


# -- what else may be given -----------------------------------------------------------------------

# UTM zone 47N near its middle: a plane hectare is one on the ground but for the scale 0.9996.
X, Y = 500_000.0, 900_000.0
UTM = 0.9996**-2


def test_heights_are_left_out_with_a_note() -> None:
    made = area("EPSG:4326", "xy", [[(*p, "120.5") for p in (*SQUARE, SQUARE[0])]])
    assert made.notes == ("heights were given and left out",)
    assert made.shape.equals(square().shape)


def test_a_ring_that_lies_apart_is_a_further_part() -> None:
    one, other = box(X, X + 1000, Y, Y + 1000), box(X + 2000, X + 2500, Y, Y + 1000)
    made = area("EPSG:32647", "xy", [one, other])
    assert made.notes == ("ring 2 lies apart and was taken as a further part",)
    assert hectares(made) == pytest.approx(150 * UTM, rel=1e-4)
    assert not made.repaired


def test_parts_holes_and_islands_may_come_in_any_order_after_the_first_ring() -> None:
    first = box(X, X + 1000, Y, Y + 1000)
    island = box(X + 450, X + 550, Y + 450, Y + 550)
    hole = box(X + 300, X + 700, Y + 300, Y + 700)
    part = box(X + 2000, X + 3000, Y, Y + 1000)
    hole_of_part = box(X + 2400, X + 2600, Y + 400, Y + 600)
    pit = box(X + 480, X + 520, Y + 480, Y + 520)
    made = area("EPSG:32647", "xy", [first, hole_of_part, island, part, pit, hole])
    assert hectares(made) == pytest.approx((100 + 100 - 16 - 4 + 1 - 0.16) * UTM, rel=1e-4)
    assert any("ring 3 lies in a hole" in n for n in made.notes)
    assert not made.repaired


def test_holes_that_overlap_are_both_holes() -> None:
    holes = box(X + 200, X + 600, Y + 200, Y + 600), box(X + 400, X + 800, Y + 200, Y + 600)
    made = area("EPSG:32647", "xy", [box(X, X + 1000, Y, Y + 1000), *holes])
    assert hectares(made) == pytest.approx((100 - 24) * UTM, rel=1e-4)


def test_more_rings_than_a_concession_has_are_refused_unless_all_are_holes() -> None:
    tiles = [
        box(X + 20 * i, X + 20 * i + 10, Y + 20 * j, Y + 20 * j + 10)
        for i in range(40)
        for j in range(30)
    ]
    assert "more than 1000 rings" in refusal(tiles)
    around = box(X - 10, X + 1000, Y - 10, Y + 1000)
    made = area("EPSG:32647", "xy", [around, *tiles])
    assert hectares(made) == pytest.approx((101 * 101 / 100 - 12) * UTM, rel=1e-4)


def test_a_hole_like_its_outline_leaves_nothing_and_is_refused() -> None:
    ring = box(X, X + 1000, Y, Y + 1000)
    assert "leave no area" in refusal([ring, ring])


def test_a_shape_across_the_180th_meridian_goes_its_short_way() -> None:
    ring = [("179.5", "-10"), ("-179.5", "-10"), ("-179.5", "-9"), ("179.5", "-9")]
    made = area("EPSG:4326", "xy", [[*ring, ring[0]], box(179.9, 180.1, -9.6, -9.4)])
    same = area("EPSG:4326", "xy", [box(99.5, 100.5, -10, -9), box(99.9, 100.1, -9.6, -9.4)])
    assert any("180th meridian" in n for n in made.notes)
    assert area_m2(made.shape) == pytest.approx(area_m2(same.shape), rel=1e-9)
    for lon in (179.8, -179.8, 180.2):
        assert outside_m(made, -9.8, lon) == 0.0
    assert outside_m(made, -9.5, 180.0) == pytest.approx(outside_m(same, -9.5, 100.0), abs=1e-3)
    assert outside_m(made, -9.5, -179.4) == pytest.approx(outside_m(same, -9.5, 100.6), abs=1e-3)


def test_a_shape_in_metres_may_cross_the_180th_meridian_too() -> None:
    # UTM zone 60N ends at 180 degrees; 834 km east lies there on the equator.
    made = area("EPSG:32660", "xy", [box(830_000, 840_000, 10_000, 20_000)])
    assert area_m2(made.shape) == pytest.approx(1e8, rel=0.01)
    assert outside_m(made, 0.13, 179.99) == outside_m(made, 0.13, -179.99) == 0.0


def test_a_ring_around_a_pole_and_longitudes_beyond_a_turn_are_refused() -> None:
    around = [(f"{lon}", "-80") for lon in (-120, 0, 120)]
    assert "around a pole" in refusal([around], "EPSG:4326")
    assert "lie nowhere" in refusal(
        [[("594664", "20"), ("594665", "20"), ("594665", "21")]], "EPSG:4326"
    )


@pytest.mark.parametrize("ring", [[], [("1", "2")], [("1", "2"), ("1", "2"), ("3", "4")]])
def test_empty_rings_are_refused_with_a_reason(ring: list[tuple[str, str]]) -> None:
    assert "fewer than three" in refusal([ring])
    assert "fewer than three" in refusal([box(X, X + 1, Y, Y + 1), ring])


def test_decimal_commas_are_named() -> None:
    with pytest.raises(Problem) as caught:
        area("EPSG:32647", "xy", [[("594664,869", "2211381,19"), ("1", "2"), ("3", "4")]])
    assert caught.value.code == "place-malformed"
    assert "with a point and without commas" in caught.value.happened


def star(n: int, seed: int = 7) -> list[tuple[str, str]]:
    """A wavy outline of n points around one place, some 10 km wide."""
    rng = random.Random(seed)
    found = []
    for i in range(n):
        turn, reach = 2 * math.pi * i / n, 5000 + 40 * rng.random()
        found.append((f"{X + reach * math.cos(turn):.3f}", f"{Y + reach * math.sin(turn):.3f}"))
    return [*found, found[0]]


def test_a_hundred_thousand_points_are_read_and_measured() -> None:
    ring = star(LIMIT_POINTS - 1)
    made = area("EPSG:32647", "xy", [ring])
    flat = Polygon([(float(x), float(y)) for x, y in ring])
    assert made.notes == ()
    assert area_m2(made.shape) == pytest.approx(flat.area * UTM, rel=1e-4)
    middle_lat, middle_lon = 8.1411, 99.0
    assert outside_m(made, middle_lat, middle_lon) == 0.0
    assert outside_m(made, middle_lat, middle_lon + 0.1) == pytest.approx(6000, abs=60)


def test_a_crossing_among_many_points_is_repaired() -> None:
    ring = star(20_000)
    ring[1000], ring[1400] = ring[1400], ring[1000]
    made = area("EPSG:32647", "xy", [ring])
    assert made.repaired
    assert made.shape.is_valid
    assert "ring 1 was not valid (self-intersection) and was repaired" in made.notes[0]


def test_a_tangle_is_refused_before_it_is_worked_out() -> None:
    rng = random.Random(3)
    muddle = [
        (f"{X + rng.random() * 1e4:.2f}", f"{Y + rng.random() * 1e4:.2f}") for _ in range(20_000)
    ]
    assert "run across each other" in refusal([muddle])
    # Two combs, each a valid ring, whose teeth cross each other everywhere.
    teeth = [(n, 0.0 if n % 4 in (0, 3) else 9000.0) for n in range(8000)]
    comb = [(f"{X + a:.1f}", f"{Y + b:.1f}") for a, b in (*teeth, (8000, -5), (0, -5))]
    across = [(f"{X + b:.1f}", f"{Y + a:.1f}") for a, b in (*teeth, (8000, -5), (0, -5))]
    assert area("EPSG:32647", "xy", [comb]).shape.is_valid
    assert "run across each other" in refusal([comb, across])


def test_a_ring_that_crosses_itself_all_along_is_refused() -> None:
    ring = star(20_000)
    for k in range(0, 19_900, 50):
        ring[k + 1], ring[k + 41] = ring[k + 41], ring[k + 1]
    assert "cross each other more than 10000 times" in refusal([ring])


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=12),
    st.booleans(),
)
def test_whatever_the_ring_the_shape_is_valid_or_refused(
    corners: list[tuple[int, int]], close: bool
) -> None:
    """An invalid ring never passes silently: a repair has its note, and the hull holds it all."""
    ring = [(f"{X + 100 * x}", f"{Y + 100 * y}") for x, y in corners]
    given_shape = Polygon([(float(x), float(y)) for x, y in ring])
    try:
        made = area("EPSG:32647", "xy", [[*ring, ring[0]] if close else ring])
    except Problem as exc:
        assert exc.code == "polygon-malformed"
        assert not given_shape.is_valid
        return
    assert made.shape.is_valid
    assert made.repaired == (not given_shape.is_valid)
    assert made.repaired == any("repaired" in n for n in made.notes)
    assert made.widest.buffer(1e-7).covers(made.shape)


# -- real outlines --------------------------------------------------------------------------------

# Rows that are "reported", have a figure, and differ from it by more than 5 %, with the reason.
EXCEPTIONS = {
    "M2346.B1": "its note gives 0.19 km2 (47 acres) for the permit, and the outline that goes with "
    "it is simple and valid and encloses 33 acres: figure and outline are not of one extent"
}


def real_outlines(shared: Path) -> Iterator[tuple[str, Area]]:
    file = shared / "data/mining/gem_coal_mine_boundaries_CN_US.geojson"
    for feature in json.loads(file.read_text())["features"]:
        if feature["geometry"]["type"] == "Polygon":
            rings = [
                [[f"{number:.12f}" for number in point] for point in ring]
                for ring in feature["geometry"]["coordinates"]
            ]
            yield feature["properties"]["id"], area("EPSG:4326", "xy", rings)


def test_real_outlines_have_the_area_that_is_reported_and_bad_ones_are_repaired(
    shared: Path,
) -> None:
    """Global Energy Monitor, coal mine boundaries of China and the United States (CC BY 4.0)."""
    with (shared / "data/mining/gem_areas_CN_US.csv").open(newline="") as table:
        rows = {row["id"]: row for row in csv.DictReader(table)}
    seen, compared, off = set(), 0, {}
    for id_, made in real_outlines(shared):
        row = rows[id_]
        seen.add(id_)
        km2 = area_m2(made.shape) / 1e6
        assert made.shape.is_valid
        assert made.repaired == (row["valid"] == "False")
        assert bool(made.notes) == made.repaired
        if not made.repaired:
            # Reckoned by others along geodesics; an edge of 10 km along a parallel is 2 m off them.
            assert km2 == pytest.approx(float(row["geodesic_km2"]), rel=5e-4, abs=6e-5), id_
        figures = [float(n.replace(",", "")) for n in row["note_km2"].split("|") if n]
        figures += [float(n.replace(",", "")) / 100 for n in row["note_ha"].split("|") if n]
        if figures and row["precision"] == "reported":
            compared += 1
            worst = max(abs(km2 - figure) / figure for figure in figures)
            if worst > 0.05:
                off[id_] = worst
    assert seen == set(rows)
    assert compared == 4
    assert set(off) == set(EXCEPTIONS)
