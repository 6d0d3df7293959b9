"""What one item comes to, over its places and visits (scoring rules 1 to 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import scoring_world as w

from checklists.model import Condition, Item
from checklists.scoring.compute import score
from checklists.scoring.inputs import GivenAnswer, Visit

ARSENIC = w.item("N", scale="readings", analytes=(w.analyte("As", "As"), w.analyte("Pb", "Pb")))
TABLE = w.limits(As="0.010", Pb="0.010")
YEAR = 365 * w.DAY_MS


def outcome(item: Item, *visits: Visit, **more: Any) -> dict[str, Any]:
    document = score(w.inputs(w.checklist([item]), visits, **more)).to_json()
    return document["items"][0]


def once(item: Item, *answers: GivenAnswer, **more: Any) -> dict[str, Any]:
    return outcome(item, w.visit("v1", *answers), **more)


# -- less evidence lets nothing count that did not count before -----------------------------------


WELL = w.item("I", instances=2)
THIN = (w.fact("thin", signed=False, days_old=2 * 365),)  # q = 0.25, which allows 0.3


def at(name: str, given: str, days_old: int, **more: Any) -> Visit:
    when = w.NOW - days_old * w.DAY_MS
    return w.visit(name, w.answer("I", given, at=when, **more), at=when)


def test_thin_evidence_at_one_place_does_not_let_the_item_count_beside_an_unproven_one() -> None:
    """Rule 3: with good evidence at well 1 the item counts as not observed, with thin too."""
    other = w.answer("I", "fully", instance="2", proof=False)
    for evidence in (None, THIN):
        got = once(WELL, w.answer("I", "fully", instance="1", evidence=evidence), other)
        assert (got["status"], got["low"]) == ("not-observed", "0")


def test_thin_evidence_does_not_make_up_for_instances_that_are_missing() -> None:
    got = once(WELL, w.answer("I", "fully", instance="1", evidence=THIN))
    assert (got["status"], got["allowance"]) == ("not-observed", "0.3")


def test_thin_evidence_at_one_place_does_not_excuse_an_unproven_adverse_one() -> None:
    """Rule 3: only an adverse answer that is proven governs over one that is not."""
    adverse = w.answer("I", "partially", instance="2", proof=False)
    for evidence in (None, THIN):
        got = once(WELL, w.answer("I", "fully", instance="1", evidence=evidence), adverse)
        assert got["status"] == "adverse-unproven"


def test_an_adverse_answer_behind_two_claims_is_for_the_grade_alone() -> None:
    """Rule 3: were the middle one proven, the item would count as not observed; so it does."""
    adverse = at("v1", "does-not-meet", 30)
    newest = at("v3", "fully", 1, proof=False)
    got = outcome(w.item("I"), adverse, at("v2", "fully", 20), newest)
    assert (got["status"], got["for_grade"]["value"]) == ("not-observed", "0.3")
    got = outcome(w.item("I"), adverse, at("v2", "fully", 20, proof=False), newest)
    assert (got["status"], got["for_grade"]["value"]) == ("not-observed", "0")
    assert "as an adverse answer found it" in got["for_grade"]["text"]
    got = outcome(w.item("I"), adverse, newest)
    assert (got["status"], got["effective"], "for_grade" in got) == ("counted", "0", False)


def test_an_older_refusal_at_one_place_does_not_count_as_seen_beside_an_unproven_one() -> None:
    """Rule 3: the item would not count were well 1 proven, so hiding that changes nothing."""
    old = w.visit("v1", w.answer("I", "refused", instance="1", at=1), at=1)
    other = w.answer("I", "fully", instance="2", proof=False)
    shown, hidden = (
        outcome(WELL, old, w.visit("v2", w.answer("I", instance="1", proof=proof), other))
        for proof in (True, False)
    )
    assert (shown["status"], shown["for_grade"]["value"]) == ("not-observed", "0.3")
    assert (hidden["status"], hidden["for_grade"]["value"]) == ("not-observed", "0")


# -- levels and evidence --------------------------------------------------------------------------


def test_the_effective_value_is_the_smaller_of_answer_and_allowance() -> None:
    """Rule 3."""
    half = w.fact("a", signed=False)
    got = once(w.item("I"), w.answer("I", "fully", evidence=(half,)))
    assert (got["value"], got["allowance"], got["effective"]) == ("1", "0.7", "0.7")
    got = once(w.item("I"), w.answer("I", "partially", evidence=(half,)))
    assert got["effective"] == "0.3"


def test_a_favourable_answer_without_evidence_counts_as_not_observed() -> None:
    """Rule 3."""
    got = once(w.item("I"), w.answer("I", "substantially", proof=False))
    assert (got["status"], got["effective"], got["low"], got["high"]) == (
        "not-observed",
        None,
        "0",
        "1",
    )


def test_an_adverse_answer_without_evidence_sets_its_bounds_to_nothing() -> None:
    """Rule 3."""
    got = once(w.item("I"), w.answer("I", "partially", proof=False))
    assert (got["status"], got["effective"], got["low"], got["high"]) == (
        "adverse-unproven",
        None,
        "0",
        "0",
    )


def test_a_refusal_counts_as_does_not_meet_without_any_evidence() -> None:
    """Rules 2 and 3."""
    got = once(w.item("I"), w.answer("I", "refused", proof=False))
    assert (got["status"], got["effective"], got["lost"]) == ("refused", "0", "100.000")


# -- not applicable -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "reason", "second", "status"),
    [
        ("major", "no dormitory here", None, "not-applicable"),
        ("major", " ", None, "not-observed"),
        ("critical", "no dormitory here", "p-bbbbbbbb", "not-applicable"),
        ("critical", "no dormitory here", None, "not-observed"),
        ("critical", "no dormitory here", "p-aaaaaaaa", "not-observed"),
    ],
)
def test_not_applicable_needs_a_reason_and_at_a_critical_item_a_second_person(
    severity: str, reason: str, second: str | None, status: str
) -> None:
    """Rule 2."""
    given = w.answer("I", "not-applicable", reason=reason, second=second)
    assert once(w.item("I", severity), given)["status"] == status


def test_an_instance_that_does_not_apply_leaves_the_others_to_count() -> None:
    item = w.item("I", instances=1)
    got = once(
        item,
        w.answer("I", "not-applicable", instance="pond-1", reason="filled in"),
        w.answer("I", "substantially", instance="pond-2"),
    )
    assert (got["status"], got["effective"], got["answer"]["instance"]) == (
        "counted",
        "0.7",
        "pond-2",
    )


def test_more_than_a_fifth_of_a_section_said_not_to_apply_raises_an_alert() -> None:
    """Rule 2."""
    items = [w.item(f"I-{n}") for n in range(6)]
    given = [w.answer(i.id) for i in items]

    def alerts(away: int) -> list[Any]:
        for n in range(away):
            given[n] = w.answer(f"I-{n}", "not-applicable", reason="none here")
        return score(w.inputs(w.checklist(items), [w.visit("v", *given)])).to_json()["alerts"]

    assert alerts(1) == []
    assert [a["section"] for a in alerts(2)] == ["s1"]


# -- instances and readings -----------------------------------------------------------------------


def test_the_worst_instance_counts() -> None:
    """Rule 1."""
    item = w.item("I", instances=2)
    got = once(
        item, w.answer("I", instance="well-1"), w.answer("I", "partially", instance="well-2")
    )
    assert (got["effective"], got["answer"]["instance"]) == ("0.3", "well-2")


def test_one_refused_instance_makes_the_item_refused() -> None:
    """Rule 2."""
    item = w.item("I", instances=1)
    got = once(item, w.answer("I", instance="a"), w.answer("I", "refused", instance="b"))
    assert (got["status"], got["effective"], got["high"]) == ("refused", "0", "0")


def test_too_few_instances_leave_a_good_answer_unobserved_and_a_bad_one_counting() -> None:
    item = w.item("I", instances=2)
    assert once(item, w.answer("I", instance="well-1"))["status"] == "not-observed"
    bad = once(item, w.answer("I", "does-not-meet", instance="well-1"))
    assert (bad["status"], bad["effective"]) == ("counted", "0")


def test_one_unproven_good_instance_leaves_a_good_item_unobserved() -> None:
    item = w.item("I", instances=1)
    got = once(item, w.answer("I", instance="a"), w.answer("I", instance="b", proof=False))
    assert got["status"] == "not-observed"


def test_an_unproven_adverse_instance_governs_better_ones() -> None:
    item = w.item("I", instances=1)
    got = once(
        item, w.answer("I", instance="a"), w.answer("I", "does-not-meet", instance="b", proof=False)
    )
    assert got["status"] == "adverse-unproven"


def test_a_proven_adverse_instance_counts_beside_an_unproven_one_that_is_no_worse() -> None:
    item = w.item("I", instances=1)
    got = once(
        item,
        w.answer("I", "does-not-meet", instance="a"),
        w.answer("I", "partially", instance="b", proof=False),
    )
    assert (got["status"], got["effective"]) == ("counted", "0")


def test_leaving_out_the_bad_analyte_does_not_help() -> None:
    good = w.answer("N", "", readings=(w.reading("As", "0.001"),))
    got = once(ARSENIC, good, table=TABLE)
    assert (got["status"], "Pb" in got["why"]) == ("not-observed", True)
    bad = w.answer("N", "", readings=(w.reading("As", "0.034"),))
    assert once(ARSENIC, bad, table=TABLE)["effective"] == "0"


def test_a_level_in_place_of_readings_counts_only_against_the_site() -> None:
    assert once(ARSENIC, w.answer("N", "fully"), table=TABLE)["status"] == "not-observed"
    assert once(ARSENIC, w.answer("N", "partially"), table=TABLE)["effective"] == "0.3"


def test_readings_that_none_can_use_are_no_observation() -> None:
    given = w.answer("N", "", readings=(w.reading("As", "8", unit="µg/L"),))
    got = once(ARSENIC, given, table=TABLE)
    assert got["status"] == "not-observed"
    assert got["answer"]["readings"][0]["band"] is None


def test_an_item_whose_readings_have_no_legal_limit_leaves_and_is_listed() -> None:
    """Rule 1."""
    what = w.whole(ARSENIC)
    given = w.answer("N", "", readings=(w.reading("As", "9"),))
    with_gap = score(w.inputs(what, [w.visit("v", *w.whole_answers(), given)])).to_json()
    assert [i["status"] for i in with_gap["items"] if i["item"] == "N"] == ["no-limit"]
    assert [g["analyte"] for g in with_gap["gaps"]] == ["As", "Pb"]
    assert (with_gap["coverage"], with_gap["raw"]) == ("1.000", "100.000")


def test_an_analyte_without_a_limit_is_listed_while_the_others_count() -> None:
    given = w.answer("N", "", readings=(w.reading("As", "0.001"), w.reading("Pb", "5")))
    document = score(
        w.inputs(w.checklist([ARSENIC]), [w.visit("v", given)], table=w.limits(As="0.010"))
    ).to_json()
    assert document["items"][0]["effective"] == "1"
    assert [g["analyte"] for g in document["gaps"]] == ["Pb"]


def test_valid_readings_have_no_auditors_spread_and_others_do() -> None:
    """Rule 7."""

    def se(u: str | None) -> str:
        given = w.answer("N", "", readings=(w.reading("As", "0.01", u), w.reading("Pb", "0.01", u)))
        return score(
            w.inputs(w.checklist([ARSENIC]), [w.visit("v", given)], table=TABLE)
        ).to_json()["se"]

    assert (se("0.001"), se(None)) == ("0.000", "15.000")


# -- visits one after another (rules 2 and 4) -----------------------------------------------------


def test_an_item_not_visited_this_time_carries_over_until_its_evidence_is_too_old() -> None:
    """Rule 4: a photo is worth 0.25 at 365 + 2 × 365 days."""

    def old(days: int) -> dict[str, Any]:
        at = w.NOW - days * w.DAY_MS
        photo = w.fact("old", days_old=days)
        first = w.visit("v1", w.answer("I", at=at, evidence=(photo,)), at=at)
        return outcome(w.item("I"), first, w.visit("v2"))

    assert (old(300)["effective"], old(300)["carried"], old(300)["visit"]) == ("1", True, "v1")
    assert old(1095)["effective"] == "0.3"
    assert old(1096)["status"] == "not-observed"


def test_the_newest_answer_counts() -> None:
    got = outcome(
        w.item("I"),
        w.visit("v1", w.answer("I", "does-not-meet"), at=w.NOW - YEAR),
        w.visit("v2", w.answer("I", "fully")),
    )
    assert (got["effective"], got["carried"]) == ("1", False)


@pytest.mark.parametrize("adverse", ["partially", "does-not-meet", "refused"])
def test_not_observed_never_displaces_an_earlier_adverse_answer(adverse: str) -> None:
    """Rule 2."""
    got = outcome(
        w.item("I"),
        w.visit("v1", w.answer("I", adverse), at=w.NOW - YEAR),
        w.visit("v2", w.answer("I", "not-observed")),
    )
    assert got["visit"] == "v1"
    assert got["status"] in ("counted", "refused")


def test_a_favourable_answer_without_evidence_never_displaces_an_adverse_one() -> None:
    """Rules 2 and 3 together."""
    got = outcome(
        w.item("I"),
        w.visit("v1", w.answer("I", "does-not-meet"), at=w.NOW - YEAR),
        w.visit("v2", w.answer("I", "fully", proof=False)),
    )
    assert (got["status"], got["effective"], got["visit"]) == ("counted", "0", "v1")


def test_a_favourable_answer_without_evidence_is_not_rescued_by_an_earlier_good_one() -> None:
    got = outcome(
        w.item("I"),
        w.visit("v1", w.answer("I", "fully"), at=w.NOW - YEAR),
        w.visit("v2", w.answer("I", "substantially", proof=False)),
    )
    assert (got["status"], got["visit"]) == ("not-observed", "v2")


def test_an_adverse_answer_that_was_mended_with_evidence_does_not_come_back() -> None:
    got = outcome(
        w.item("I"),
        w.visit("v1", w.answer("I", "does-not-meet"), at=w.NOW - 2 * w.DAY_MS),
        w.visit("v2", w.answer("I", "fully"), at=w.NOW - w.DAY_MS),
        w.visit("v3", w.answer("I", "fully", proof=False)),
    )
    assert (got["status"], got["visit"]) == ("not-observed", "v3")


def test_an_adverse_answer_that_was_replaced_stands_again_behind_not_observed() -> None:
    """Rule 2, within one visit; the device's clock may have been wrong."""
    replaced = w.answer("I", "partially", at=w.NOW + 5, replaced=True)
    hidden = once(w.item("I"), w.answer("I", "not-observed"), replaced)
    assert hidden["effective"] == "0.3"
    corrected = once(w.item("I"), w.answer("I", "fully"), replaced)
    assert corrected["effective"] == "1"


