"""Another version of a checklist or limits table re-scores what it touches, and says why."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import scoring_world as w
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.model import Checklist, Condition, Item, Piece, Section
from checklists.rescoring import Rescored, between, lines, rescore
from checklists.scoring import score
from checklists.scoring.inputs import ScoreInputs

BASE = (
    w.item("A", "critical", "environment"),
    w.item("B", "major", "social", condition=Condition("answer", subject="A", values=("fully",))),
    w.item("C", "minor", "governance"),
    w.item("N", "major", "governance", scale="readings", analytes=(w.analyte("As", "As"),)),
    w.item("P", "major", "social", scale="readings", analytes=(w.analyte("Pb", "Pb"),)),
)
TABLE = w.limits(As="0.010", Pb="0.010")
ANSWERS = (
    *(w.answer(name, "substantially") for name in "AC"),
    w.answer("B", "fully"),
    w.answer("N", readings=(w.reading("As", "0.0080"),)),
    w.answer("P", readings=(w.reading("Pb", "0.0080"),)),
)


def inputs(answers: Any = ANSWERS, items: Any = BASE) -> ScoreInputs:
    return w.inputs(w.checklist(items), [w.visit("v", *answers)], table=TABLE)


def newer(**changed: Item | None) -> Checklist:
    """The checklist with some items replaced, or taken out where there is None."""
    items = [changed.get(one.id, one) for one in BASE]
    return replace(w.checklist([one for one in items if one is not None]), digest="d" * 64)


def done(found: Rescored | None) -> Rescored:
    assert found is not None
    return found


def why(found: Rescored) -> dict[str, list[tuple[str, str]]]:
    return {
        one.item: [(of, "" if change is None else change.field) for of, change in one.because]
        for one in found.items
    }


def test_what_no_score_reads_touches_nothing() -> None:
    asked = replace(BASE[0], question=w.text("Something else"), levels={"fully": w.text("all")})
    assert rescore(inputs(), newer(A=asked)) is None
    other = w.limits(As="0.010", Pb="0.010", Hg="0.001")
    assert rescore(inputs(), replace(other, digest="2" * 64)) is None


def test_a_lighter_item_says_what_it_changes_and_why() -> None:
    found = done(rescore(inputs(), newer(A=replace(BASE[0], severity="minor"))))
    assert why(found) == {"A": [("A", "severity"), ("A", "weight")]}
    assert (found.before.grading.caps[0].at, found.after.grading.caps) == (84, ())
    text = "\n".join(lines(found))
    assert "~ A  counted 0.7, weight 5, environment → counted 0.7, weight 1, environment" in text
    assert "because severity: critical → minor" in text
    assert "because weight: 5 → 1" in text


def test_an_item_that_hangs_on_a_changed_one_says_on_which() -> None:
    """Without A nobody knows whether B applies, so it does."""
    without = replace(w.checklist(BASE[1:]), digest="d" * 64)
    found = done(rescore(inputs(), without))
    assert why(found) == {"A": [("A", "")], "B": [("A", "")]}
    (of_b,) = [one for one in found.items if one.item == "B"]
    assert of_b.before == ("does-not-apply", None, 3, "social")
    assert of_b.after == ("counted", "1", 3, "social")
    assert "because A, it was added or removed" in "\n".join(lines(found))


def test_a_stricter_limit_touches_the_items_that_read_it_and_no_other() -> None:
    found = done(rescore(inputs(), replace(w.limits(As="0.005", Pb="0.010"), digest="2" * 64)))
    assert why(found) == {"N": [("As", "upper")]}
    (one,) = found.items
    assert (one.before, one.after) == (
        ("counted", "1", 3, "governance"),
        ("counted", "0", 3, "governance"),
    )
    assert "because As, upper: 0.010 → 0.005" in "\n".join(lines(found))


def test_a_limit_that_nothing_here_reaches_changes_no_number() -> None:
    found = done(rescore(inputs(), replace(w.limits(As="0.012", Pb="0.010"), digest="2" * 64)))
    assert (found.items, found.changes) == ((), False)


def test_a_limit_that_is_new_or_gone_is_a_change() -> None:
    found = done(rescore(inputs(), replace(w.limits(Pb="0.010"), digest="2" * 64)))
    assert why(found) == {"N": [("As", "")]}
    assert found.items[0].after == ("no-limit", None, 3, "governance")
    back = done(rescore(replace(inputs(), limits=found_table()), TABLE))
    assert why(back) == {"N": [("As", "")]}


def test_a_checklist_and_a_table_that_change_together_each_give_their_reason() -> None:
    tables = w.limits(As="0.005", Pb="0.010")
    lighter = newer(N=replace(BASE[3], severity="minor"), C=replace(BASE[2], severity="major"))
    after = replace(inputs(), checklist=lighter, limits=replace(tables, digest="2" * 64))
    found = done(between(inputs(), after))
    assert why(found)["N"] == [("N", "severity"), ("N", "weight"), ("As", "upper")]
    assert why(found)["C"] == [("C", "severity"), ("C", "weight")]
    assert between(after, after) is None


def test_another_profile_touches_all_of_it() -> None:
    profile = inputs().profile
    heavier = replace(profile, pillar_weights={**profile.pillar_weights, "social": 90}, digest="3")
    found = done(between(inputs(), replace(inputs(), profile=heavier)))
    assert found.changes and found.items == ()


def found_table() -> Any:
    return replace(w.limits(Pb="0.010"), digest="2" * 64)


CHANGES: dict[str, Callable[[Item], Item]] = {
    "question": lambda one: replace(one, question=w.text("Another")),
    "look-at": lambda one: replace(one, look_at=w.text("There")),
    "severity": lambda one: replace(one, severity="minor"),
    "pillar": lambda one: replace(one, pillar="social"),
    "evidence": lambda one: replace(one, pieces=(Piece("photo", 1), Piece("document", 2))),
    "number": lambda one: replace(one, pieces=(Piece("photo", 1, 3),)),
    "hint": lambda one: replace(one, pieces=(Piece("photo", 1, hint=w.text("near")),)),
    "when": lambda one: replace(one, condition=Condition("process", values=("smelting",))),
}


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32))
def test_what_is_not_touched_scores_the_same_and_what_changes_has_a_reason(seed: int) -> None:
    dice = random.Random(seed)
    levels = ("fully", "substantially", "partially", "does-not-meet", "refused", "not-observed")
    answers = [w.answer(name, dice.choice(levels), proof=dice.random() < 0.8) for name in "ABC"]
    before = replace(inputs((*answers, *ANSWERS[3:])), processes=("leaching",))
    items = [
        CHANGES[dice.choice(list(CHANGES))](one) if dice.random() < 0.4 else one for one in BASE
    ]
    kept = tuple(one for one in items if dice.random() < 0.9)
    sections = (Section("s1", w.text("Section 1"), kept),)
    other = replace(before.checklist, sections=sections, digest="d" * 64)
    found = rescore(before, other)
    if found is None:
        old, new = score(before).to_json(), score(replace(before, checklist=other)).to_json()
        said = ("items", "digests")
        assert {k: v for k, v in old.items() if k not in said} == {
            k: v for k, v in new.items() if k not in said
        }
        assert [one["won"] for one in old["items"]] == [one["won"] for one in new["items"]]
    else:
        assert all(one.because for one in found.items)


@pytest.mark.parametrize("name", ["severity", "pillar", "evidence", "number", "when"])
def test_what_a_score_reads_touches_it(name: str) -> None:
    assert rescore(inputs(), newer(A=CHANGES[name](BASE[0]))) is not None
