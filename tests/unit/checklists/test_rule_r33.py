from __future__ import annotations

from dataclasses import replace

import pytest
from discrepancy_cases import case, declared, filing, flags, needs, only

from checklists.discrepancies.case import Case
from checklists.discrepancies.imported import DeathRecord, Imported
from checklists.discrepancies.people import R32, R33

RECORD = DeathRecord("a made-up newspaper", 2, "2025-05-05", "2025-05-05", sure=True)


def recorded(*records: DeathRecord, number: str = "0") -> Case:
    """No death declared from 2025-01-01 to 2026-02-28."""
    fatalities = {"from": "2025-01-01", "to": "2026-02-28", "number": number}
    return case(declaration=filing(fatalities=fatalities), imported=Imported(deaths=tuple(records)))


def test_a_recorded_death_where_none_is_declared_is_critical() -> None:
    flag = only(R33, recorded(RECORD))
    assert (flag.severity, flag.subject) == ("critical", "operations")
    assert "no death at work from 2025-01-01 to 2026-02-28" in flag.explanation
    assert "a made-up newspaper records 2 on 2025-05-05" in flag.explanation


@pytest.mark.parametrize("day", ["2024-12-31", "2026-03-01"])
def test_a_death_just_outside_the_declared_time_is_no_flag(day: str) -> None:
    assert R33.find(recorded(replace(RECORD, first=day, last=day))) == ()


def test_nothing_recorded_and_deaths_declared_are_no_flag() -> None:
    assert R33.find(recorded()) == ()
    assert R33.find(recorded(replace(RECORD, number=0))) == ()
    assert R33.find(recorded(RECORD, number="1")) == ()


def test_an_uncertain_place_or_time_makes_it_a_query() -> None:
    flag = only(R33, recorded(replace(RECORD, sure=False)))
    assert flag.severity == "query"
    assert "Whether it was at this site is not certain" in flag.explanation
    flag = only(R33, recorded(replace(RECORD, first="2024-12-15", last="2025-01-15")))
    assert flag.severity == "query"
    assert "may have been outside that time" in flag.explanation


def test_each_record_is_a_flag_of_its_own() -> None:
    other = replace(RECORD, source="a made-up union")
    assert len(flags(R33, recorded(RECORD, other, RECORD))) == 2


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R33, case(declaration=None))[0]
    assert "declared deaths" in needs(R33, case(declaration=declared()))[0]
    assert "independent records" in needs(R33, case(imported=Imported()))[0]


def test_r32_says_the_same_of_every_case() -> None:
    """Whether there is anything sealed must not show in what others read."""
    for of in (case(), case(declaration=None), recorded(RECORD)):
        assert R32.find(of) == R32.find(case())
        assert "safeguarding" in needs(R32, of)[0]
