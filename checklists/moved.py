"""Answers that were given to another version than the one their inspection is on: which are to be
looked at again, and why.

Each answer keeps the digest of the checklist that it answers. So the same is found whether an
inspection moved to a newer version, or two devices record on it with two versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from checklists.differences import Change, item_changes
from checklists.model import Checklist

# How an answer fares: its item asks something else; is not asked any more; asks the same, and
# weighs or has to be proved otherwise; the version that was answered is not here to compare.
ASKS_OTHERWISE, NOT_ASKED, COUNTS_OTHERWISE, NOT_KNOWN = (
    "asks-otherwise",
    "not-asked",
    "counts-otherwise",
    "not-known",
)
_WORDS = {
    ASKS_OTHERWISE: "asks something else now; look at it again",
    NOT_ASKED: "is not asked any more; the answer stays in the record",
    COUNTS_OTHERWISE: "asks the same, and counts otherwise; the answer stands",
    NOT_KNOWN: "was answered for a version that is not here; look at it again",
}


@dataclass(frozen=True, slots=True)
class Affected:
    """An answered item that is not what it was when it was answered.

    `answered` is the digest of the checklist that was answered, `version` that one's version,
    empty where it is not here.
    """

    item: str
    how: str
    question: str
    answered: str
    version: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def again(self) -> bool:
        """Whether somebody has to look at the answer again."""
        return self.how in (ASKS_OTHERWISE, NOT_KNOWN)

    @property
    def words(self) -> str:
        """How the answer fares, in words."""
        return _WORDS[self.how]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "item": self.item,
            "how": self.how,
            "look_again": self.again,
            "answered": self.answered,
            "version": self.version or None,
            "changes": [one.to_json() for one in self.changes],
        }


def affected(
    checklist: Checklist,
    answered: Mapping[str, Iterable[str]],
    find: Callable[[str], Checklist | None],
) -> list[Affected]:
    """The answered items that are not what they were, in the order of the checklist, those that it
    does not ask behind.

    `answered` says of each answered item the digests of the checklists that its answers answer;
    `find` gives a checklist by its digest, or None where it is not here.
    """
    known: dict[str, Checklist | None] = {}
    order = {item.id: n for n, (_, item) in enumerate(checklist.items())}
    found: list[Affected] = []
    for name in sorted(answered, key=lambda one: (order.get(one, len(order)), one)):
        for digest in sorted(set(answered[name]) - {checklist.digest}):
            if digest not in known:
                known[digest] = find(digest)
            found.extend(_one(name, digest, known[digest], checklist))
    return found


def _one(
    name: str, digest: str, before: Checklist | None, checklist: Checklist
) -> Iterator[Affected]:
    old = None if before is None else before.item(name)
    new = checklist.item(name)
    version = "" if before is None else before.version
    if new is None:
        question = "" if old is None else str(old.question)
        yield Affected(name, NOT_ASKED, question, digest, version)
        return
    if old is None:
        yield Affected(name, NOT_KNOWN, str(new.question), digest, version)
        return
    changes = tuple(item_changes(old, new))
    if changes:
        how = ASKS_OTHERWISE if any(one.asked for one in changes) else COUNTS_OTHERWISE
        yield Affected(name, how, str(new.question), digest, version, changes)
