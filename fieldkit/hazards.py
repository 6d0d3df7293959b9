"""Recording an urgent hazard: one entry, which the next sync sends before all else (S7)."""

from __future__ import annotations

import uuid

from fieldkit.capture import Recorded, Recorder, load_inspection, record
from fieldkit.fixes import fix_value
from sync.hazard import MOST_TEXT, OVER, PREFIX, Hazard, hazards
from sync.inspection import Fix
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


def _find(recorder: Recorder, inspection: str, prefix: str) -> Hazard:
    known = hazards(load_inspection(recorder.store, inspection))
    found = [one for one in known if one.id.startswith(prefix.lower())]
    if len(found) != 1:
        raise problem("hazard-unknown", hazard=prefix, known=", ".join(h.id[:8] for h in known))
    return found[0]