def test_each_place_carries_over_by_itself() -> None:
    item = w.item("I", instances=1)
    got = outcome(
        item,
        w.visit("v1", w.answer("I", "does-not-meet", instance="well-1"), at=w.NOW - YEAR),
        w.visit("v2", w.answer("I", "fully", instance="well-2")),
    )
    assert (got["effective"], got["visit"]) == ("0", "v1")


# -- several answers ------------------------------------------------------------------------------


def test_of_two_answers_side_by_side_the_lower_counts_and_the_bounds_are_the_extremes() -> None:
    """Rule 5, protocol L6."""
    got = once(
        w.item("I"),
        w.answer("I", "fully", conflict=True),
        w.answer("I", "partially", auditor="p-bbbbbbbb", conflict=True),
    )
    assert (got["effective"], got["low"], got["high"], got["conflict"]) == ("0.3", "0.3", "1", True)
    assert len(got["answer"]["side_by_side"]) == len(got["entries"]) == 2


def beside(*levels: str, **more: Any) -> list[GivenAnswer]:
    """What each of several auditors said at one place, all with the same picture."""
    return [
        w.answer("I", level, auditor=f"p-{n}", evidence=(w.fact("a"),), conflict=True, **more)
        for n, level in enumerate(levels)
    ]


def test_the_devices_of_one_auditor_are_one_word_in_a_disagreement() -> None:
    """Rule 5: three entries, two auditors."""
    first, second, third = beside("fully", "fully", "partially")
    got = once(w.item("I"), first, replace(second, auditor="p-0"), third)
    assert (got["effective"], got["auditors"]) == ("0.3", 1)
    assert once(w.item("I"), first, second, third)["effective"] == "1"
    same = once(w.item("I"), *beside("partially", "fully"))
    assert same["adjudicate"]
    own = [replace(a, auditor="p-0") for a in beside("partially", "fully")]
    assert "adjudicate" not in once(w.item("I"), *own)


