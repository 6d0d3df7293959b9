from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, needs, only, row, seen

from checklists.discrepancies.case import Case
from checklists.discrepancies.people import R31


def counted(*declared: tuple[str, str, str | None], **groups: str) -> Case:
    """`declared` are (group, people, shifts); own staff of 40 in one shift otherwise."""
    rows: list[Any] = [
        row("headcount", group=group, people=people, shifts=shifts)
        for group, people, shifts in declared or (("own-staff", "40", "1"),)
    ]
    named = {f"headcount/{k.replace('_', '-') or '-'}": v for k, v in groups.items()}
    return case(declaration=filing(headcount=rows), observed=seen(named))


@pytest.mark.parametrize(
    ("people", "severity"), [("50", None), ("51", "major"), ("30", None), ("29", "major")]
)
def test_a_quarter_more_or_fewer_is_allowed(people: str, severity: str | None) -> None:
    found = flags(R31, counted(own_staff=people))
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_the_flag_tells_both_numbers() -> None:
    flag = only(R31, counted(own_staff="60"))
    assert flag.subject == "operations"
    assert "40 people. Counted on 2026-03-02: 60. Limit: 25 % more." in flag.explanation
    assert flag.margin == "50 % off"


def test_an_uncertain_count_makes_it_a_query() -> None:
    assert only(R31, counted(own_staff="55±4")).severity == "major"
    assert only(R31, counted(own_staff="55±5")).severity == "query"


def test_small_sites_are_not_judged_by_the_larger_number() -> None:
    assert flags(R31, counted(("own-staff", "10", "1"), own_staff="19")) == []
    assert only(R31, counted(("own-staff", "10", "1"), own_staff="20")).severity == "major"
    assert flags(R31, counted(("own-staff", "19", "1"), own_staff="0")) == []


def test_fewer_are_held_against_one_shift() -> None:
    three = ("own-staff", "90", "3")
    assert flags(R31, counted(three, own_staff="30")) == []
    assert flags(R31, counted(three, own_staff="23")) == []
    assert only(R31, counted(three, own_staff="22")).severity == "major"
    assert flags(R31, counted(three, own_staff="90")) == []
    unknown = only(R31, counted(("own-staff", "90", None), own_staff="30"))
    assert unknown.severity == "query"
    assert "How many shifts there are is not declared" in unknown.explanation


def test_only_groups_that_were_counted_are_compared() -> None:
    declared = (("own-staff", "40", "1"), ("drivers", "30", "1"))
    assert flags(R31, counted(*declared, own_staff="40")) == []
    assert only(R31, counted(*declared, own_staff="60")).severity == "major"
    assert flags(R31, counted(*declared, Own_Staff="40", drivers="30")) == []


def test_groups_under_other_names_are_compared_in_all_and_asked() -> None:
    declared = (("own-staff", "40", "1"), ("drivers", "30", "1"))
    assert flags(R31, counted(*declared, own_staff="40", contractors="30")) == []
    flag = only(R31, counted(*declared, own_staff="40", contractors="80"))
    assert flag.severity == "query"
    assert "groups counted are not those declared" in flag.explanation


def test_a_count_of_the_whole_site_is_held_against_all() -> None:
    declared = (("own-staff", "40", "1"), ("drivers", "30", "1"))
    rows = [row("headcount", group=g, people=p, shifts=s) for g, p, s in declared]
    of = case(declaration=filing(headcount=rows), observed=seen({"headcount/-": "100"}))
    assert only(R31, of).inputs["declared"] == "70"


def test_a_number_that_could_tell_of_single_people_is_not_told() -> None:
    flag = only(R31, counted(own_staff="3"))
    assert flag.inputs["counted"] == "fewer than 5"
    assert "Counted on 2026-03-02: fewer than 5." in flag.explanation
    assert flag.margin == "most of them off"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R31, case(declaration=None))[0]
    assert "declared headcount" in needs(R31, case(declaration=filing(headcount=[])))[0]
    assert "people counted" in needs(R31, case(observed=()))[0]
