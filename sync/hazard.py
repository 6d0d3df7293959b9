"""Urgent hazards: one entry each, which travels before all else (S7).

The entry stands at `observed/urgent-hazard/<uuid>`; its value is how urgent it is, its note says
what was seen. A later entry at the same path says more, or that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.entry import Entry
from sync.inspection import Fix, Inspection, Observed, Written
from sync.inspection_reader import read_observed

WHAT = "urgent-hazard"
PREFIX = f"observed/{WHAT}/"
IMMEDIATE, SOON, OVER = "immediate", "soon", "over"
SEVERITIES = (IMMEDIATE, SOON)
MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard as its newest entry tells it; an urgency nobody knows counts as immediate."""

    id: str
    severity: str
    text: str
    fix: Fix | None
    written: Written

    @property
    def over(self) -> bool:
        return self.severity == OVER


def read_hazard(entry: Entry) -> Hazard | None:
    """What an entry says of a hazard; None where it is about something else or not understood."""
    if not entry.path.startswith(PREFIX):
        return None
    observed = read_observed(entry)
    return None if observed is None else _hazard(observed)


def hazards(inspection: Inspection) -> tuple[Hazard, ...]:
    """The hazards of an inspection, those that are not over first, the latest first.

    Where entries stand side by side at one hazard, the most urgent one counts.
    """
    found = [
        min(map(_hazard, slot.heads), key=_urgency)
        for (what, _), slot in inspection.observed.items()
        if what == WHAT and slot.heads
    ]
    return in_order(found)


def in_order(found: Iterable[Hazard]) -> tuple[Hazard, ...]:
    """Those that are not over first, by urgency, the latest first."""
    return tuple(sorted(found, key=lambda h: (*_urgency(h), h.id)))


def _hazard(observed: Observed) -> Hazard:
    severity = observed.value if observed.value in (SOON, OVER) else IMMEDIATE
    text = observed.note[:MOST_TEXT]
    return Hazard(observed.instance, severity, text, observed.fix, observed.written)


def _urgency(hazard: Hazard) -> tuple[int, int]:
    return (IMMEDIATE, SOON, OVER).index(hazard.severity), -hazard.written.at
