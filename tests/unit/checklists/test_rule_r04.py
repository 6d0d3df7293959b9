from __future__ import annotations

from decimal import Decimal

import pytest
from discrepancy_cases import at, case, declared, flags, needs, only, ring, shape
from pyproj import CRS

from checklists.discrepancies.case import Case
from checklists.discrepancies.places import R01, R04
from checklists.discrepancies.reread import Visited, search
from checklists.discrepancies.systems import OFFICIAL

# V13: peninsular Malaysia, numbers that are really in GDM2000 and are declared in Kertau,
# 194 m away.
X, Y = 598300.912, 440096.567
SMALL = ring(X - 60, X + 60, Y - 60, Y + 60)


def location(crs: str, axes: str, first: str, second: str) -> dict[str, object]:
    return {"crs": crs, "axes": axes, "source": "made-up licence map", "point": [first, second]}


def misread(**changes: object) -> Case:
    declaration = declared(
        boundary=shape("EPSG:3168", "xy", SMALL),
        location=location("EPSG:3168", "xy", str(X), str(Y)),
    )
    visited = at(X, Y, crs="EPSG:3375")
    return case(**{"country": "MY", "declaration": declaration, "points": (visited,), **changes})


def best(of: Case) -> tuple[str, str]:
    first = only(R04, of).inputs["candidates"][0]
    return first["crs"], first["axes"]


def test_an_old_datum_is_a_question_and_turns_r01_into_one() -> None:
    flag = only(R04, misread())
    assert flag.severity == "query"
    assert best(misread()) == ("EPSG:3375", "xy")
    assert "GDM2000 / Peninsula RSO" in flag.explanation
    r01 = only(R01, misread())
    assert r01.severity == "query"
    assert "R04" in r01.explanation
    assert r01.inputs["severity_as_declared"] == "major"


def test_without_a_fitting_system_r01_stands_and_r04_is_silent() -> None:
    elsewhere = at(X + 5000, Y, crs="EPSG:3375")
    assert flags(R04, misread(points=(elsewhere,))) == []
    assert only(R01, misread(points=(elsewhere,))).severity == "critical"


def test_every_visited_point_must_fit_or_nothing_is_pardoned() -> None:
    points = (at(X, Y, crs="EPSG:3375"), at(X + 5000, Y, crs="EPSG:3375"))
    assert flags(R04, misread(points=points)) == []
    assert only(R01, misread(points=points)).severity == "critical"


def test_only_systems_official_in_the_country_count() -> None:
    # Read in the grid of Malaysia these numbers fit the visit; in Thailand nobody uses that grid.
    declaration = declared(boundary=shape("EPSG:32647", "xy", SMALL), location=None)
    there = misread(declaration=declaration)
    assert best(there) == ("EPSG:3375", "xy")
    abroad = misread(declaration=declaration, country="TH")
    assert flags(R04, abroad) == []
    assert only(R01, abroad).severity == "critical"


def test_a_neighbouring_zone_is_found() -> None:
    boundary = shape("EPSG:32647", "xy", ring(335000, 336000, 2478000, 2479000))
    declaration = declared(boundary=boundary, location=None)
    points = (at(335500, 2478500, crs="EPSG:32648"),)
    found = case(country="VN", declaration=declaration, points=points)
    assert only(R01, found).severity == "query"
    assert ("EPSG:32648", "xy") in [
        (c["crs"], c["axes"]) for c in only(R04, found).inputs["candidates"]
    ]


def test_swapped_axes_are_found_and_come_first() -> None:
    swapped = [[y, x] for x, y in SMALL]
    declaration = declared(
        boundary=shape("EPSG:3375", "xy", swapped),
        location=location("EPSG:3375", "xy", str(Y), str(X)),
    )
    assert best(misread(declaration=declaration)) == ("EPSG:3375", "yx")


def test_swapped_degrees_that_are_nowhere_on_earth_are_asked_about() -> None:
    degrees = [["20.00", "99.90"], ["20.01", "99.90"], ["20.01", "99.91"], ["20.00", "99.91"]]
    declaration = declared(boundary=shape("EPSG:4326", "xy", [*degrees, degrees[0]]), location=None)
    visited = at(594700, 2212000, crs="EPSG:32647")
    found = case(country="TH", declaration=declaration, points=(visited,))
    assert best(found) == ("EPSG:4326", "yx")
    assert "nowhere on the map" in only(R04, found).explanation
    assert flags(R01, found) == []
    assert "placed on the map" in needs(R01, found)[0]


