"""R06: ground that was walked around, against the declared square of 2 km."""

from __future__ import annotations

from decimal import Decimal

import pytest
from discrepancy_cases import (
    EAST,
    SOUTH,
    case,
    declared,
    flags,
    needs,
    only,
    ring,
    shape,
    trace,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.discrepancies.case import FLAG_SEVERITIES, Case
from checklists.discrepancies.disturbed import R06


def walked(
    beyond: float, accuracy: str | None = "5", high: float = 1000, **changes: object
) -> Case:
    """A rectangle of 500 m by `high` that reaches so many metres beyond the eastern edge."""
    west, east = EAST + beyond - 500, EAST + beyond
    return case(traces=(trace(west, east, SOUTH + 500, SOUTH + 500 + high, accuracy, **changes),))


def test_more_than_a_hectare_surely_outside_is_major() -> None:
    flag = only(R06, walked(30))
    assert flag.severity == "major"
    assert flag.inputs["outside_ha"] == "3.00"
    assert flag.inputs["outside_pct"] == "6.00"
    # 5 m of the track and half a metre by which a moved edge is kept on the safe side.
    assert Decimal("2.4") < Decimal(flag.inputs["surely_outside_ha"]) <= Decimal("2.5")
    assert "3.00 ha lie outside it, 6.00 %" in flag.explanation
    assert "±5 m" in flag.explanation


def test_a_hectare_and_a_fiftieth_say_nothing() -> None:
    assert R06.find(walked(9.9)) == ()
    assert R06.find(walked(-100)) == ()


def test_a_small_ground_counts_by_its_share() -> None:
    """0.3 ha of 5 ha is more than 2 %, and less than a hectare."""
    flag = only(R06, walked(30, "2", high=100))
    assert (flag.severity, flag.inputs["outside_ha"]) == ("major", "0.30")


@pytest.mark.parametrize(("accuracy", "words"), [("28", "±28 m"), (None, "unknown")])
def test_where_the_accuracies_may_explain_it_it_is_asked(accuracy: str | None, words: str) -> None:
    flag = only(R06, walked(30, accuracy))
    assert flag.severity == "query"
    assert words in flag.explanation
    assert "a question" in flag.explanation


def test_an_unknown_conversion_is_asked() -> None:
    own = "+proj=utm +zone=47 +ellps=GRS80 +towgs84=1,0,0 +units=m"
    moved = declared(boundary=shape(own, "xy", ring()), location=None)
    (flag,) = flags(R06, case(declaration=moved, traces=walked(30).traces))
    assert flag.severity == "query"


def test_a_track_that_does_not_come_back_or_has_gaps_is_asked() -> None:
    whole = walked(30).traces[0]
    ends = trace(EAST - 470, EAST + 30, SOUTH + 500, SOUTH + 1500)
    short = case(traces=(trace(places=ends.places[:-1], accuracies=ends.accuracies[:-1]),))
    flag = only(R06, short)
    assert flag.severity == "query"
    assert "does not come back to where it began: its ends are 1000 m apart" in flag.explanation
    gaps = only(
        R06, case(traces=(trace(places=whole.places, accuracies=whole.accuracies, breaks=2),))
    )
    assert gaps.severity == "query"
    assert "has gaps" in gaps.explanation


def test_a_track_that_crosses_itself_widely_is_asked() -> None:
    a, b, c, d, _ = trace(EAST - 470, EAST + 30, SOUTH + 500, SOUTH + 1500).places
    crossed = trace(places=(a, c, b, d, a))
    flag = only(R06, case(traces=(crossed,)))
    assert flag.severity == "query"
    assert "crosses itself" in flag.explanation


def test_what_is_missing_is_said() -> None:
    (need,) = needs(R06, case(traces=()))
    assert "a traced disturbance" in need
    assert "a declaration" in needs(R06, case(declaration=None))[0]
    assert "declared boundary" in needs(R06, case(declaration=declared(boundary=None)))[0]
    point = trace(places=(("8.14", "98.1"),), accuracies=("5",))
    assert "encloses ground" in needs(R06, case(traces=(point,)))[0]


def rank(of: Case) -> int:
    return max((FLAG_SEVERITIES.index(f.severity) for f in flags(R06, of)), default=-1)


@settings(max_examples=25)
@given(st.integers(-20, 200), st.integers(1, 60), st.integers(0, 60))
def test_growing_uncertainty_never_raises_severity(beyond: int, accuracy: int, more: int) -> None:
    sure, unsure = rank(walked(beyond, str(accuracy))), rank(walked(beyond, str(accuracy + more)))
    unknown = rank(walked(beyond, None))
    assert unsure <= sure
    assert unknown <= unsure or unknown == sure
    assert (unknown == -1) == (sure == -1)