def test_who_disagrees_replaces_a_colleagues_answer_by_a_word_beside_theirs() -> None:
    """Rule 5: `overruled` is the colleague's last word; the third person's replaces it."""

    def ended(severity: str, theirs: str, mine: str) -> dict[str, Any]:
        overruled = w.answer("I", theirs, auditor="p-b", replaced=True, overruled=True)
        return once(w.item("I", severity), w.answer("I", mine, auditor="p-a"), overruled)

    far = ended("major", "partially", "fully")
    assert (far["effective"], far["low"], far["high"]) == ("0.3", "0.3", "1")
    assert (far["adjudicate"], far["conflict"]) == (True, False)
    assert "replaced the other's answer" in far["why"]
    near = ended("major", "substantially", "fully")
    assert (near["effective"], near["low"], near["high"]) == ("0.7", "0.7", "1")
    assert "adjudicate" not in near and "replaced the other's answer" in near["why"]
    assert ended("critical", "substantially", "fully")["adjudicate"]
    agreed = ended("critical", "partially", "partially")
    assert (agreed["effective"], agreed["auditors"], agreed["why"]) == ("0.3", 2, "")
    assert "adjudicate" not in agreed


def test_an_unproven_word_under_the_median_governs_and_a_claim_has_a_place_in_it() -> None:
    """Rules 3 and 5: what is hidden raises nothing."""
    bare = [replace(a, evidence=()) for a in beside("partially", "partially")]
    zero, *good = beside("does-not-meet", "fully", "fully", "fully")
    others = [replace(a, auditor=f"p-x{n}") for n, a in enumerate(good[:2])]
    assert once(w.item("I"), zero, *bare, *others)["status"] == "adverse-unproven"
    claim = replace(good[2], evidence=())
    got = once(w.item("I"), *beside("substantially", "substantially"), claim)
    assert (got["status"], got["effective"]) == ("counted", "0.7")
    got = once(w.item("I"), claim, *(replace(a, evidence=()) for a in others), good[0])
    assert (got["status"], got["for_grade"]["value"]) == ("not-observed", "0.3")
    assert once(w.item("I"), zero, claim)["effective"] == "0"
    partly = beside("partially", "fully")[0]
    assert once(w.item("I"), partly, claim, good[0])["effective"] == "0.3"


