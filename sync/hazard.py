"""Urgent hazards: one entry each, which travels before all else (S7).

The entry stands at `observed/urgent-hazard/<uuid>`; its value is how urgent it is, its note says
what was seen. A later entry at the same path says more, or that it is over. That somebody at the
office has seen it stands at `acknowledged/<uuid>/<uuid>`: it names the entries it was made for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sync.entry import Entry
from sync.inspection import Acknowledged, Fix, Inspection, Observed, Written
from sync.inspection_reader import read_observed

WHAT = "urgent-hazard"
PREFIX = f"observed/{WHAT}/"
ACKNOWLEDGED = "acknowledged/"
IMMEDIATE, SOON, OVER = "immediate", "soon", "over"
SEVERITIES = (IMMEDIATE, SOON)
MOST_TEXT = 500
CODE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard as its newest entry tells it; an urgency nobody knows counts as immediate.

    `heads` are the chain hashes of all entries that tell it now, in order of their bytes;
    `acknowledged` says who at the office has seen all of them, the first one first.
    """

    id: str
    severity: str
    text: str
    fix: Fix | None
    written: Written
    heads: tuple[str, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()

    @property
    def over(self) -> bool:
        return self.severity == OVER

    @property
    def open(self) -> bool:
        """Whether it is neither over nor seen at the office as it stands."""
        return not self.over and not self.acknowledged

    @property
    def code(self) -> str:
        """What tells the hazard as it stands from what was said of it before."""
        return hashlib.sha256("\n".join(self.heads).encode()).hexdigest()[:CODE_LENGTH]


def read_hazard(entry: Entry) -> Hazard | None:
    """What an entry says of a hazard; None where it is about something else or not understood."""
    if not entry.path.startswith(PREFIX):
        return None
    observed = read_observed(entry)
    return None if observed is None else _hazard((observed,), ())


def hazards(
    inspection: Inspection,
    seen: Iterable[Acknowledged] | None = None,
    ids: Iterable[str] | None = None,
) -> tuple[Hazard, ...]:
    """The hazards of an inspection: the open ones first, then those seen at the office, then those
    that are over; each by urgency, the latest first.

    Where entries stand side by side at one hazard, the most urgent one counts, and it is seen once
    all of them are. `seen` are acknowledgements, of this inspection where they are not given. `ids`
    are its hazards, where that is known without looking through all that was observed.
    """
    made = acknowledgements(inspection) if seen is None else tuple(seen)
    if ids is None:
        # By the keys, so that no other observation is read where one is read when it is asked for.
        ids = [instance for what, instance in inspection.observed if what == WHAT]
    standing = ((one, inspection.observed[WHAT, one].heads) for one in ids)
    return in_order(
        _hazard(heads, [one for one in made if one.hazard == instance])
        for instance, heads in standing
        if heads
    )


def acknowledgements(inspection: Inspection) -> tuple[Acknowledged, ...]:
    """What the office has acknowledged, the first first; nobody acknowledges from a device."""
    found = (one for slot in inspection.acknowledged.values() for one in slot.heads)
    made = (one for one in found if one.written.office)
    return tuple(sorted(made, key=lambda one: (one.written.at, one.written.h)))


def in_order(found: Iterable[Hazard]) -> tuple[Hazard, ...]:
    """The open ones first, those that are over last; each by urgency, the latest first."""
    return tuple(
        sorted(
            found,
            key=lambda h: (not h.open, *_urgency(h.severity, h.written), h.id),
        )
    )


def _hazard(heads: Iterable[Observed], made: Iterable[Acknowledged]) -> Hazard:
    standing = tuple(heads)
    told = min(standing, key=lambda one: _urgency(_severity(one), one.written))
    hashes = tuple(sorted(one.written.h for one in standing))
    return Hazard(
        told.instance,
        _severity(told),
        told.note[:MOST_TEXT],
        told.fix,
        told.written,
        hashes,
        tuple(one for one in made if one.heads.issuperset(hashes)),
    )


def _severity(observed: Observed) -> str:
    return observed.value if observed.value in (SOON, OVER) else IMMEDIATE


def _urgency(severity: str, written: Written) -> tuple[int, int]:
    return (IMMEDIATE, SOON, OVER).index(severity), -written.at
