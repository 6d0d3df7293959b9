from __future__ import annotations

import pytest
from discrepancy_cases import (
    MINUTE,
    NOON,
    SECOND,
    SHA,
    case,
    flags,
    needs,
    only,
    reading,
    taken,
)

from checklists.discrepancies.case import FLAG_SEVERITIES
from checklists.discrepancies.fixes import R03
from checklists.discrepancies.moments import Taken


@pytest.mark.parametrize(
    ("accuracy", "age", "flagged"),
    [
        ("6", 0, False),
        ("50", 120 * SECOND, False),
        ("50.1", 0, True),
        ("6", 120 * SECOND + 1, True),
        ("80", 10 * MINUTE, True),
    ],
)
def test_a_position_is_flagged_beyond_fifty_metres_or_two_minutes(
    accuracy: str, age: int, flagged: bool
) -> None:
    found = flags(R03, case(fixes=(taken(accuracy=accuracy, fix_at=NOON - age),)))
    assert [f.severity for f in found] == (["minor"] if flagged else [])


def test_a_flag_says_which_position_how_coarse_and_how_old() -> None:
    flag = only(R03, case(fixes=(taken(accuracy="80", fix_at=NOON - 10 * MINUTE),)))
    assert (flag.key, flag.subject, flag.evidence) == ("poor", "record", ())
    assert "the answer to ISL-E1 is known to ±80 m only and 10 min old" in flag.explanation
    assert flag.threshold == "at most ±50 m and 2 min old"
    assert flag.margin == "30 m coarser and 8 min older than that"
    assert flag.inputs["positions"][0]["age_s"] == 600


def test_many_poor_positions_are_one_flag_that_counts_them() -> None:
    fixes = tuple(taken(NOON + n, accuracy="60") for n in range(200))
    flag = only(R03, case(fixes=fixes))
    assert "200 positions" in flag.explanation
    assert flag.inputs["count"] == 200


def test_a_position_that_a_program_made_up_is_major() -> None:
    mocked = taken(fix_mock=True, source="taken-here", evidence=SHA, label="the photo")
    flag = only(R03, case(fixes=(mocked, taken())))
    assert (flag.key, flag.severity, flag.evidence) == ("mock", "major", (SHA,))
    assert flag.severity in FLAG_SEVERITIES


def test_a_coarse_picture_s_flag_is_about_that_picture() -> None:
    coarse = taken(accuracy="90", source="taken-here", evidence=SHA)
    assert only(R03, case(fixes=(coarse, taken()))).evidence == (SHA,)


@pytest.mark.parametrize(
    "one",
    [
        taken(source="imported", evidence=SHA, fix_at=NOON - 99 * MINUTE),
        taken(source="imported", evidence=SHA, fix_source="track", fix_at=NOON - 99 * MINUTE),
        taken(source="taken-here", evidence=SHA, fix_source="track", fix_at=NOON - 99 * MINUTE),
    ],
)
def test_a_file_that_was_attached_later_has_no_age(one: Taken) -> None:
    assert R03.find(case(fixes=(one,))) == ()


def test_a_replaced_position_is_judged_no_more() -> None:
    assert R03.find(case(fixes=(taken(accuracy="90", stands=False),))) == ()


def test_what_was_not_recorded_is_said_and_passes_for_nothing() -> None:
    of = case(fixes=(taken(accuracy=None), taken(NOON + 1, fix_source="typed", fix_at=None)))
    assert flags(R03, of) == []
    (need,) = needs(R03, of)
    assert "the accuracy of 1 position" in need
    assert "the time at which 1 position was measured" in need


def test_a_time_by_another_clock_is_no_age() -> None:
    late = taken(fix_at=NOON + 5 * MINUTE)
    assert "the time at which" in needs(R03, case(fixes=(late,)))[0]
    # The receiver's time in place of the device's, whose clock is five minutes behind.
    behind = case(fixes=(late,), clocks=(reading(5 * MINUTE),))
    assert R03.find(behind) == ()
    ahead = case(fixes=(taken(fix_at=NOON - 5 * MINUTE),), clocks=(reading(-5 * MINUTE),))
    assert R03.find(ahead) == ()
    assert len(flags(R03, case(fixes=(taken(fix_at=NOON - 5 * MINUTE),)))) == 1
