"""What officers ruled out of an inspection's answers, and what may still be ruled out, as a page
shows it (scoring rule 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.services.inspections import Loaded
from server.services.ruling_out import Unproven
from sync.ruling import rulings

APPLIES, PENDING, PAST = "applies", "pending", "past"


@dataclass(frozen=True, slots=True)
class RuledView:
    """A ruling: `state` says whether the score applies it, does not know it yet, or does not apply
    it because what it was made about has changed.
    """

    instance: str
    person: str
    at: int
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class RulingsView:
    """The rulings made, and the places that an officer may rule about, both by item."""

    made: Mapping[str, tuple[RuledView, ...]]
    open: Mapping[str, tuple[Unproven, ...]]


def rulings_view(
    loaded: Loaded,
    score: Mapping[str, Any] | None,
    stale: bool,
    waiting: Iterable[Unproven],
) -> RulingsView:
    """Both, as things stand; `waiting` are the places that may be ruled about."""
    applied = {
        told["entry"]
        for line in (score or {}).get("items", ())
        for told in line.get("ruled_out", ())
    }
    made: dict[str, list[RuledView]] = {}
    for one in rulings(loaded.current):
        known = APPLIES if one.written.h in applied else PAST
        by = loaded.people.get(one.written.by, one.written.by)
        view = RuledView(one.instance, by, one.written.at, one.reason, PENDING if stale else known)
        made.setdefault(one.item, []).append(view)
    return RulingsView({item: tuple(some) for item, some in made.items()}, _by_item(waiting))


def waits_for_evidence(score: Mapping[str, Any] | None) -> bool:
    """Whether an adverse answer without evidence holds the grade back."""
    return any(line["status"] == "adverse-unproven" for line in (score or {}).get("items", ()))


def _by_item(places: Iterable[Unproven]) -> dict[str, tuple[Unproven, ...]]:
    found: dict[str, tuple[Unproven, ...]] = {}
    for one in places:
        found[one.item] = (*found.get(one.item, ()), one)
    return found
