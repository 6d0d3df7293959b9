"""R26: no conflict-affected area declared, and there is conflict."""

from __future__ import annotations

from typing import Any

import pytest
from conflict_cases import around, near_conflict, stated
from discrepancy_cases import case, declared, flags, needs, only
from hypothesis import given
from hypothesis import strategies as st

from checklists.conflict.areas import Area
from checklists.conflict.around import Surroundings
from checklists.discrepancies.case import Case
from checklists.discrepancies.conflict import R26

LISTED = Area("TH-58", "high-risk", "2026-01-31")


def exposed(low: int, mid: int, high: int, statement: str = "none", **changes: Any) -> Case:
    """A case of which one source says these thousandths."""
    surroundings = near_conflict(around(exposure=(low, mid, high)), **changes)
    return case(declaration=stated(statement), surroundings=surroundings)


def test_it_fires_where_even_the_low_estimate_reaches_50() -> None:
    flag = only(R26, exposed(50_000, 61_000, 70_000))
    assert (flag.severity, flag.subject) == ("major", "operations")
    assert "exposure to conflict was 50.0 to 70.0 on 2026-03-02" in flag.explanation
    assert "accessed 2026-02-15" in flag.explanation
    assert "Made-up Data Program" in flag.explanation
    assert flag.inputs["exposure"] == {"low": "50.0", "mid": "61.0", "high": "70.0"}


def test_it_just_does_not_where_the_high_estimate_stays_below() -> None:
    assert R26.find(exposed(40_000, 45_000, 49_999)) == ()


def test_it_asks_where_only_the_high_estimate_reaches_50() -> None:
    for low in (0, 49_999):
        flag = only(R26, exposed(low, 49_999, 50_000))
        assert flag.severity == "query"
        assert "this is a question" in flag.explanation


def test_it_asks_where_nobody_knows_how_far_the_place_may_be_off() -> None:
    assert only(R26, exposed(90_000, 95_000, 99_000, doubt_m=None)).severity == "query"


def test_a_listed_area_is_enough_whatever_the_exposure() -> None:
    flag = only(R26, exposed(0, 0, 0, areas=(LISTED,)))
    assert flag.severity == "major"
    assert "names TH-58 (high-risk, 2026-01-31)" in flag.explanation
    unknown = near_conflict(around(exposure=None), areas=(LISTED,))
    assert only(R26, case(declaration=stated("none"), surroundings=unknown)).severity == "major"
    nowhere = Surroundings(False, None, (), (LISTED,))
    assert only(R26, case(declaration=stated("none"), surroundings=nowhere)).severity == "major"


def test_what_was_listed_after_the_visit_is_no_contradiction() -> None:
    later = Area("TH-58", "high-risk", "2026-03-03")
    assert R26.find(exposed(0, 0, 0, areas=(later,))) == ()


@pytest.mark.parametrize("statement", ["some", "unknown"])
def test_who_does_not_declare_none_is_not_contradicted(statement: str) -> None:
    assert R26.find(exposed(90_000, 95_000, 99_000, statement)) == ()


def test_two_sources_are_held_against_the_limit_apart() -> None:
    two = near_conflict(around(exposure=(30_000,) * 3), around("acled", exposure=(30_000,) * 3))
    assert R26.find(case(declaration=stated("none"), surroundings=two)) == ()
    two = near_conflict(around(exposure=(0, 0, 0)), around("acled", exposure=(51_000,) * 3))
    flag = only(R26, case(declaration=stated("none"), surroundings=two))
    assert flag.inputs["data"]["source"] == "acled"


def test_a_missing_input_is_said() -> None:
    said = stated("none")
    there = near_conflict(around(exposure=(90_000,) * 3))
    unknown = near_conflict(around(exposure=None))
    for of, needed in (
        (case(declaration=None, surroundings=there), "a declaration that was on file"),
        (
            case(declaration=declared(), surroundings=there),
            "says something of conflict-affected areas",
        ),
        (case(declaration=said, surroundings=None), "which the office has"),
        (case(declaration=said, surroundings=Surroundings(False, None)), "declared location"),
        (case(declaration=said, surroundings=unknown), "cover TH up to 2026-03-02"),
    ):
        assert flags(R26, of) == []
        assert needed in needs(R26, of)[0]


@given(st.integers(0, 100_000), st.integers(0, 50_000), st.integers(0, 50_000))
def test_more_doubt_never_accuses(mid: int, doubt: int, more: int) -> None:
    def severity(by: int) -> str:
        found = flags(R26, exposed(max(0, mid - by), mid, min(100_000, mid + by)))
        return found[0].severity if found else "none"

    if severity(doubt) != "major":
        assert severity(doubt + more) != "major"
