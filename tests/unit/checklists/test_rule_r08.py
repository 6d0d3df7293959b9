from __future__ import annotations

import pytest
from discrepancy_cases import (
    BEGAN,
    DEVICE,
    HOUR,
    MINUTE,
    OTHER,
    SECOND,
    case,
    flags,
    needs,
    only,
    reading,
    span,
)

from checklists.discrepancies.clocks import R08


@pytest.mark.parametrize(
    ("offset", "severity"),
    [
        (0, None),
        (120 * SECOND, None),
        (-120 * SECOND, None),
        (120 * SECOND + 1, "minor"),
        (-121 * SECOND, "minor"),
        (HOUR, "minor"),
        (HOUR + 1, "major"),
        (-9 * HOUR, "major"),
    ],
)
def test_two_minutes_are_allowed_and_more_than_an_hour_is_major(
    offset: int, severity: str | None
) -> None:
    found = flags(R08, case(clocks=(reading(offset),)))
    assert [f.severity for f in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("offset", "source", "words"),
    [
        (5 * MINUTE, "server", "5 min behind the server's"),
        (-5 * MINUTE, "server", "5 min ahead of the server's"),
        (-3 * HOUR, "gnss", "3 h ahead of GNSS time"),
    ],
)
def test_the_flag_says_which_way_and_against_what(offset: int, source: str, words: str) -> None:
    flag = only(R08, case(clocks=(reading(offset, source=source),)))
    assert words in flag.explanation
    assert (flag.key, flag.subject) == (DEVICE, "record")
    assert flag.inputs["offset_ms"] == offset
    assert flag.evidence == (), "the offset is taken into account, so no file is worth less"


def test_the_largest_of_several_comparisons_counts_and_a_clock_that_was_set_is_told() -> None:
    of = case(clocks=(reading(4 * MINUTE), reading(-2 * HOUR, source="gnss"), reading()))
    flag = only(R08, of)
    assert flag.severity == "major"
    assert "the clock was set in between" in flag.explanation
    assert len(flag.inputs["comparisons"]) == 3


def test_before_any_sync_nobody_is_told_that_all_is_well() -> None:
    of = case(clocks=())
    assert flags(R08, of) == []
    assert "at a sync after the visit began" in needs(R08, of)[0]


def test_what_was_compared_before_the_visit_may_flag_but_clears_nothing() -> None:
    before = reading(at=BEGAN - HOUR)
    assert "at a sync" in needs(R08, case(clocks=(before,)))[0]
    wrong = case(clocks=(reading(9 * MINUTE, at=BEGAN - HOUR),))
    assert (len(flags(R08, wrong)), needs(R08, wrong)) == (1, [])
    tracked = case(clocks=(before, reading(source="gnss")))
    assert R08.find(tracked) == ()


def test_each_device_is_judged_by_its_own_clock() -> None:
    of = case(
        spans=(span(), span(device=OTHER)), clocks=(reading(), reading(5 * MINUTE, device=OTHER))
    )
    assert only(R08, of).key == OTHER
    alone = case(spans=(span(), span(device=OTHER)))
    assert OTHER[:8] in needs(R08, alone)[0]
    assert DEVICE[:8] not in needs(R08, alone)[0]
