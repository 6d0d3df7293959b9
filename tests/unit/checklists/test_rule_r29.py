from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, declared, filing, flags, needs, only, row, seen

from checklists.discrepancies.case import Case
from checklists.discrepancies.licences import R29

RADIATION = {
    "number": "R-7",
    "issuer": "made-up atomic office",
    "radiation": True,
    "valid_from": "2024-01-01",
}


def held(activity: str = "0.3", *, also: list[Any] | None = None, **licence: Any) -> Case:
    """One licence for the one process, and an activity measured; the visit is on 2026-03-02."""
    licences = [row("licences", **licence), *(also or [])]
    return case(declaration=filing(licences=licences), observed=seen({"activity/heap-1": activity}))


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, None),
        ({"valid_to": "2026-03-02"}, None),
        ({"valid_to": "2026-03-01"}, "critical"),
        ({"valid_from": "2026-03-02"}, None),
        ({"valid_from": "2026-03-03"}, "critical"),
        ({"valid_to": None}, None),
        ({"scope": ["separation"]}, "critical"),
        ({"scope": []}, "critical"),
        ({"valid_to": "2026-03-01", "renewal_applied": "2026-02-01"}, "query"),
        ({"valid_to": "2026-03-01", "renewal_applied": "2026-03-03"}, "critical"),
        ({"valid_from": "2027-01-01", "renewal_applied": "2026-02-01"}, "critical"),
        ({"recognised": False}, "query"),
    ],
)
def test_a_process_needs_a_licence_that_is_valid_on_the_day(
    changes: dict[str, Any], severity: str | None
) -> None:
    assert [f.severity for f in flags(R29, held(**changes))] == ([severity] if severity else [])


def test_the_flag_tells_licence_process_and_day() -> None:
    flag = only(R29, held(valid_to="2025-12-31"))
    assert (flag.key, flag.subject) == ("process in-situ-leach", "operations")
    assert "On 2026-03-02 licence EX-1 (made-up mines office) ended on 2025-12-31" in (
        flag.explanation
    )
    assert flag.inputs["licences"][0]["valid_to"] == "2025-12-31"
    later = only(R29, held(valid_from="2027-01-01"))
    assert "begins on 2027-01-01 only" in later.explanation


def test_no_licence_at_all_is_critical_and_each_process_is_judged() -> None:
    none = filing(licences=[], processes=["in-situ-leach", "separation"])
    found = flags(R29, case(declaration=none))
    assert [(f.key, f.severity) for f in found] == [
        ("process in-situ-leach", "critical"),
        ("process separation", "critical"),
    ]
    assert "no licence is declared for it" in found[0].explanation


def test_one_good_licence_is_enough() -> None:
    good = row("licences", number="EX-2")
    assert flags(R29, held(valid_to="2025-12-31", also=[good])) == []


def test_a_licence_of_an_authority_in_fact_is_asked_about() -> None:
    text = only(R29, held(recognised=False)).explanation
    assert "the law does not recognise" in text
    assert "question" in text


@pytest.mark.parametrize("state", ["care", "closed", "abandoned"])
def test_a_site_at_rest_needs_no_licence_for_its_processes(state: str) -> None:
    resting = filing(status={"state": state, "since": "2025-01-01"}, licences=[])
    assert flags(R29, case(declaration=resting)) == []
    active = seen({"activity/heap-1": "5"})
    assert only(R29, case(declaration=resting, observed=active)).key == "radiation"


@pytest.mark.parametrize(
    ("activity", "severity"),
    [("0.99", None), ("1", "critical"), ("1.2±0.2", "critical"), ("1.2±0.21", "query")],
)
def test_from_one_becquerel_a_gram_on_a_radiation_licence_is_needed(
    activity: str, severity: str | None
) -> None:
    assert [f.severity for f in flags(R29, held(activity))] == ([severity] if severity else [])


def test_with_a_radiation_licence_activity_is_no_flag() -> None:
    assert flags(R29, held("5", also=[RADIATION])) == []
    ended = {**RADIATION, "valid_to": "2026-03-01"}
    assert only(R29, held("5", also=[ended])).severity == "critical"
    pending = {**ended, "renewal_applied": "2026-02-01"}
    assert only(R29, held("5", also=[pending])).severity == "query"


def test_declared_activities_count_too() -> None:
    lots = [row("shipments", activity_bq_g={"value": "2", "rel": "0.1"})]
    flag = only(R29, case(declaration=filing(shipments=lots)))
    assert "lot-7, as declared is 2 ± 0.4 Bq/g" in flag.explanation
    heaps = [row("residues", activity_bq_g={"value": "1.1", "rel": "0.2"})]
    assert only(R29, case(declaration=filing(residues=heaps))).severity == "query"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R29, case(declaration=None))[0]
    assert "licences" in needs(R29, case(declaration=declared()))[0]
    assert "day of the visit" in needs(R29, case(visited_on=""))[0]
    assert "activity" in needs(R29, case(observed=()))[0]
    assert "processes" in needs(R29, case(declaration=filing(processes=[])))[0]
