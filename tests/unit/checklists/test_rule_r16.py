from __future__ import annotations

import pytest
from discrepancy_cases import case, declared, flags, needs, only

from checklists.discrepancies.activity import R16
from checklists.discrepancies.case import Case
from checklists.discrepancies.declaration import INACTIVE

CLOSED = declared(status={"state": "closed", "since": "2025-06-01"})


def seen(**signs: str) -> Case:
    named = {k.replace("_", "-"): v for k, v in signs.items()}
    return case(declaration=CLOSED, signs=named)


@pytest.mark.parametrize("state", INACTIVE)
def test_two_signs_at_an_inactive_site_are_critical(state: str) -> None:
    declaration = declared(status={"state": state, "since": "2025-06-01"})
    of = case(declaration=declaration, signs={"warm-kiln": "yes", "discharge": "yes"})
    flag = only(R16, of)
    assert (flag.severity, flag.subject) == ("critical", "operations")
    assert "since 2025-06-01" in flag.explanation
    assert "2 operating signs seen (a warm kiln, discharge)" in flag.explanation


def test_one_sign_is_not_enough() -> None:
    assert flags(R16, seen(warm_kiln="yes", discharge="no", moving_plant="no")) == []
    assert needs(R16, seen(warm_kiln="yes")) == []


def test_unsure_signs_make_it_a_query() -> None:
    assert only(R16, seen(warm_kiln="yes", discharge="unsure")).severity == "query"
    assert only(R16, seen(warm_kiln="unsure", discharge="unsure")).severity == "query"
    assert flags(R16, seen(warm_kiln="unsure", discharge="no")) == []
    assert only(R16, seen(warm_kiln="yes", discharge="yes", night_power="unsure")).severity == (
        "critical"
    )


@pytest.mark.parametrize("state", ["active", "exploring"])
def test_a_site_that_is_not_declared_inactive_is_not_judged(state: str) -> None:
    declaration = declared(status={"state": state, "since": "2025-06-01"})
    assert R16.find(case(declaration=declaration, signs={"warm-kiln": "yes"})) == ()


def test_a_state_that_begins_after_the_visit_does_not_hold_yet() -> None:
    later = declared(status={"state": "closed", "since": "2026-03-03"})
    signs = {"warm-kiln": "yes", "discharge": "yes"}
    assert R16.find(case(declaration=later, signs=signs, visited_on="2026-03-02")) == ()
    assert len(flags(R16, case(declaration=later, signs=signs, visited_on="2026-03-03"))) == 1


def test_a_missing_input_is_said() -> None:
    assert "declaration" in needs(R16, case(declaration=None))[0]
    assert "operating signs" in needs(R16, case(declaration=CLOSED, signs={}))[0]
    assert "operating signs" in needs(R16, case(declaration=CLOSED, signs={"unknown": "yes"}))[0]
