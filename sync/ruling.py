"""Rulings: an officer rules out an adverse answer that nobody proves (scoring rule 3).

An entry at `rulings/<item>/<instance>/<id>` in the log that the server keeps for the officer's
account (S9). It replaces nothing and is no answer: the answer stays as it was recorded. Whether it
still applies is for the score to say, from what it names.
"""

from __future__ import annotations

from sync.hazard import acknowledgements
from sync.inspection import Inspection, Ruling, Written

RULED = "rulings/"


def rulings(inspection: Inspection) -> tuple[Ruling, ...]:
    """What officers ruled out, the first first; nobody rules from a device."""
    found = (one for slot in inspection.rulings.values() for one in slot.heads)
    made = (one for one in found if one.written.office)
    return tuple(sorted(made, key=lambda one: (one.written.at, one.written.h)))


def office_words(inspection: Inspection) -> tuple[Written, ...]:
    """What the office said that changes no value: nobody signs for it (L7)."""
    seen = (one.written for one in acknowledgements(inspection))
    return (*seen, *(one.written for one in rulings(inspection)))
