"""Adverse answers without evidence that an officer ruled out (scoring rule 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import scoring_world as w

from checklists.model import Item
from checklists.scoring import explain, score
from checklists.scoring.inputs import GivenAnswer, ScoreInputs, Visit

ITEM = w.item("I", "critical")
BARE = w.answer("I", "does-not-meet", proof=False)
YEAR = 365 * w.DAY_MS


def whole(item: Item, *visits: Visit) -> ScoreInputs:
    """A site of which all else is fully met."""
    first, *rest = visits
    first = replace(first, answers=(*first.answers, *w.whole_answers()))
    return w.inputs(w.whole(item), (first, *rest))


def line(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in document["items"] if one["item"] == "I"]
    return dict(found)


def judged(item: Item, *visits: Visit) -> dict[str, Any]:
    return line(score(whole(item, *visits)).to_json())


def test_it_counts_as_not_observed_and_withholds_nothing() -> None:
    """Rule 3: bounds 0 and 1, coverage as low as before, a grade."""
    visit, minor = w.visit("v1", BARE), w.item("I", "minor")
    before = score(whole(minor, visit)).to_json()
    assert (before["grade_state"], line(before)["high"]) == ("withheld", "0")
    after = score(whole(minor, w.ruled_out(visit, "I", reason="The camera fell in."))).to_json()
    told = line(after)
    assert (told["status"], told["effective"], told["low"], told["high"]) == (
        "not-observed",
        None,
        "0",
        "1",
    )
    assert (after["grade_state"], after["raw"]) == ("provisional", "100.000")
    assert after["coverage"] == before["coverage"] and after["caps"] == []
    assert (before["high"], after["high"]) == ("90.000", "100.000")
    texts = {one["code"]: one["text"] for one in after["reasons"]}
    assert texts["ruled-out"].endswith("ruled out: The camera fell in.")
    assert told["next"]["text"].startswith("Bring the evidence (photo 0 of 1)")
    text = explain(after)
    entry = told["ruled_out"][0]["entry"][:12]
    assert f"ruled out by p-officer in entry {entry}: The camera fell in." in text


def test_a_ruling_about_what_is_proven_changes_nothing() -> None:
    """Rule 3: it is about evidence that is missing."""
    visit = w.visit("v1", w.answer("I", "does-not-meet"))
    ruled = score(whole(ITEM, w.ruled_out(visit, "I"))).to_json()
    assert ruled == score(whole(ITEM, visit)).to_json()
    assert line(ruled)["effective"] == "0" and "ruled_out" not in line(ruled)


def test_it_applies_only_to_the_answers_and_files_that_it_names() -> None:
    """Rule 3: a changed answer, a file that came or went, a flag on one: all end it."""
    lost = replace(BARE, evidence=(w.fact("lost", held=False), w.fact("doc", "document")))
    visit = w.ruled_out(w.visit("v1", lost), "I")
    assert judged(ITEM, visit)["status"] == "not-observed"

    def changed(answer: GivenAnswer) -> str:
        status = judged(ITEM, replace(visit, answers=(answer,)))["status"]
        return str(status)

    one, other = lost.evidence
    assert changed(replace(lost, evidence=(other, one))) == "not-observed"
    assert changed(replace(lost, evidence=(replace(one, held=True), other))) == "counted"
    for left in (
        (one,),
        (one, replace(other, flagged=("R12",))),
        (one, other, w.fact("x", "scan")),
    ):
        assert changed(replace(lost, evidence=left)) == "adverse-unproven"
    assert changed(replace(lost, entry="f" * 64)) == "adverse-unproven"
    beside = replace(lost, entry="e" * 64, auditor="p-b", conflict=True)
    here = replace(visit, answers=(replace(lost, conflict=True), beside))
    assert judged(ITEM, here)["status"] == "adverse-unproven"


def test_what_was_replaced_without_evidence_goes_with_it_and_what_is_proven_stands_again() -> None:
    """Rules 2 and 3."""
    bare = w.answer("I", "partially", proof=False, replaced=True, at=w.NOW - 1)
    assert judged(ITEM, w.visit("v1", BARE, bare))["status"] == "adverse-unproven"
    assert judged(ITEM, w.ruled_out(w.visit("v1", BARE, bare), "I"))["status"] == "not-observed"
    proven = w.answer("I", "partially", replaced=True, at=w.NOW - 1)
    found = judged(ITEM, w.ruled_out(w.visit("v1", BARE, proven), "I"))
    assert (found["status"], found["effective"]) == ("counted", "0.3")
    assert found["ruled_out"]


def test_what_an_earlier_visit_found_carries_over() -> None:
    """Rule 4: as for any item that was not observed this time."""
    before = w.visit("v0", w.answer("I", "substantially", at=w.NOW - YEAR), at=w.NOW - YEAR)
    now = w.visit("v1", BARE)
    assert judged(ITEM, now, before)["status"] == "adverse-unproven"
    found = judged(ITEM, w.ruled_out(now, "I"), before)
    assert (found["status"], found["effective"], found["carried"]) == ("counted", "0.7", True)


def test_a_ruling_of_one_visit_says_nothing_of_another() -> None:
    before = w.visit("v0", replace(BARE, at=w.NOW - YEAR, entry="a" * 64), at=w.NOW - YEAR)
    now = w.visit("v1", BARE)
    assert judged(ITEM, now, w.ruled_out(before, "I"))["status"] == "adverse-unproven"
    assert judged(ITEM, w.ruled_out(now, "I"), before)["status"] == "adverse-unproven"
    both = judged(ITEM, w.ruled_out(now, "I"), w.ruled_out(before, "I"))
    assert both["status"] == "not-observed" and len(both["ruled_out"]) == 2


def test_of_several_wells_one_is_ruled_out_and_the_others_count() -> None:
    """The item is as good as its worst place that counts."""
    wells = w.item("I", instances=2)
    given = [w.answer("I", "does-not-meet", instance="w1", proof=False)]
    given += [w.answer("I", "fully", instance=name) for name in ("w2", "w3")]
    visit = w.visit("v1", *given)
    assert judged(wells, visit)["status"] == "adverse-unproven"
    found = judged(wells, w.ruled_out(visit, "I", "w1"))
    assert (found["status"], found["effective"]) == ("counted", "1")
    assert found["answer"]["instances"]["w1"]["status"] == "not-observed"
    assert [one["instance"] for one in found["ruled_out"]] == ["w1"]


def test_where_a_proven_finding_governs_anyway_nothing_is_ruled_out() -> None:
    """Rule 3: else the ruling could let an older refusal stand, which is worse."""
    wells = w.item("I", instances=2)
    then = w.NOW - YEAR
    before = w.visit("v0", w.answer("I", "refused", instance="w1", at=then), at=then)
    visit = w.visit(
        "v1",
        w.answer("I", "partially", instance="w1", proof=False),
        w.answer("I", "partially", instance="w2"),
    )
    ruled = w.ruled_out(visit, "I", "w1")
    assert judged(wells, ruled, before) == judged(wells, visit, before)
    assert judged(wells, ruled, before)["effective"] == "0.3"


def test_auditors_who_disagree_still_need_somebody_to_adjudicate() -> None:
    """Rules 3 and 5: that one of them lacks evidence does not say who is right."""
    zero = replace(BARE, auditor="p-b", conflict=True)
    visit = w.visit("v1", zero, w.answer("I", "fully", conflict=True))
    assert judged(ITEM, visit)["status"] == "adverse-unproven"
    found = judged(ITEM, w.ruled_out(visit, "I"))
    assert (found["status"], found["effective"], found["low"]) == ("counted", "1", "0")
    assert found["adjudicate"] and found["conflict"]