def test_a_location_that_does_not_fit_the_new_reading_forbids_it() -> None:
    # The location is given in another system, rightly, and contradicts the new reading.
    lon_lat = location("EPSG:4326", "xy", "103.50", "3.98")
    declaration = declared(boundary=shape("EPSG:3168", "xy", SMALL), location=lon_lat)
    assert flags(R04, misread(declaration=declaration)) == []
    agreeing = location("EPSG:4326", "xy", "103.38", "3.98")
    declaration = declared(boundary=shape("EPSG:3168", "xy", SMALL), location=agreeing)
    assert best(misread(declaration=declaration)) == ("EPSG:3375", "xy")


def test_of_readings_that_fit_alike_the_present_datum_comes_before_older_ones() -> None:
    wide = ring(X - 2000, X + 2000, Y - 2000, Y + 2000)
    declaration = declared(
        boundary=shape("EPSG:32647", "xy", wide),
        location=location("EPSG:32647", "xy", str(X), str(Y)),
    )
    listed = only(R04, misread(declaration=declaration)).inputs["candidates"]
    assert [(c["crs"], c["datum"]) for c in listed] == [
        ("EPSG:3375", "present"),
        ("EPSG:3168", "older"),
    ]
    assert [c["furthest_outside_m"] for c in listed] == ["0.0", "0.0"]
    assert {c["declared_points_that_fit"] for c in listed} == {"6 of 6"}


def test_a_closer_reading_comes_before_a_younger_one() -> None:
    # 80 m west of the box in the present grid, and within it in the old one.
    declaration = declared(boundary=shape("EPSG:32647", "xy", SMALL), location=None)
    old = at(X + 10, Y, "100", crs="EPSG:3168")
    listed = only(R04, misread(declaration=declaration, points=(old,))).inputs["candidates"]
    assert [c["crs"] for c in listed] == ["EPSG:3168", "EPSG:3375"]
    assert Decimal(listed[1]["furthest_outside_m"]) > 0


def test_a_reading_that_fits_only_a_part_of_the_points_is_no_candidate() -> None:
    declaration = declared(
        boundary=shape("EPSG:32647", "xy", ring(X - 2000, X + 2000, Y - 2000, Y + 2000)),
        location=location("EPSG:32647", "xy", str(X + 9000), str(Y)),
    )
    found = misread(declaration=declaration)
    assert declaration.boundary is not None
    visited = (Visited(found.points[0].fix, Decimal(6)),)
    asked = search(declaration.boundary, declaration.location, "MY", visited, Decimal(50))
    assert asked.candidates == ()
    assert [(c.system.crs, c.fit, c.points) for c in asked.nearly] == [
        ("EPSG:3375", 5, 6),
        ("EPSG:3168", 5, 6),
    ]
    assert only(R01, found).severity == "critical"


def test_a_mere_query_of_r01_is_not_read_again() -> None:
    vague = at(X, Y, accuracy="500", crs="EPSG:3375")
    assert only(R01, misread(points=(vague,))).severity == "query"
    assert flags(R04, misread(points=(vague,))) == []


def test_inside_nothing_is_asked() -> None:
    assert R04.find(case()) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"declaration": None}, "declaration"),
        ({"points": ()}, "position"),
        ({"country": "XX"}, "XX"),
    ],
)
def test_a_missing_input_is_said(changes: dict[str, object], word: str) -> None:
    (need,) = needs(R04, misread(**changes))
    assert word in need


def test_the_listed_systems_carry_the_registry_s_names_and_touch_the_country() -> None:
    """Domain brief, section 4, and the registry that comes with pyproj."""
    inside = {
        "BN": (114.6, 4.5),
        "ID": (107, -6.9),
        "KH": (105, 12.5),
        "LA": (102.6, 18.5),
        "MM": (97, 21),
        "MY": (102, 4),
        "PH": (121, 15),
        "SG": (103.8, 1.35),
        "TH": (100, 16),
        "VN": (105.8, 21),
    }
    assert set(OFFICIAL) == set(inside)
    for code, country in OFFICIAL.items():
        systems = country.systems
        assert len({s.crs for s in systems}) == len(systems), code
        lon, lat = inside[code]
        touching = 0
        for system in systems:
            crs = CRS.from_user_input(system.crs)
            assert crs.name == system.name
            assert not crs.is_deprecated
            use = crs.area_of_use
            touching += use.west <= lon <= use.east and use.south <= lat <= use.north
        assert touching >= 3, code
