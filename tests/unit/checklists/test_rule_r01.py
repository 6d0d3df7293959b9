from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from discrepancy_cases import at, case, declared, flags, needs, only, ring, shape
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import Point
from checklists.discrepancies.places import R01, Limits, grade

LIMITS = Limits(Decimal(50), Decimal(1000), Decimal(100))
NO_COUNTRY = "XX"  # so that R04 has nothing to read again


def east_of(metres: float, accuracy: str | None = "6") -> Point:
    # The grid's scale here is 0.99972, so grid metres are a quarter per mille off.
    return at(402000 + metres, 901000, accuracy)


def test_a_point_well_outside_is_major_and_named_with_distance_and_accuracies() -> None:
    flag = only(R01, case(country=NO_COUNTRY, points=(east_of(412),)))
    assert flag.severity == "major"
    assert flag.subject == "operations"
    assert "412 m outside" in flag.explanation
    assert "position ±6 m" in flag.explanation
    assert flag.inputs["outside"][0]["accuracy_m"] == "6.0"
    assert flag.inputs["datum_accuracy_m"] == "0.0"
    assert flag.innocent_causes
    assert flag.would_settle


def test_more_than_a_kilometre_beyond_all_accuracies_is_critical() -> None:
    assert only(R01, case(country=NO_COUNTRY, points=(east_of(1010),))).severity == "critical"
    assert only(R01, case(country=NO_COUNTRY, points=(east_of(1003),))).severity == "major"


def test_a_position_that_only_an_imported_picture_gives_is_major_at_most() -> None:
    """ADR 4: an auditor's wrong card must not cost a mine its grade."""
    far = east_of(5_000)
    pictured = replace(far, source="imported", evidence="a" * 64)
    alone = only(R01, case(country=NO_COUNTRY, points=(pictured,)))
    assert alone.severity == "major"
    assert "the imported picture itself gives" in alone.explanation
    both = only(R01, case(country=NO_COUNTRY, points=(pictured, far)))
    assert both.severity == "critical"


def test_a_point_within_the_margin_raises_nothing() -> None:
    assert flags(R01, case(points=(east_of(49),))) == []
    assert flags(R01, case(points=(at(401000, 901000),))) == []


def test_what_the_accuracies_may_explain_is_a_query() -> None:
    assert only(R01, case(points=(east_of(55),))).severity == "query"
    assert only(R01, case(country=NO_COUNTRY, points=(east_of(58),))).severity == "major"
    flag = only(R01, case(points=(east_of(400, "380"),)))
    assert flag.severity == "query"
    assert "may explain" in flag.explanation


def test_an_accuracy_that_was_not_recorded_is_assumed_and_said() -> None:
    flag = only(R01, case(points=(east_of(140, None),)))
    assert flag.severity == "query"
    assert "assumed" in flag.explanation
    assert flag.inputs["outside"][0]["accuracy"] == "assumed"
    assert only(R01, case(country=NO_COUNTRY, points=(east_of(160, None),))).severity == "major"


def test_an_unknown_datum_accuracy_makes_a_query_however_far_the_point_is() -> None:
    # Indian 1954 has no published operation in the north of Myanmar.
    boundary = shape("EPSG:23947", "xy", ring(300000, 302000, 2800000, 2802000))
    far = at(340000, 2801000, crs="EPSG:32647")
    declaration = declared(boundary=boundary, location=None)
    flag = only(R01, case(country="MM", declaration=declaration, points=(far,)))
    assert flag.severity == "query"
    assert flag.inputs["datum_accuracy_m"] == "unknown"
    assert "not known" in flag.explanation
    assert "not corrected" in flag.explanation


def test_a_datum_accuracy_is_taken_off_before_anything_is_charged() -> None:
    # Kertau 1968 to WGS 84 is stated to 15 m.
    kertau = ring(500000, 502000, 400000, 402000)
    inside = declared(boundary=shape("EPSG:3168", "xy", kertau), location=None)
    near = at(502060, 401000, crs="EPSG:3168")
    far = at(502080, 401000, crs="EPSG:3168")
    assert only(R01, case(country=NO_COUNTRY, declaration=inside, points=(near,))).severity == (
        "query"
    )
    assert only(R01, case(country=NO_COUNTRY, declaration=inside, points=(far,))).severity == (
        "major"
    )


def test_one_flag_lists_every_outside_point_and_names_the_worst() -> None:
    points = (at(401000, 901000), east_of(55), east_of(1500), east_of(300))
    flag = only(R01, case(country=NO_COUNTRY, points=points))
    assert flag.severity == "critical"
    assert [p["severity"] for p in flag.inputs["outside"]] == ["critical", "major", "query"]
    assert flag.inputs["positions"] == 4
    assert "3 of 4 positions" in flag.explanation


def test_a_repaired_boundary_is_said_and_its_widest_reading_counts() -> None:
    a, b, c, d, _ = ring()
    bowtie = declared(boundary=shape("EPSG:32647", "xy", [a, c, b, d, a]), location=None)
    top = at(401000, 901900)  # outside the repaired shape, inside what the points may mean
    flag = only(R01, case(country=NO_COUNTRY, declaration=bowtie, points=(top,)))
    assert flag.severity == "query"
    assert Decimal(flag.inputs["outside"][0]["outside_m"]) > 500
    assert "repaired" in flag.explanation
    away = case(country=NO_COUNTRY, declaration=bowtie, points=(east_of(400),))
    assert only(R01, away).severity == "major"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"declaration": None}, "declaration"),
        ({"declaration": declared(boundary=None)}, "boundary"),
        ({"points": ()}, "position"),
        ({"declaration": declared(boundary=shape("EPSG:99999", "xy", ring()))}, "EPSG:99999"),
        (
            {"declaration": declared(boundary=shape("EPSG:4326", "xy", ring()[:2]))},
            "three different points",
        ),
    ],
)
def test_a_missing_input_is_said(changes: dict[str, object], word: str) -> None:
    assert flags(R01, case(**changes)) == []
    (need,) = needs(R01, case(**changes))
    assert word in need


tenths = st.integers(0, 50_000).map(lambda n: Decimal(n) / 10)
ORDER = {None: 0, "query": 1, "major": 2, "critical": 3}


@given(tenths, tenths, tenths, tenths, tenths, st.booleans())
def test_growing_uncertainty_never_raises_the_severity(
    distance: Decimal, a: Decimal, c: Decimal, more_a: Decimal, more_c: Decimal, lost: bool
) -> None:
    before = grade(distance, distance, a, c, LIMITS)
    after = grade(distance, distance, a + more_a, None if lost else c + more_c, LIMITS)
    assert ORDER[after] <= ORDER[before]


@given(tenths, tenths, tenths, tenths)
def test_a_point_nearer_by_is_never_judged_more_severely(
    distance: Decimal, nearer: Decimal, a: Decimal, c: Decimal
) -> None:
    close = max(Decimal(0), distance - nearer)
    assert (
        ORDER[grade(close, close, a, c, LIMITS)] <= ORDER[grade(distance, distance, a, c, LIMITS)]
    )