def test_an_adverse_answer_counts_beside_a_claim_only_where_the_claim_would_if_proven() -> None:
    """Rules 3 and 5: of two wells asked for only one was seen, whatever is hidden there."""
    item = w.item("I", instances=2)
    answers = [replace(a, instance="w1") for a in beside("fully", "partially", "fully")]
    whole = once(item, *answers)
    assert (whole["status"], "for_grade" in whole) == ("not-observed", False)
    hidden = once(item, replace(answers[0], evidence=()), *answers[1:])
    assert (hidden["status"], hidden["for_grade"]["value"]) == ("not-observed", "0.3")


def test_a_rival_that_saw_nothing_widens_the_bounds() -> None:
    """Rules 5 and 6."""
    got = once(
        w.item("I"),
        w.answer("I", "substantially", conflict=True),
        w.answer("I", "not-observed", auditor="p-bbbbbbbb", conflict=True),
    )
    assert (got["effective"], got["low"], got["high"]) == ("0.7", "0", "1")


def test_auditors_who_agree_narrow_the_interval_as_far_back_as_nobody_disagreed() -> None:
    """Rule 7."""

    def auditors(*given: tuple[str, str]) -> int:
        visits = [
            w.visit(f"v{n}", w.answer("I", level, auditor=who), at=w.NOW - n * w.DAY_MS)
            for n, (who, level) in enumerate(given)
        ]
        return outcome(w.item("I"), *visits)["auditors"]

    assert auditors(("p-a", "fully"), ("p-b", "fully")) == 2
    assert auditors(("p-a", "fully"), ("p-a", "fully")) == 1
    assert auditors(("p-a", "fully"), ("p-b", "partially"), ("p-c", "fully")) == 1


