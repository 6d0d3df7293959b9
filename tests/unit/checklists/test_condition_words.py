"""Conditions in words."""

from __future__ import annotations

import pytest

from checklists import published
from checklists.condition_words import in_words
from checklists.load import load_checklist
from checklists.model import Condition

SEEN = Condition("observed", subject="operating/warm-kiln", values=("yes", "unsure"))
ANSWERED = Condition("answer", subject="ISL-E1", values=("partially",))
EXPOSED = Condition("exposure", at_least=50)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (SEEN, "operating/warm-kiln is yes or unsure"),
        (Condition("process", values=("cracking",)), "the facility declares cracking"),
        (Condition("not", args=(ANSWERED,)), "not (ISL-E1 is partially)"),
        (
            Condition("all", args=(EXPOSED, Condition("any", args=(SEEN, ANSWERED)))),
            "exposure to conflict is 50 or more and "
            "(operating/warm-kiln is yes or unsure or ISL-E1 is partially)",
        ),
    ],
)
def test_a_condition_reads_as_a_phrase(condition: Condition, words: str) -> None:
    assert in_words(condition) == words


def test_every_condition_of_the_library_has_words() -> None:
    name = "rare-earth-chain"  # it has every item
    for _, item in load_checklist(published.checklist_bytes(name), name).items():
        if item.condition is not None:
            assert in_words(item.condition)
