"""Pillars, caps, grades, and what holds a grade back (scoring rules 2, 6, 8 and 9)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import scoring_world as w

from checklists.model import Item
from checklists.scoring.compute import score
from checklists.scoring.explain import explain
from checklists.scoring.grades import letter
from checklists.scoring.inputs import FlagFact, GivenAnswer

CRITICAL = w.item("C", "critical")
MINOR = w.item("M", "minor")


def graded(*extra: tuple[Item, GivenAnswer | None], **more: Any) -> dict[str, Any]:
    """Three items fully met, one in each pillar, and some more."""
    what = w.whole(*(item for item, _ in extra))
    answers = [*w.whole_answers(), *(a for _, a in extra if a is not None)]
    return score(w.inputs(what, [w.visit("v1", *answers)], **more)).to_json()


def codes(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document["reasons"]]


def flag(**changes: Any) -> FlagFact:
    given = {"id": "f1", "rule": "R16", "severity": "critical", "subject": "operations"}
    return FlagFact(**(given | {"status": "open"} | changes))


@pytest.mark.parametrize(
    ("capped", "pillar", "want"),
    [
        ("85", "75", "A"),
        ("85", "74.999", "B"),
        ("84.999", "75", "B"),
        ("70", "60", "B"),
        ("70", "59.999", "C"),
        ("50", "50", "C"),
        ("50", "49.999", "D"),
        ("40", "0", "D"),
        ("39.999", "39", "E"),
    ],
)
def test_grades_have_a_threshold_for_the_whole_and_one_for_every_pillar(
    capped: str, pillar: str, want: str
) -> None:
    """Rule 9."""
    assert letter(Fraction(capped), Fraction(pillar)) == want


def test_thresholds_are_compared_before_rounding() -> None:
    assert letter(Fraction(849_999_999, 10_000_000), Fraction(80)) == "B"


def test_all_fully_met_and_shown_is_an_a_with_nothing_to_explain() -> None:
    document = graded()
    assert (document["grade"], document["grade_state"], document["reasons"]) == ("A", "graded", [])
    assert document["disclaimer"] == "A finding of inspections, not a proof of compliance."


@pytest.mark.parametrize(
    ("level", "cap", "grade"),
    [("substantially", "84", "B"), ("partially", "59", "C"), ("does-not-meet", "39", "E")],
)
def test_the_worst_effective_value_of_a_critical_item_caps_the_score(
    level: str, cap: str, grade: str
) -> None:
    """Rule 8. Six items fully met keep the pillar high enough for the grade."""
    items = [(w.item(f"F{n}", "critical"), w.answer(f"F{n}")) for n in range(6)]
    document = graded(*items, (CRITICAL, w.answer("C", level)))
    assert document["caps"][0]["at"] == cap
    assert document["caps"][0]["item"] == "C"
    assert (document["capped"], document["grade"]) == (f"{cap}.000", grade)
    assert float(document["raw"]) > float(cap)


def test_poor_evidence_caps_as_the_value_it_leaves() -> None:
    """Rule 8: effective, not answered, values cap."""
    unsigned = w.fact("a", signed=False)
    document = graded((CRITICAL, w.answer("C", evidence=(unsigned,))))
    assert document["caps"][0]["at"] == "84"


def test_hiding_thin_evidence_raises_neither_cap_nor_grade() -> None:
    """Rules 3 and 8: below a quarter, S loses the item; the grade counts it as partially met."""
    thin = w.fact("a", signed=False, days_old=730)
    many = [(w.item(f"F{n}", "critical"), w.answer(f"F{n}")) for n in range(10)]
    shown = graded(*many, (CRITICAL, w.answer("C", evidence=(thin,))))
    hidden = graded(*many, (CRITICAL, w.answer("C", evidence=(replace(thin, held=False),))))
    assert float(hidden["raw"]) > float(shown["raw"])  # S is of what was answered
    for document in (shown, hidden):
        assert (document["capped"], document["grade"]) == ("59.000", "C")
        assert [cap["at"] for cap in document["caps"]] == ["59"]
    assert "for_grade" not in shown
    assert hidden["for_grade"]["raw"] == shown["raw"]
    assert hidden["for_grade"]["items"] == ["C"]
    assert hidden["grade_state"] == "provisional"
    because = "counted for the grade as partially met, because its evidence fell below a quarter"
    assert hidden["caps"][0]["because"] == f"C is critical and {because}"
    assert f"C is {because}." in [r["text"] for r in hidden["reasons"]]
    row = next(i for i in hidden["items"] if i["item"] == "C")
    assert row["for_grade"] == {"value": "0.3", "text": because}
    told = explain(hidden)
    assert told.count(because) == 3  # at the item, at its cap, at the grade
    assert f"for the grade   {shown['raw']}" in told
    assert f"59.000 after caps, {hidden['raw']} before" in told
    minor = graded(*many, (MINOR, w.answer("M", proof=False)))
    lowered = f"{minor['for_grade']['raw']} for the grade, {minor['raw']} shown"
    assert explain(minor).splitlines()[0].startswith(f"{minor['grade']} · {lowered} (")


def test_what_is_hidden_counts_for_the_grade_only_where_it_lowers_it() -> None:
    """Rule 3: a pillar below 0.3 is not raised by it."""
    poor = [(w.item(f"F{n}", "critical"), w.answer(f"F{n}", "does-not-meet")) for n in range(10)]
    document = graded(*poor, (MINOR, w.answer("M", proof=False)))
    assert "for_grade" not in document
    assert "counted-for-grade" not in codes(document)


def test_a_refused_critical_item_caps_like_one_that_is_not_met() -> None:
    assert graded((CRITICAL, w.answer("C", "refused")))["caps"][0]["at"] == "39"


def test_items_that_are_not_critical_cap_nothing() -> None:
    assert graded((MINOR, w.answer("M", "does-not-meet")))["caps"] == []


def test_an_unanswered_critical_item_makes_the_grade_provisional() -> None:
    """Rule 8. The pillar's coverage stays above 0.9."""
    many = [(w.item(f"F{n}", "critical"), w.answer(f"F{n}")) for n in range(10)]
    document = graded(*many, (CRITICAL, None))
    assert (document["grade"], document["grade_state"]) == ("A", "provisional")
    assert codes(document) == ["critical-unanswered"]


