"""R27: armed events nearby, and no assessment of the risks of Annex II."""

from __future__ import annotations

from typing import Any

from conflict_cases import around, near_conflict, stated
from discrepancy_cases import case, declared, flags, needs, only
from hypothesis import given
from hypothesis import strategies as st

from checklists.conflict.around import Armed, Surroundings
from checklists.discrepancies.case import Case
from checklists.discrepancies.conflict import R27


def seen(*events: Armed, made_on: str = "", **changes: Any) -> Case:
    """A case with these armed events nearby, and an assessment if a day is given."""
    declared = stated(annex_ii={"on": made_on} if made_on else None)
    return case(declaration=declared, surroundings=near_conflict(around(armed=events), **changes))


def armed(distance_m: str, radius_m: int = 1_000, certain: bool = True, uid: str = "9") -> Armed:
    return Armed(distance_m, radius_m, certain, uid)


def test_it_fires_where_an_event_lies_within_10_km_for_certain() -> None:
    flag = only(R27, seen(armed("8995.0"), armed("2000.0", uid="7"), armed("9990.0", 25_000)))
    assert (flag.severity, flag.subject) == ("critical", "operations")
    assert "2 armed events within 10.0 km in the 365 days before 2026-03-02" in flag.explanation
    assert "the nearest is 2000 m away" in flag.explanation
    assert [one["id"] for one in flag.inputs["events"]] == ["7", "9"]
    assert flag.inputs["data"]["accessed"] == "2026-02-15"


def test_it_just_does_not_where_the_nearest_reading_lies_beyond() -> None:
    assert R27.find(seen(armed("11005.1"))) == ()
    assert R27.find(seen()) == ()


def test_it_asks_where_the_event_may_be_nearer_than_that() -> None:
    for event in (armed("8995.1"), armed("11005.0"), armed("30000.0", 25_000)):
        flag = only(R27, seen(event))
        assert flag.severity == "query"
        assert "this is a question" in flag.explanation


def test_it_asks_where_the_day_or_the_place_is_not_known() -> None:
    assert only(R27, seen(armed("100.0", certain=False))).severity == "query"
    assert only(R27, seen(armed("100.0"), doubt_m=None)).severity == "query"


def test_an_assessment_on_file_settles_it_unless_it_was_made_after_the_visit() -> None:
    assert R27.find(seen(armed("100.0"), made_on="2026-03-02")) == ()
    late = only(R27, seen(armed("100.0"), made_on="2026-03-03"))
    assert "is on file" not in late.explanation.replace("is on file up to then", "")


def test_events_of_two_sources_are_never_added() -> None:
    two = near_conflict(
        around(armed=(armed("100.0"), armed("200.0"))),
        around("acled", armed=(armed("100.0", 5_000, uid=""),) * 3),
    )
    flag = only(R27, case(declaration=stated(), surroundings=two))
    assert flag.inputs["count"] == 3
    assert all(set(one) == {"distance_m", "radius_m"} for one in flag.inputs["events"])


def test_a_missing_input_is_said() -> None:
    there = near_conflict(around(armed=(armed("100.0"),)))
    unknown = near_conflict(around(exposure=None))
    for of, needed in (
        (case(declaration=None, surroundings=there), "a declaration that was on file"),
        (
            case(declaration=declared(), surroundings=there),
            "tapak-declaration/2, which can name an assessment",
        ),
        (case(declaration=stated(), surroundings=None), "which the office has"),
        (case(declaration=stated(), surroundings=Surroundings(False, None)), "declared location"),
        (case(declaration=stated(), surroundings=unknown), "cover TH up to 2026-03-02"),
    ):
        assert flags(R27, of) == []
        assert needed in needs(R27, of)[0]


@given(st.integers(0, 20_000), st.integers(0, 30_000), st.integers(0, 30_000), st.booleans())
def test_more_doubt_never_accuses(away: int, radius: int, more: int, of_place: bool) -> None:
    def critical(event: int, place: int) -> bool:
        found = flags(R27, seen(armed(f"{away}.0", event), doubt_m=f"{place}.0"))
        return bool(found) and found[0].severity == "critical"

    doubtful = critical(radius, more) if of_place else critical(radius + more, 0)
    assert critical(radius, 0) or not doubtful
