"""What people recorded, as they would remember it: noted the moment the command returned."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, str, int]  # device, log, seq


@dataclass(frozen=True)
class Said:
    """Something a person recorded, with the words by which it is known again."""

    inspection: str
    path: str
    mark: str


@dataclass
class Book:
    """The laboratory's own account of a story; nothing of the product is asked for it.

    `lines` are the bytes of every line that stood in a store when its command had returned;
    `forsaken` those that a restored backup of a device took away before anybody else had them.
    """

    lines: dict[Place, set[bytes]] = field(default_factory=dict)
    forsaken: set[tuple[Place, bytes]] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)
    hazards: list[Said] = field(default_factory=list)  # those of `said` that are urgent
    spoken: dict[str, Any] = field(default_factory=dict)  # in confidence, by the entry's number
    unsaid: list[str] = field(default_factory=list)  # words of it that no entry came of
    withdrawn: dict[str, bool] = field(default_factory=dict)  # after the server's backup, or not
    unsure: set[str] = field(default_factory=set)  # withdrawn perhaps
    rulings: dict[str, tuple[str, str]] = field(default_factory=dict)  # hash -> inspection, path
    files: dict[str, bytes] = field(default_factory=dict)
    saw: dict[tuple[Place, bytes], frozenset[str]] = field(default_factory=dict)
    forks: set[tuple[str, str]] = field(default_factory=set)  # logs that went two ways
    newer: set[tuple[Place, bytes]] = field(default_factory=set)  # what this version cannot read
    when: dict[tuple[Place, bytes], tuple[int, int]] = field(
        default_factory=dict
    )  # between which two true times
    faults: list[str] = field(default_factory=list)  # what did not hold, found on the way

    def note_line(self, place: Place, line: bytes) -> None:
        known = self.lines.setdefault(place, set())
        if known and line not in known and (place[0], place[1]) not in self.forks:
            self.faults.append(f"overwritten: {place} has other bytes than were recorded there")
        known.add(line)

    def wanted(self) -> list[tuple[Place, bytes]]:
        """Every recorded line that has to be somewhere in the end."""
        return [
            (place, line)
            for place, lines in sorted(self.lines.items())
            for line in sorted(lines)
            if (place, line) not in self.forsaken
        ]


def value_of(line: bytes) -> dict[str, Any]:
    """An entry's members; empty for a line that cannot be read."""
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