def test_coverage_under_nine_tenths_is_provisional_and_at_nine_tenths_is_not() -> None:
    """Rule 8. Weights answered: 9 of 10, then 8 of 9."""
    two = [(w.item(f"F{n}"), w.answer(f"F{n}")) for n in range(2)]
    assert graded(*two, (MINOR, None))["grade_state"] == "graded"
    some = [(w.item("F1", "critical"), w.answer("F1"))]
    document = graded(*some, (MINOR, None))
    assert (document["grade"], document["grade_state"]) == ("A", "provisional")
    assert codes(document) == ["coverage-low"]


def test_coverage_under_six_tenths_gives_no_grade_and_at_six_tenths_does() -> None:
    """Rule 8. Weights answered in the pillar: 3 of 5, then 3 of 6."""
    one, other = w.item("M1", "minor"), w.item("M2", "minor")
    assert graded((one, None), (other, None))["grade_state"] == "provisional"
    document = graded((w.item("I"), None))
    assert (document["grade"], document["grade_state"]) == (None, "none")
    assert codes(document) == ["coverage-too-low"]
    assert document["raw"] == "100.000"


def test_a_pillar_with_nothing_applicable_leaves_and_weights_are_renormalised() -> None:
    """Rule 6: environment 40 and governance 25 become 40/65 and 25/65."""
    what = w.checklist(
        [w.item("B-E"), w.item("B-S", pillar="social"), w.item("B-G", pillar="governance")]
    )
    given = [
        w.answer("B-E", "fully"),
        w.answer("B-S", "not-applicable", reason="nobody works here"),
        w.answer("B-G", "substantially"),
    ]
    document = score(w.inputs(what, [w.visit("v", *given)])).to_json()
    assert document["raw"] == "88.462"
    assert document["pillars"][1]["S"] is None
    assert document["grade"] == "B"


def test_a_pillar_that_applies_and_is_unanswered_leaves_no_score_and_no_grade() -> None:
    given = [w.answer("B-E"), w.answer("B-S")]
    document = score(w.inputs(w.whole(), [w.visit("v", *given)])).to_json()
    assert (document["raw"], document["grade"], document["grade_state"]) == (None, None, "none")
    assert codes(document) == ["pillar-unanswered"]
    assert (document["low"], document["high"]) == ("75.000", "100.000")


def test_an_unproven_adverse_answer_withholds_the_grade() -> None:
    """Rule 3."""
    document = graded((MINOR, w.answer("M", "does-not-meet", proof=False)))
    assert (document["grade"], document["grade_state"]) == (None, "withheld")
    assert "adverse-unproven" in codes(document)
    assert (document["raw"], document["low"], document["high"]) == ("90.000", "90.000", "90.000")


def test_an_open_critical_flag_about_operations_withholds_and_lowers_nothing() -> None:
    """Rule 8."""
    document = graded(flags=(flag(),))
    assert (document["grade"], document["grade_state"]) == (None, "withheld")
    assert (document["raw"], document["capped"], document["caps"]) == ("100.000", "100.000", [])
    assert codes(document) == ["open-flag"]


def test_an_upheld_critical_flag_about_operations_caps_at_39() -> None:
    """Rule 8."""
    document = graded(flags=(flag(status="upheld"),))
    assert (document["grade"], document["capped"]) == ("E", "39.000")
    assert document["caps"][0]["flag"] == "f1"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "record"},
        {"subject": "record", "status": "upheld"},
        {"severity": "major"},
        {"severity": "query"},
        {"status": "dismissed"},
        {"status": "superseded"},
        {"protected": True},
        {"protected": True, "status": "upheld"},
    ],
)
def test_other_flags_do_not_act_on_the_grade_nor_show(changes: dict[str, Any]) -> None:
    """Rule 8: an auditor's mistake cannot sink a mine; protected flags change nothing visible."""
    assert graded(flags=(flag(**changes),)) == graded()


