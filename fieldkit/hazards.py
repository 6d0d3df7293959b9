"""Urgent hazards: recorded as one entry, which the next sync sends before all else (S7); and what
is told of those that are here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from fieldkit.authors import Author
from fieldkit.capture import Recorded, Recorder, load_inspection, record
from fieldkit.fixes import fix_value
from fieldkit.show import Fact, time
from sync.hazard import MOST_TEXT, OVER, PREFIX, Hazard, hazards
from sync.inspection import Acknowledged, Fix
from sync.problems import problem


def report(
    recorder: Recorder,
    inspection: str,
    text: str,
    severity: str,
    fix: Fix | None = None,
    over: str | None = None,
) -> Recorded:
    """Record a hazard, or that the one whose id begins with `over` is over.

    Raises `hazard-malformed` and `hazard-unknown`.
    """
    said = text.strip()
    if not said or len(said) > MOST_TEXT:
        raise problem("hazard-malformed", limit=MOST_TEXT)
    if over is None:
        path = PREFIX + str(uuid.uuid4())
    else:
        path, severity = PREFIX + _find(recorder, inspection, over).id, OVER
    value = {"value": severity, "note": said, "fix": fix_value(fix)}
    return record(recorder, inspection, path, value, "the hazard")


def hazard_facts(found: Iterable[Hazard], known: Mapping[str, Author]) -> list[Fact]:
    """A line for each hazard: how urgent, what, its id, and whether the office has seen it."""
    return [("urgent hazard", "\n".join(_lines(one, known))) for one in found]


def hazard_data(one: Hazard, known: Mapping[str, Author]) -> dict[str, Any]:
    """A hazard as JSON values; times in UTC milliseconds."""
    return {
        "hazard": one.id,
        "severity": one.severity,
        "text": one.text,
        "at": one.written.at,
        "acknowledged": [
            {
                "by": made.written.by,
                "name": _name(made, known),
                "at": made.written.at,
                "reason": made.reason,
            }
            for made in one.acknowledged
        ],
    }


def _lines(one: Hazard, known: Mapping[str, Author]) -> list[str]:
    lines = [f"{one.severity}: {one.text} ({one.id[:8]})"]
    if not one.over:
        lines += [
            f"acknowledged by the office, by {_name(made, known)}, {time(made.written.at)}: "
            f"{made.reason}"
            for made in one.acknowledged
        ] or ["not acknowledged by the office yet, as far as this device knows"]
    return lines


def _name(made: Acknowledged, known: Mapping[str, Author]) -> str:
    author = known.get(made.written.device)
    return author.name if author else made.written.by


def _find(recorder: Recorder, inspection: str, prefix: str) -> Hazard:
    known = hazards(load_inspection(recorder.store, inspection))
    found = [one for one in known if one.id.startswith(prefix.lower())]
    if len(found) != 1:
        raise problem("hazard-unknown", hazard=prefix, known=", ".join(h.id[:8] for h in known))
    return found[0]
