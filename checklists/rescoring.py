"""What another version of a checklist or limits table does to a score: which items it touches, and
what changes there, each with its reason.

The answers, the files and the day stay those of the score, so that nothing else can change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checklists.conditions import items_named
from checklists.differences import CHANGED, Change, Differences, compare, compare_limits
from checklists.model import Checklist, Item, Limits
from checklists.scoring import Score, score
from checklists.scoring.exact import level_value, rounded
from checklists.scoring.inputs import ScoreInputs
from checklists.scoring.items import ItemOutcome

Said = tuple[str, str | None, int, str]  # status, value that counts, weight, pillar
Because = tuple[tuple[str, Change | None], ...]  # what changed (an item or a limit), and how

# The fields of an item that a score reads; questions, guidance, levels' words and clauses are not.
_COUNTS = re.compile(
    r"pillar|severity|weight|scale|section|when|instances|at-least"
    r"|evidence/[^/]+(/(weight|at-least))?|analytes/[^/]+(/(unit|limit-from|upper|lower|exact))?"
)
_LIMIT_COUNTS = ("upper", "lower", "unit")


@dataclass(frozen=True, slots=True)
class ItemEffect:
    """An item before and after; None where it is not there.

    `because` are the changes that did it, its own or those of what it reads or hangs on.
    """

    item: str
    before: Said | None
    after: Said | None
    because: Because

    def to_json(self) -> dict[str, Any]:
        """The effect as JSON values."""
        return {
            "item": self.item,
            "before": _item_json(self.before),
            "after": _item_json(self.after),
            "because": [
                {"of": name} | ({} if change is None else change.to_json())
                for name, change in self.because
            ],
        }


@dataclass(frozen=True, slots=True)
class Rescored:
    """A score under two versions. `items` are those that changed, in the newer one's order."""

    before: Score
    after: Score
    items: tuple[ItemEffect, ...]

    @property
    def changes(self) -> bool:
        """Whether any number, the grade or its state is another."""
        return bool(self.items) or told(self.before) != told(self.after)

    def to_json(self) -> dict[str, Any]:
        """Both scores in short, and the items that changed, as JSON values."""
        return {
            "scope": self.after.scope,
            "subject": self.after.subject,
            "as_of": self.after.as_of,
            "before": told(self.before),
            "after": told(self.after),
            "items": [one.to_json() for one in self.items],
        }


def touched(checklist: Checklist, found: Differences) -> dict[str, Because]:
    """The items of a score by `checklist` (the newer one, where that is what differs) that these
    differences bear on, each with the changes that do: its own, or those of the limits it reads.
    """
    because: dict[str, Because] = {}
    for part in found.items:
        own = tuple((part.id, one) for one in part.changes if _COUNTS.fullmatch(one.field))
        if own or part.how != CHANGED:
            because[part.id] = own or ((part.id, None),)
    rows: dict[str, Because] = {}
    for part in found.limits:
        own = tuple((part.id, one) for one in part.changes if one.field in _LIMIT_COUNTS)
        if own or part.how != CHANGED:
            rows[part.id] = own or ((part.id, None),)
    if rows:
        for _, item in checklist.items():
            read = [rows[a.limit_from] for a in item.analytes if a.limit_from in rows]
            if read:
                because[item.id] = tuple(dict.fromkeys(one for some in read for one in some))
    return because


def rescore(inputs: ScoreInputs, newer: Checklist | Limits) -> Rescored | None:
    """The score of these inputs under another version; None where that touches nothing of it."""
    if not isinstance(newer, Limits):
        return between(inputs, replace(inputs, checklist=newer))
    return None if inputs.limits is None else between(inputs, replace(inputs, limits=newer))


def between(older: ScoreInputs, newer: ScoreInputs) -> Rescored | None:
    """The score of the same answers under the files of `older` and under those of `newer`; None
    where nothing differs that a score reads. Another profile touches all of it.
    """
    because: dict[str, Because] = {}
    if older.checklist.digest != newer.checklist.digest:
        because = touched(newer.checklist, compare(older.checklist, newer.checklist))
    if older.limits and newer.limits and older.limits.digest != newer.limits.digest:
        rows = touched(newer.checklist, compare_limits(older.limits, newer.limits))
        because = {**rows, **because, **{i: (*because[i], *rows[i]) for i in because if i in rows}}
    if not because and older.profile.digest == newer.profile.digest:
        return None
    before, after = score(older), score(newer)
    return Rescored(before, after, tuple(_effects(before, after, because)))


def told(found: Score) -> dict[str, str | None]:
    """A score in short: grade, state, numbers rounded as they are shown."""
    facility, grading = found.facility, found.grading
    numbers = {
        "raw": facility.raw,
        "after_caps": grading.capped,
        "low": facility.lower,
        "high": facility.upper,
        "coverage": facility.coverage,
    }
    return {
        "grade": grading.grade,
        "grade_state": grading.state,
        **{name: None if one is None else rounded(one) for name, one in numbers.items()},
    }


def lines(found: Rescored) -> Iterator[str]:
    """A score under two versions as lines of text: whose, the grade, the numbers, the items."""
    yield f"{found.after.scope} {found.after.subject}, as of {found.after.as_of}"
    yield from change_lines(found)


def change_lines(found: Rescored) -> Iterator[str]:
    """As `lines`, without whose score it is; nothing where nothing changes."""
    before, after = told(found.before), told(found.after)
    for name, said in before.items():
        if said != after[name]:
            yield f"  {name.replace('_', ' ')}: {said or 'none'} → {after[name] or 'none'}"
    for one in found.items:
        yield f"  ~ {one.item}  {_item_text(one.before)} → {_item_text(one.after)}"
        for name, change in one.because:
            whose = "" if name == one.item else f"{name}, "
            how = "it was added or removed"
            if change is not None:
                how = f"{change.field}: {change.before or 'nothing'} → {change.after or 'nothing'}"
            yield f"      because {whose}{how}"


def _effects(before: Score, after: Score, because: Mapping[str, Because]) -> Iterator[ItemEffect]:
    old = {one.item.id: one for one in before.outcomes}
    new = {one.item.id: one for one in after.outcomes}
    for name in (*new, *(one for one in old if one not in new)):
        was, now = _of(old.get(name)), _of(new.get(name))
        if was != now:
            item = (new.get(name) or old[name]).item
            yield ItemEffect(name, was, now, because.get(name) or _behind(item, because))


def _behind(item: Item, because: Mapping[str, Because]) -> Because:
    """An item that is the same has changed with those whose answers its condition looks at."""
    named = items_named(item.condition)
    return tuple(one for name in named for one in because.get(name, ()))


def _of(outcome: ItemOutcome | None) -> Said | None:
    if outcome is None:
        return None
    value = None if outcome.effective is None else level_value(outcome.effective)
    return outcome.status, value, outcome.item.weight, outcome.item.pillar


def _item_json(said: Said | None) -> dict[str, Any] | None:
    return (
        None
        if said is None
        else dict(zip(("status", "effective", "weight", "pillar"), said, strict=True))
    )


def _item_text(said: Said | None) -> str:
    if said is None:
        return "not there"
    status, value, weight, pillar = said
    counts = f" {value}" if value else ""
    return f"{status.replace('-', ' ')}{counts}, weight {weight}, {pillar}"
