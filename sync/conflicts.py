"""Values that stand side by side at one path, shown and settled (L6).

A conflict ends with an entry that names in `replaces` exactly the heads that its author was
shown. What was shown is told by a short code over those heads, so that a head which arrived
meanwhile is never replaced unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.entry import Entry, Record, Unread
from sync.inspection import Answer, Evidence, Fix, Observed
from sync.inspection_reader import Value, has_reader, read_value
from sync.merge import PathState, State

CODE_LENGTH = 8
RESOLVED = "resolved"  # the member of a value that tells which head was kept, and why


@dataclass(frozen=True, slots=True)
class Side:
    """One of the values: its record and what it says; `why` tells why it cannot be read, if so.

    `value` is None too for a path whose values nobody reads yet.
    """

    record: Record
    value: Value | None
    why: str = ""

    @property
    def by(self) -> str:
        """The person, or an empty text where the line cannot be read."""
        return self.record.by if isinstance(self.record, Entry) else ""

    @property
    def fix(self) -> Fix | None:
        """Where it was recorded, if it says so."""
        return getattr(self.value, "fix", None)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The values of one path, the latest claimed time first."""

    path: str
    sides: tuple[Side, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """The chain hashes of all values, in order of their bytes."""
        return tuple(sorted(side.record.h for side in self.sides))

    @property
    def code(self) -> str:
        """What tells these values from any others at this path."""
        return hashlib.sha256("\n".join(self.heads).encode()).hexdigest()[:CODE_LENGTH]

    @property
    def family(self) -> str:
        return self.path.split("/")[0]

    @property
    def evidence(self) -> tuple[str, ...]:
        """The digests that any of the values names, each once: files are nobody's opinion."""
        named: dict[str, None] = {}
        for side in self.sides:
            if isinstance(side.value, Answer | Observed):
                named.update(dict.fromkeys(side.value.evidence))
        return tuple(named)


def conflict_at(state: PathState | None) -> Conflict | None:
    """The conflict at a path, or None where one value stands there or none."""
    if state is None or not state.conflict:
        return None
    return Conflict(state.path, tuple(_side(record) for record in state.heads))


def conflicts_of(state: State) -> tuple[Conflict, ...]:
    """All conflicts of an inspection, in path order."""
    found = (conflict_at(one) for one in state.paths.values())
    return tuple(one for one in found if one is not None)


def unsettled_of(state: State) -> tuple[Conflict, ...]:
    """The answers where one of those who disagreed replaced the others' values, in path order.

    One value stands there; the others are still their authors' last words (`sync.last_words`).
    """
    places = (s for s in state.under("answers") if s.overruled and not s.conflict)
    return tuple(
        Conflict(s.path, tuple(_side(record) for record in (*s.heads, *s.overruled)))
        for s in places
    )


def kept_value(side: Side, reason: str = "") -> dict[str, Any] | None:
    """The value of an entry that keeps this side, or None where it cannot be read.

    What was recorded is taken over as it is, the place where it was seen too.
    """
    if side.why or not isinstance(side.record, Entry) or not isinstance(side.record.value, dict):
        return None
    before = {k: v for k, v in side.record.value.items() if k != RESOLVED}
    return before | {RESOLVED: _resolved(reason, side.record.h)}


def new_value(value: Mapping[str, Any], reason: str = "") -> dict[str, Any]:
    """The value of an entry that ends a conflict with a value of its own."""
    return {**value, RESOLVED: _resolved(reason)}


def is_evidence(conflict: Conflict) -> bool:
    """Whether it is about what is said of a file."""
    return any(isinstance(side.value, Evidence) for side in conflict.sides)


def _resolved(reason: str, kept: str = "") -> dict[str, str]:
    told = {"kept": kept, "reason": reason}
    return {key: text for key, text in told.items() if text}


def _side(record: Record) -> Side:
    if isinstance(record, Unread):
        return Side(record, None, record.why)
    value = read_value(record)
    if value is None and has_reader(record.path):
        return Side(record, None, "its value is of a kind that this version does not know")
    return Side(record, value)
