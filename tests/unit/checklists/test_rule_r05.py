"""R05: the declared square of 2 km against neighbours in the east, and against itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from discrepancy_cases import (
    EAST,
    SOUTH,
    WEST,
    case,
    declared,
    flags,
    needs,
    only,
    outline,
    ring,
    shape,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.discrepancies.boundaries import R05
from checklists.discrepancies.case import FLAG_SEVERITIES, Case
from checklists.discrepancies.ground import Outline


def overlapping(metres: float, **changes: object) -> Case:
    """A neighbour that reaches so far into the square: 20 m are 1 % of either's area."""
    other = outline(west=EAST - metres, east=EAST - metres + 2000, **changes)
    return case(neighbours=(other,))


def guarded(metres: float, accuracy: str | None = "0") -> Case:
    """A protected area of 100 m along the edge that reaches so far into the square."""
    area = outline(EAST - metres, EAST + 1000, SOUTH, SOUTH + 100, id="park", accuracy_m=accuracy)
    return case(protected_areas=(area,))


# -- another licence ------------------------------------------------------------------------------


def test_more_than_a_hundredth_shared_with_another_licence_is_major() -> None:
    flag = only(R05, overlapping(30))
    assert flag.severity == "major"
    assert flag.key == "licence:other"
    assert flag.inputs["shared_pct"] == "1.50"
    assert Decimal(flag.inputs["shared_ha"]) == pytest.approx(Decimal("6.0"), abs=Decimal("0.01"))
    assert "Other Minerals (made-up register), 1.50 % of the smaller" in flag.explanation
    assert flag.threshold == "more than 1 % shared with a licence, whatever the accuracies"


def test_a_hundredth_and_a_common_edge_say_nothing() -> None:
    assert R05.find(overlapping(20)) == ()
    assert R05.find(overlapping(0)) == ()
    assert R05.find(overlapping(-5000)) == ()


@pytest.mark.parametrize(("accuracy", "words"), [("15", "±15 m"), (None, "unknown")])
def test_where_an_edge_may_be_off_it_is_asked(accuracy: str | None, words: str) -> None:
    flag = only(R05, overlapping(30, accuracy_m=accuracy))
    assert flag.severity == "query"
    assert words in flag.explanation
    assert "so it is a question" in flag.explanation or "so this is a question" in flag.explanation


def test_the_accuracy_of_the_conversion_counts_too() -> None:
    """Indian 1975 to WGS 84 is known to 3 m here: 22 m of overlap may be less than 1 %."""
    square = shape("EPSG:24047", "xy", ring())
    other = declared(boundary=shape("EPSG:24047", "xy", ring(EAST - 22, EAST + 1978))).boundary
    assert other is not None
    asked = case(
        declaration=declared(boundary=square), neighbours=(outline(boundary=other, accuracy_m="0"),)
    )
    assert only(R05, asked).severity == "query"


def test_a_small_licence_within_the_square_is_measured_by_itself() -> None:
    inside = outline(WEST + 100, WEST + 200, SOUTH + 100, SOUTH + 200)
    assert only(R05, case(neighbours=(inside,))).inputs["shared_pct"] == "100.00"


def test_each_of_several_is_a_flag_of_its_own() -> None:
    one, two = outline(EAST - 100), outline(EAST - 100, id="another", name="Another")
    assert [f.key for f in flags(R05, case(neighbours=(one, two)))] == [
        "licence:another",
        "licence:other",
    ]


# -- protected areas ------------------------------------------------------------------------------


def test_a_protected_area_within_is_critical() -> None:
    flag = only(R05, guarded(100))
    assert flag.severity == "critical"
    assert flag.inputs["shared_ha"] == "1.00"
    assert "the protected area Other Minerals" in flag.explanation


def test_a_strip_of_a_protected_area_says_nothing() -> None:
    assert R05.find(guarded(10)) == ()


@pytest.mark.parametrize("accuracy", ["95", None])
def test_a_protected_area_whose_edge_may_be_off_is_asked_about(accuracy: str | None) -> None:
    assert only(R05, guarded(100, accuracy)).severity == "query"


# -- in itself ------------------------------------------------------------------------------------


def test_rings_that_cross_are_major_and_say_how_much_is_unclear() -> None:
    a, b, c, d, _ = ring()
    flag = only(
        R05, case(declaration=declared(boundary=shape("EPSG:32647", "xy", [a, c, b, d, a])))
    )
    assert (flag.key, flag.severity) == ("polygon", "major")
    assert flag.inputs["unclear_pct"] == "100.00"
    assert "was not valid (self-intersection) and was repaired" in flag.explanation


def kinked(metres: float) -> Case:
    """The square with a loop of so many metres at its corner."""
    loop = [[str(WEST - 0), str(SOUTH + metres)], [str(WEST + metres), str(SOUTH)]]
    points = [*loop, [str(WEST), str(SOUTH)], *ring()[1:4], loop[0]]
    crossing = [points[1], points[0], *points[2:-1], points[1]]
    return case(declaration=declared(boundary=shape("EPSG:32647", "xy", crossing)))


