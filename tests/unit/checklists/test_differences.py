"""Two versions of a checklist or limits table held against each other."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists import published
from checklists.differences import (
    ADDED,
    CHANGED,
    REMOVED,
    Differences,
    compare,
    compare_limits,
    item_changes,
)
from checklists.differences_text import lines, summary
from checklists.load import load_checklist, load_limits
from checklists.model import (
    Analyte,
    Checklist,
    Clause,
    Condition,
    Instances,
    Item,
    Limit,
    Limits,
    Piece,
    Section,
    Text,
)


def shipped(name: str) -> Checklist:
    return load_checklist(published.checklist_bytes(name), name)


MINE = shipped("in-situ-leaching-mine")
PLANT = shipped("separation-plant")
EXAMPLE = load_limits(published.limits_bytes("example"), "example")


def said(text: str, **others: str) -> Text:
    return Text({"en": text, **others})


BEFORE = Item(
    id="PND-E1",
    pillar="environment",
    severity="critical",
    scale="levels",
    question=said("Is it lined?", ms="Berlapik?"),
    look_at=said("Its rim."),
    mistakes=None,
    levels={"fully": said("0 tears."), "does-not-meet": said("1 tear.")},
    pieces=(Piece("photo", 2, 2, said("One wide.")), Piece("track", 1)),
    analytes=(Analyte("As", said("Arsenic"), "mg/L", "surface-water/As"),),
    instances=Instances(said("Pond"), 1),
    condition=Condition("answer", subject="PND-E2", values=("fully",)),
    clauses=(Clause("I4.1"),),
)
# Field of Item -> another value for it, the names of the changes that it makes, and whether an
# answer to the item before still answers it.
ARSENIC = BEFORE.analytes[0]
CHANGES: dict[str, list[tuple[object, str, bool]]] = {
    "id": [],  # another id is another item
    "pillar": [("social", "pillar", False)],
    "severity": [("minor", "severity weight", False)],
    "scale": [("met-or-not", "scale", True)],
    "question": [
        (said("Is it sealed?", ms="Berlapik?"), "question", True),
        (said("Is it lined?", ms="Dilapik?"), "question", False),
        (said("Is it lined?"), "question", False),
    ],
    "look_at": [(None, "look-at", False)],
    "mistakes": [(said("At the inlet."), "mistakes", False)],
    "levels": [
        ({**BEFORE.levels, "does-not-meet": said("2 tears.")}, "levels/does-not-meet", True),
        ({"fully": said("0 tears.")}, "levels/does-not-meet", True),
    ],
    "pieces": [
        (
            (Piece("photo", 3, 2, said("One wide.")), BEFORE.pieces[1]),
            "evidence/photo/weight",
            False,
        ),
        (
            (Piece("photo", 2, 1), BEFORE.pieces[1]),
            "evidence/photo/at-least evidence/photo/hint",
            False,
        ),
        ((BEFORE.pieces[0], Piece("document", 1)), "evidence/track evidence/document", False),
    ],
    "analytes": [
        ((replace(ARSENIC, unit="µg/L"),), "analytes/As/unit", True),
        (
            (replace(ARSENIC, label=said("As"), exact=True),),
            "analytes/As/label analytes/As/exact",
            False,
        ),
        (
            (replace(ARSENIC, limit_from=None, upper=Decimal("0.02")),),
            "analytes/As/limit-from analytes/As/upper",
            False,
        ),
        ((), "analytes/As", True),
    ],
    "instances": [
        (None, "instances", True),
        (Instances(said("Basin"), 3), "instances/label at-least", False),
    ],
    "condition": [(None, "when", False)],
    "clauses": [((Clause("I4.1", True, "the standard itself"),), "clauses", False)],
}


def test_every_field_of_an_item_is_compared() -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Item)}


@pytest.mark.parametrize(
    ("field", "value", "names", "asks_again"),
    [(field, *row) for field, rows in CHANGES.items() for row in rows],
)
def test_a_changed_field_is_named_and_says_whether_answers_still_answer(
    field: str, value: object, names: str, asks_again: bool
) -> None:
    after = replace(BEFORE, **{field: value})  # type: ignore[arg-type]
    changes = item_changes(BEFORE, after)
    assert {one.field for one in changes} == set(names.split())
    assert any(one.asked for one in changes) == asks_again
    back = item_changes(after, BEFORE)
    assert {(c.field, c.language, c.after, c.before) for c in back} == {
        (c.field, c.language, c.before, c.after) for c in changes
    }


def test_a_version_does_not_differ_from_itself() -> None:
    assert not compare(MINE, shipped("in-situ-leaching-mine")).any
    assert not compare_limits(EXAMPLE, EXAMPLE).any
    assert summary(compare(MINE, MINE)) == "Nothing that is read differs."


kept = st.sets(st.sampled_from([item.id for _, item in MINE.items()]))


def only(checklist: Checklist, ids: set[str]) -> Checklist:
    sections = [
        replace(one, items=tuple(item for item in one.items if item.id in ids))
        for one in checklist.sections
    ]
    return replace(checklist, sections=tuple(one for one in sections if one.items))


@given(before=kept, after=kept, weighed=kept, reworded=kept)
def test_each_item_that_differs_stands_there_once_and_no_other(
    before: set[str], after: set[str], weighed: set[str], reworded: set[str]
) -> None:
    def changed(item: Item) -> Item:
        if item.id in weighed:
            item = replace(item, pieces=(Piece("scan", 7),))
        if item.id in reworded:
            item = replace(item, question=said("Another question?"))
        return item

    sections = [
        replace(one, items=tuple(changed(item) for item in one.items))
        for one in only(MINE, after).sections
    ]
    found = compare(only(MINE, before), replace(MINE, sections=tuple(sections)))
    by_how: dict[str, set[str]] = {ADDED: set(), REMOVED: set(), CHANGED: set()}
    for one in found.items:
        assert one.id not in set().union(*by_how.values())
        by_how[one.how].add(one.id)
    assert by_how[ADDED] == after - before
    assert by_how[REMOVED] == before - after
    assert by_how[CHANGED] == before & after & (weighed | reworded)
    assert {one.id for one in found.items if one.asks_again} == before & after & reworded


def test_sections_observations_and_what_stands_at_the_head_are_compared_too() -> None:
    found = compare(MINE, PLANT)
    assert {one.field for one in found.head} >= {"id", "title"}
    assert {(one.id, one.how) for one in found.sections} >= {("separation", ADDED)}
    moved = replace(
        MINE, sections=(*MINE.sections[1:], Section("new", said("New"), MINE.sections[0].items))
    )
    parts = compare(MINE, moved).items
    assert {one.id for one in parts} == {item.id for item in MINE.sections[0].items}
    assert {change.field for one in parts for change in one.changes} == {"section"}
    first, *others = MINE.observed
    found = compare(MINE, replace(MINE, observed=tuple(others)))
    assert [(one.id, one.how) for one in found.observed] == [(first.what, REMOVED)]


def test_limits_that_changed_are_named_with_both_figures() -> None:
    name = "surface-water/As"
    row = EXAMPLE.limits[name]
    lower = Limit(name, row.unit, Decimal("0.005"), row.lower, row.source, "2026-09-01")
    after = Limits(
        "example", EXAMPLE.title, "2026.9", True, {**EXAMPLE.limits, name: lower}, "f" * 64
    )
    found = compare_limits(EXAMPLE, after)
    (part,) = found.limits
    assert part.id == name
    assert [c.to_json() for c in part.changes] == [
        {"field": "upper", "before": str(row.upper), "after": "0.005"},
        {"field": "date", "before": row.date, "after": "2026-09-01"},
    ]
    assert "      upper: 0.010 → 0.005" in list(lines(found))


def test_as_text_it_says_what_was_added_removed_and_changed() -> None:
    text = list(lines(reworded()))
    assert "1 item removed, 1 item changed, answers to 1 of them to be looked at again." in text
    assert any(line.startswith("  ~ GEN-G1") for line in text)
    assert any(line.startswith("  - GEN-G2") for line in text)
    assert "        + Is every permit here?" in text
    assert "      severity: critical → minor" in text


def test_as_json_nothing_is_left_out() -> None:
    found = reworded().to_json()
    assert found["before"]["digest"] == MINE.digest
    first, second = found["items"]
    assert (first["id"], first["how"], first["asks_again"]) == ("GEN-G1", CHANGED, True)
    assert {"field": "severity", "before": "critical", "after": "minor"} in first["changes"]
    assert (second["id"], second["how"]) == ("GEN-G2", REMOVED)


def reworded() -> Differences:
    section, *others = only(MINE, {item.id for _, item in MINE.items()} - {"GEN-G2"}).sections
    first, *rest = section.items
    assert first.id == "GEN-G1"
    question = Text({**first.question.by_language, "en": "Is every permit here?"})
    first = replace(first, question=question, severity="minor")
    changed = replace(section, items=(first, *rest))
    return compare(MINE, replace(MINE, version="2026.3", sections=(changed, *others)))
