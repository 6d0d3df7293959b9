"""What the answers of an inspection say of each item, counted: enough to tell how far it is.

Counts can be added and taken away, place by place, so that nobody has to read all answers again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sync.inspection import Answer, Inspection, Slot

Said = Counter[tuple[str, str]]  # (what is said, the word that says it) -> at how many places


@dataclass(frozen=True, slots=True)
class Given:
    """What is said of one item: at how many places it is answered, and the rest at any of them.

    `whole` is a special answer for the whole site, `proof` an answer that evidence has to support,
    `words` the levels and special answers, `evidence` the digests that answers name.
    """

    answered: int = 0
    unread: bool = False
    conflict: bool = False
    whole: bool = False
    proof: bool = False
    words: tuple[str, ...] = ()
    evidence: frozenset[str] = frozenset()


def said_at(instance: str, slot: Slot[Answer]) -> Said:
    """What one place adds to the counts of its item."""
    said: set[tuple[str, str]] = set()
    if slot.heads:
        said.add(("answered", ""))
    if slot.unread:
        said.add(("unread", ""))
    if slot.conflict:
        said.add(("conflict", ""))
    for head in slot.heads:
        if instance == "-" and head.special:
            said.add(("whole", ""))
        if head.level or head.readings:
            said.add(("proof", ""))
        word = head.level or head.special
        if word is not None:
            said.add(("word", word))
        said.update(("evidence", sha256) for sha256 in head.evidence)
    return Counter(said)


def given_by(counts: Iterable[tuple[str, str, str, int]]) -> dict[str, Given]:
    """Item -> what is said of it, from (item, what, word, count)."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for item, what, word, n in counts:
        if n > 0:
            found.setdefault(item, {}).setdefault(what, {})[word] = n
    return {
        item: Given(
            said.get("answered", {}).get("", 0),
            "unread" in said,
            "conflict" in said,
            "whole" in said,
            "proof" in said,
            tuple(sorted(said.get("word", ()))),
            frozenset(said.get("evidence", ())),
        )
        for item, said in found.items()
    }


def given_of(inspection: Inspection) -> Mapping[str, Given]:
    """Item -> what the answers of an inspection say of it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for (item, instance), slot in inspection.answers.items():
        for (what, word), n in said_at(instance, slot).items():
            counts[item, what, word] += n
    return given_by((*key, n) for key, n in counts.items())