@pytest.mark.parametrize("outcome", ["refused-at-the-gate", "unsafe-and-left", "evacuated"])
def test_a_visit_that_saw_nothing_carries_no_grade_and_says_why(outcome: str) -> None:
    """Rule 2."""
    visits = [w.visit("v1", *w.whole_answers("does-not-meet"), outcome=outcome)]
    document = score(w.inputs(w.whole(), visits)).to_json()
    assert (document["grade"], document["grade_state"], document["raw"]) == (None, "none", None)
    assert outcome in codes(document)
    assert [v["counts"] for v in document["visits"]] == [False]


def test_a_refusal_after_a_good_visit_adds_nothing_and_is_told() -> None:
    earlier = w.visit("v1", *w.whole_answers(), at=w.NOW - w.DAY_MS)
    refused = w.visit("v2", *w.whole_answers("does-not-meet"), outcome="refused-at-the-gate")
    document = score(w.inputs(w.whole(), [refused, earlier])).to_json()
    assert (document["grade"], document["grade_state"]) == ("A", "graded")
    assert codes(document) == ["refused-at-the-gate"]


def test_a_site_that_nobody_visited_has_no_grade() -> None:
    document = score(w.inputs(w.whole(), [])).to_json()
    assert (document["grade_state"], codes(document)[0]) == ("none", "no-visit")
    assert document["coverage"] == "0.000"


def test_a_visit_without_an_outcome_yet_is_provisional() -> None:
    document = score(w.inputs(w.whole(), [w.visit("v", *w.whole_answers(), outcome="")])).to_json()
    assert (document["grade"], document["grade_state"]) == ("A", "provisional")
    assert codes(document) == ["no-outcome"]


def test_answers_side_by_side_make_the_grade_provisional() -> None:
    """Rule 5, until one entry replaces them all."""
    document = score(
        w.inputs(
            w.whole(),
            [
                w.visit(
                    "v",
                    *w.whole_answers(),
                    w.answer("B-E", "fully", auditor="p-bbbbbbbb", conflict=True),
                )
            ],
        )
    ).to_json()
    assert (document["grade"], document["grade_state"]) == ("A", "provisional")
    assert codes(document) == ["conflict"]


def test_auditors_far_apart_ask_for_adjudication_until_a_third_person_has_decided() -> None:
    """Rules 5 and 10: provisional, said at the item and as its next step, with what it may gain."""
    answers = [
        w.answer("B-E", level, auditor=who, conflict=True, evidence=(w.fact("a"),))
        for level, who in (("partially", "p-a"), ("fully", "p-b"))
    ]
    visit = w.visit("v", *answers, *w.whole_answers()[1:])
    document = score(w.inputs(w.whole(), [visit])).to_json()
    assert document["grade_state"] == "provisional"
    assert codes(document) == ["conflict", "adjudication"]
    assert "5" in document["rules"]
    step = document["next"][0]
    assert (step["item"], step["gain"]) == ("B-E", "28.000")  # 0.40 · (100 - 30)
    assert "adjudicated" in step["text"]
    told = explain(document)
    assert told.count("somebody who is none of them has to adjudicate") == 2
    decided = w.visit("v", w.answer("B-E", "fully", auditor="p-c"), *w.whole_answers()[1:])
    after = score(w.inputs(w.whole(), [decided])).to_json()
    assert (after["grade"], codes(after)) == ("A", [])


def test_points_won_and_lost_add_up_to_the_pillar() -> None:
    """Rule 10."""
    document = graded(
        (CRITICAL, w.answer("C", "substantially")), (MINOR, w.answer("M", "partially"))
    )
    mine = [i for i in document["items"] if i["pillar"] == "environment"]
    won, lost = sum(float(i["won"]) for i in mine), sum(float(i["lost"]) for i in mine)
    assert abs(won - float(document["pillars"][0]["S"])) < 0.002
    assert abs(won + lost - 100) < 0.002


def test_the_next_step_names_what_is_missing_and_the_largest_gain_comes_first() -> None:
    """Rule 10: 0.4 · 5 · 100 / 9 for the critical item, 0.4 · 100 / 9 for the minor one."""
    document = graded((w.item("Z", "critical"), w.answer("Z", proof=False)), (MINOR, None))
    assert [(n["item"], n["gain"]) for n in document["next"]] == [("Z", "22.222"), ("M", "4.444")]
    assert "photo 0 of 1" in document["next"][0]["text"]


def test_anything_else_side_by_side_makes_the_grade_provisional_too() -> None:
    """Protocol L6: the inspection cannot be accepted while a conflict stands."""
    paths = ("observed/operating/warm-kiln", "outcome")
    visited = replace(w.visit("v", *w.whole_answers()), side_by_side=paths)
    document = score(w.inputs(w.whole(), [visited])).to_json()
    assert (document["grade"], document["grade_state"]) == ("A", "provisional")
    assert codes(document) == ["conflict", "conflict"]
    texts = [reason["text"] for reason in document["reasons"]]
    assert "operating/warm-kiln" in texts[0] and "outcome" in texts[1]
