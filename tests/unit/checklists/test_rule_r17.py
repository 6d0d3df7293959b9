from __future__ import annotations

import pytest
from discrepancy_cases import SIGNS, case, declared, filing, flags, needs, only, row, seen

from checklists.discrepancies.activity import R17
from checklists.discrepancies.case import Case

ABSENT = dict.fromkeys(SIGNS, "no")
NO_SHIPMENTS = filing(shipments=[])


def idle(**signs: str) -> Case:
    named = {k.replace("_", "-"): v for k, v in signs.items()}
    return case(declaration=NO_SHIPMENTS, signs={**ABSENT, **named}, observed=())


def test_none_of_all_signs_is_major() -> None:
    flag = only(R17, idle())
    assert (flag.severity, flag.subject) == ("major", "operations")
    assert "the site is active since 2025-03-01" in flag.explanation
    assert flag.margin == "5 of 5 signs absent"


def test_one_sign_is_enough() -> None:
    assert R17.find(idle(night_power="yes")) == ()


@pytest.mark.parametrize(
    ("date", "severity"),
    [("2026-01-01", "critical"), ("2025-12-31", "major"), ("2026-03-03", "major")],
)
def test_while_shipments_continue_it_is_critical(date: str, severity: str) -> None:
    declaration = filing(shipments=[row("shipments", date=date)])
    flag = only(R17, case(declaration=declaration, signs=ABSENT, observed=()))
    assert flag.severity == severity


def test_a_shipment_seen_at_the_visit_is_one_that_continues() -> None:
    leaving = seen({"shipped/lot-9": "20"})
    of = case(declaration=NO_SHIPMENTS, signs=ABSENT, observed=leaving)
    assert only(R17, of).severity == "critical"
    assert "1 seen at the visit" in only(R17, of).explanation
    empty = seen({"shipped/lot-9": "0"})
    assert only(R17, case(declaration=NO_SHIPMENTS, signs=ABSENT, observed=empty)).severity == (
        "major"
    )


def test_signs_that_are_unsure_or_were_not_looked_for_make_it_a_query() -> None:
    assert only(R17, idle(discharge="unsure")).severity == "query"
    some = {"moving-plant": "no", "discharge": "no", "warm-kiln": "no"}
    flag = only(R17, case(declaration=filing(), signs=some))
    assert flag.severity == "query", "even where shipments continue"
    assert flag.inputs["signs"]["night-power"] == "not looked for"


@pytest.mark.parametrize("state", ["exploring", "care", "closed", "abandoned"])
def test_a_site_that_is_not_declared_active_is_not_judged(state: str) -> None:
    declaration = filing(status={"state": state, "since": "2025-03-01"})
    assert R17.find(case(declaration=declaration, signs=ABSENT)) == ()


def test_a_state_that_begins_after_the_visit_does_not_hold_yet() -> None:
    later = filing(status={"state": "active", "since": "2026-03-03"})
    assert R17.find(case(declaration=later, signs=ABSENT)) == ()


def test_who_was_turned_away_saw_nothing() -> None:
    of = case(signs=ABSENT, outcomes=("refused-at-the-gate",))
    assert "somebody saw the site" in needs(R17, of)[0]


def test_it_needs_no_more_than_place_and_state() -> None:
    assert only(R17, case(declaration=declared(), signs=ABSENT, observed=())).severity == "major"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R17, case(declaration=None, signs=ABSENT))[0]
    few = {"moving-plant": "no", "discharge": "no", "unknown": "no"}
    assert "more operating signs" in needs(R17, case(signs=few))[0]
    assert flags(R17, case(signs={})) == []
