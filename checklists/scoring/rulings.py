"""Whether a ruling still applies: it names what it was made about, and that alone it rules out.

The answers that stand at the place have to be those, and what is known of every file of theirs has
to be as it was. So evidence that comes ends a ruling, and hiding it again brings none back
(docs/adr/0024).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from checklists.scoring.inputs import GivenAnswer, RuledOut
from sync.inspection import Inspection, Slot
from sync.ruling import rulings


def evidence_digest(answers: Iterable[GivenAnswer]) -> str:
    """SHA-256, in hex, of all that is known of the files of these answers, in whatever order."""
    rows = {
        json.dumps([f.sha256, f.kind, f.made_at, f.held, f.signed, sorted(f.flagged)])
        + json.dumps([f.rejected, f.expires])
        for answer in answers
        for f in answer.evidence
    }
    return _digest(rows)


def files_digest(inspection: Inspection, item: str, instance: str) -> str:
    """SHA-256, in hex, of the digests of all files that entries here ever named for a place.

    Those that are not named any more count too, so that a file which came and was withdrawn again
    is no file that never came.
    """
    slot = inspection.answers.get((item, instance), Slot(()))
    named = {digest for one in (*slot.heads, *slot.earlier) for digest in one.evidence}
    wanted = {f"{item}/{instance}", f"{item}/-"}
    for about in inspection.evidence.values():
        for one in (*about.heads, *about.earlier):
            if wanted.intersection(one.items):
                named.add(one.sha256)
    return _digest(named)


def fits(ruling: RuledOut, answers: Sequence[GivenAnswer], unread: bool) -> bool:
    """Whether a ruling was made about exactly these answers at its place and what is known of
    their files.
    """
    standing = sorted(one.entry for one in answers if not one.replaced)
    if unread or not standing or standing != sorted(ruling.answers):
        return False
    return evidence_digest(answers) == ruling.evidence


def fitting(
    inspection: Inspection, answers: Iterable[GivenAnswer], unread: Iterable[tuple[str, str]]
) -> tuple[RuledOut, ...]:
    """The officers' rulings that apply to a visit as it is, the first of each place."""
    made = rulings(inspection)
    if not made:
        return ()
    places: dict[tuple[str, str], list[GivenAnswer]] = {}
    for answer in answers:
        places.setdefault((answer.item, answer.instance), []).append(answer)
    closed = frozenset(unread)
    found: dict[tuple[str, str], RuledOut] = {}
    for one in made:
        place = (one.item, one.instance)
        ruling = RuledOut(
            *place,
            tuple(sorted(one.heads)),
            one.evidence,
            one.reason,
            one.written.by,
            one.written.at,
            one.written.h,
        )
        if place in found or not fits(ruling, places.get(place, ()), place in closed):
            continue
        if files_digest(inspection, *place) == one.files:
            found[place] = ruling
    return tuple(found[place] for place in sorted(found))


def _digest(rows: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()
