"""Which answers are to be looked at again, once their checklist is another version."""

from __future__ import annotations

from checklists.load import load_checklist
from checklists.model import Checklist
from checklists.moved import (
    ASKS_OTHERWISE,
    COUNTS_OTHERWISE,
    NOT_ASKED,
    NOT_KNOWN,
    Affected,
    affected,
)

_ITEM = """\
      - id: {id}
        pillar: social
        severity: {severity}
        scale: met-or-not
        question: {{en: "{question}"{more}}}
        levels:
          fully: {{en: "All round."}}
          does-not-meet: {{en: "Not all round."}}
        evidence:
          - {{kind: photo, weight: 1}}
"""
_HEAD = """\
format: tapak-checklist/1
id: pond-check
version: "{version}"
title: {{en: "Ponds"}}
languages: [en, ms]
sections:
  - id: ponds
    title: {{en: "Ponds"}}
    items:
"""


def a_checklist(version: str, *items: tuple[str, str, str, str]) -> Checklist:
    body = _HEAD.format(version=version)
    for name, question, severity, more in items:
        body += _ITEM.format(id=name, question=question, severity=severity, more=more)
    return load_checklist((body + "observed: []\n").encode(), "ponds.yaml")


OLD = a_checklist(
    "1",
    ("PND-1", "Fenced?", "minor", ""),
    ("PND-2", "Lined?", "minor", ""),
    ("PND-3", "Covered?", "minor", ""),
    ("PND-4", "Drained?", "minor", ""),
    ("PND-5", "Signed?", "minor", ""),
)
NEW = a_checklist(
    "2",
    ("PND-6", "Guarded?", "minor", ""),
    ("PND-4", "Drained?", "critical", ""),
    ("PND-1", "Fenced?", "minor", ""),
    ("PND-2", "Lined twice?", "critical", ""),
    ("PND-5", "Signed?", "minor", ', ms: "Bertanda?"'),
)
ALL = {one.digest: one for one in (OLD, NEW)}


def told(on: Checklist, answered: dict[str, set[str]]) -> list[tuple[str, str]]:
    return [(one.item, one.how) for one in affected(on, answered, ALL.get)]


def test_each_answer_to_another_version_is_held_against_its_item() -> None:
    answered = {item.id: {OLD.digest} for _, item in OLD.items()}
    assert told(NEW, answered) == [
        ("PND-4", COUNTS_OTHERWISE),
        ("PND-2", ASKS_OTHERWISE),
        ("PND-5", COUNTS_OTHERWISE),  # a translation says the same in other words
        ("PND-3", NOT_ASKED),
    ]


def test_what_was_answered_for_this_version_is_not_listed() -> None:
    assert told(NEW, {item.id: {NEW.digest} for _, item in NEW.items()}) == []
    both = {"PND-2": {NEW.digest, OLD.digest}}
    assert told(NEW, both) == [("PND-2", ASKS_OTHERWISE)], "one of two sides is of the old one"


def test_it_goes_both_ways() -> None:
    # A device that is on the older version still, and an answer of a colleague to the newer one.
    assert told(OLD, {"PND-2": {NEW.digest}, "PND-6": {NEW.digest}}) == [
        ("PND-2", ASKS_OTHERWISE),
        ("PND-6", NOT_ASKED),
    ]


def test_a_version_that_is_not_here_is_said() -> None:
    (one,) = affected(NEW, {"PND-2": {"f" * 64}}, ALL.get)
    assert (one.how, one.version, one.again) == (NOT_KNOWN, "", True)
    (gone,) = affected(NEW, {"PND-9": {"f" * 64}}, ALL.get)
    assert (gone.how, gone.question, gone.again) == (NOT_ASKED, "", False)


def test_what_changed_goes_along() -> None:
    (one,) = affected(NEW, {"PND-2": {OLD.digest}}, ALL.get)
    assert isinstance(one, Affected) and one.again and "look at it again" in one.words
    assert one.to_json() == {
        "item": "PND-2",
        "how": ASKS_OTHERWISE,
        "look_again": True,
        "answered": OLD.digest,
        "version": "1",
        "changes": [
            {"field": "question", "language": "en", "before": "Lined?", "after": "Lined twice?"},
            {"field": "severity", "before": "minor", "after": "critical"},
            {"field": "weight", "before": "1", "after": "5"},
        ],
    }


def test_an_old_version_is_read_once() -> None:
    asked: list[str] = []

    def find(digest: str) -> Checklist | None:
        asked.append(digest)
        return ALL.get(digest)

    affected(NEW, {item.id: {OLD.digest} for _, item in OLD.items()}, find)
    assert asked == [OLD.digest]
