from __future__ import annotations

from discrepancy_cases import SHA, VISIT, case, flags, needs, only, photo, use

from checklists.discrepancies.photos import R13


def test_the_same_bytes_in_another_visit_are_critical_on_the_record() -> None:
    flag = only(R13, case(other_uses={SHA: (use(),)}))
    assert (flag.severity, flag.subject, flag.key, flag.evidence) == (
        "critical",
        "record",
        SHA,
        (SHA,),
    )
    assert "another facility on 2025-06-15" in flag.explanation
    assert "Other Mine" not in str(flag), "the name may be more than a reader may know"
    assert flag.inputs["uses"][0]["where"] == "another facility"


def test_a_use_at_the_same_facility_is_said_as_such() -> None:
    flag = only(R13, case(other_uses={SHA: (use(facility="made-up-mine"),)}))
    assert "this facility on" in flag.explanation


def test_a_use_within_the_same_visit_is_none() -> None:
    assert R13.find(case(other_uses={SHA: (use(inspection=VISIT),)})) == ()


def test_another_photograph_s_reuse_is_not_this_one_s() -> None:
    assert R13.find(case(other_uses={"cd" * 32: (use(),)})) == ()


def test_documents_and_scans_may_be_shown_again() -> None:
    for shown in (photo(kind="document"), photo(source="scan")):
        assert R13.find(case(photos=(shown,), other_uses={SHA: (use(),)})) == ()


def test_a_picture_taken_in_the_client_counts_too() -> None:
    taken = photo(source="taken-here", facts=None)
    assert only(R13, case(photos=(taken,), other_uses={SHA: (use(),)})).severity == "critical"


def test_a_device_that_knows_only_its_own_visits_says_what_is_needed() -> None:
    alone = case(uses_complete=False)
    assert flags(R13, alone) == []
    assert "other visits" in needs(R13, alone)[0]
    known = case(uses_complete=False, other_uses={SHA: (use(),)})
    assert len(flags(R13, known)) == 1
    assert needs(R13, known) == []
    assert R13.find(case(uses_complete=False, photos=())) == ()