def test_a_small_loop_in_a_ring_is_asked_about() -> None:
    flag = only(R05, kinked(20))
    assert flag.severity == "query"
    assert Decimal(flag.inputs["unclear_pct"]) <= 1


def test_a_ring_without_an_area_is_major_with_the_reason() -> None:
    line = [["400000", "900000"], ["401000", "901000"], ["402000", "902000"], ["400000", "900000"]]
    flag = only(R05, case(declaration=declared(boundary=shape("EPSG:32647", "xy", line))))
    assert (flag.key, flag.severity) == ("polygon", "major")
    assert "enclose no area" in flag.explanation


def test_an_open_ring_and_holes_and_parts_are_no_fault() -> None:
    boundary = shape("EPSG:32647", "xy", ring()[:-1])
    boundary["rings"].append(ring(EAST + 100, EAST + 200))
    assert R05.find(case(declaration=declared(boundary=boundary))) == ()


def test_an_unclear_boundary_charges_nobody_with_an_overlap() -> None:
    a, b, c, d, _ = ring()
    crossed = declared(boundary=shape("EPSG:32647", "xy", [a, c, b, d, a]))
    found = flags(R05, case(declaration=crossed, neighbours=(outline(EAST - 500),)))
    assert [(f.key, f.severity) for f in found] == [
        ("polygon", "major"),
        ("licence:other", "query"),
    ]


# -- what is missing ------------------------------------------------------------------------------


def test_what_is_missing_is_said_and_the_rest_is_judged() -> None:
    (need,) = needs(R05, case(declaration=None))
    assert "a declaration" in need
    (need,) = needs(R05, case(declaration=declared(boundary=None)))
    assert "declared boundary" in need
    alone = case(neighbours=None, protected_areas=None)
    assert needs(R05, alone) == [
        "the boundaries of neighbouring licences and the boundaries of protected areas"
    ]
    half = case(neighbours=(outline(EAST - 100),), protected_areas=None)
    assert needs(R05, half) == ["the boundaries of protected areas"]
    assert only(R05, half).severity == "major"


def test_numbers_that_lie_nowhere_are_a_question_of_the_system_and_no_fault_of_the_rings() -> None:
    """R04 asks about them."""
    degrees = [["20.00", "99.90"], ["20.01", "99.90"], ["20.01", "99.91"], ["20.00", "99.90"]]
    nowhere = case(declaration=declared(boundary=shape("EPSG:4326", "xy", degrees), location=None))
    assert flags(R05, nowhere) == []
    assert "placed on the map" in needs(R05, nowhere)[0]


def test_a_neighbour_that_cannot_be_read_is_said() -> None:
    broken = declared(boundary=shape("EPSG:32647", "xy", [["1", "2"], ["1", "2"], ["3", "4"]]))
    assert broken.boundary is not None
    (need,) = needs(R05, case(neighbours=(outline(boundary=broken.boundary),)))
    assert "Other Minerals" in need


def test_a_comb_of_boundaries_is_refused_before_it_is_worked_out() -> None:
    teeth = [(n, 0.0 if n % 4 in (0, 3) else 9000.0) for n in range(3000)]
    one = [[str(WEST + 3 * a), str(SOUTH + b)] for a, b in (*teeth, (3000, -5), (0, -5))]
    other = [[str(WEST + b), str(SOUTH + 3 * a)] for a, b in (*teeth, (3000, -5), (0, -5))]
    across = declared(boundary=shape("EPSG:32647", "xy", other)).boundary
    assert across is not None
    combs = case(
        declaration=declared(boundary=shape("EPSG:32647", "xy", one), location=None),
        neighbours=(outline(boundary=across),),
    )
    assert "run across each other" in needs(R05, combs)[0]


# -- doubt ----------------------------------------------------------------------------------------


def rank(of: Case) -> int:
    return max((FLAG_SEVERITIES.index(f.severity) for f in flags(R05, of)), default=-1)


@settings(max_examples=25)
@given(st.integers(0, 200), st.integers(0, 80), st.integers(0, 80), st.booleans())
def test_growing_uncertainty_never_raises_severity(
    metres: int, accuracy: int, more: int, protected: bool
) -> None:
    def of(accuracy_m: str | None) -> Case:
        other: Outline = outline(EAST - metres, EAST - metres + 2000, accuracy_m=accuracy_m)
        return case(protected_areas=(other,)) if protected else case(neighbours=(other,))

    sure, unsure = rank(of(str(accuracy))), rank(of(str(accuracy + more)))
    assert rank(of(None)) <= unsure <= sure or unsure == sure == rank(of(None))
    assert (rank(of(None)) == -1) == (sure == -1)  # doubt makes no flag vanish either