def test_an_auditors_own_measured_spread_replaces_the_general_one() -> None:
    """Rule 7: √(0.1² + 0.15²) / 2 for two auditors."""
    visits = [
        w.visit("v1", w.answer("I", auditor="p-a")),
        w.visit("v2", w.answer("I", auditor="p-b")),
    ]
    what = w.checklist([w.item("I")])
    assert score(w.inputs(what, visits)).to_json()["se"] == "10.607"
    assert score(w.inputs(what, visits, sigmas={"p-a": 100})).to_json()["se"] == "9.014"


def test_an_entry_that_needs_a_newer_version_is_never_shown_as_the_value_before_it() -> None:
    """Protocol L6: no answer, and no grade, until it can be read."""
    old = w.visit("v1", *w.whole_answers(), w.answer("I"), at=w.NOW - w.DAY_MS)
    new = replace(w.visit("v2", *w.whole_answers()), unread=(("I", "-"),))
    document = score(w.inputs(w.whole(w.item("I", "minor")), [old, new])).to_json()
    assert document["items"][3]["status"] == "unanswered"
    assert (document["grade"], document["grade_state"]) == (None, "withheld")


# -- conditions -----------------------------------------------------------------------------------


def test_an_item_whose_condition_fails_changes_nothing_else() -> None:
    absent = w.item("X", "critical", condition=Condition("process", values=("separation",)))
    with_it = score(
        w.inputs(w.whole(absent), [w.visit("v", *w.whole_answers())], processes=("recycling",))
    ).to_json()
    without = score(w.inputs(w.whole(), [w.visit("v", *w.whole_answers())])).to_json()
    assert with_it["items"].pop()["status"] == "does-not-apply"
    with_it["sections"].pop()
    assert with_it == without


def test_a_condition_reads_answers_as_recorded() -> None:
    follow_up = w.item("F", condition=Condition("answer", subject="Q", values=("fully",)))
    what = w.checklist([w.item("Q"), follow_up])

    def status(*answers: GivenAnswer) -> str:
        return score(w.inputs(what, [w.visit("v", *answers)])).to_json()["items"][1]["status"]

    assert status(w.answer("Q", "fully", proof=False)) == "unanswered"
    assert status(w.answer("Q", "partially")) == "does-not-apply"
    assert status() == "unanswered"
