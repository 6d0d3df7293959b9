"""What a stored score was computed from, whole: the standard's files are kept once, by digest."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from checklists.scoring import inputs_with, texts_put_back
from checklists.scoring.inputs import ScoreInputs
from server.services.standards import named_checklist, named_limits, named_profile
from server.store import documents
from server.store.assessments import AssessmentRow
from server.store.transaction import Tx
from sync.problems import Problem, problem


def whole_inputs(tx: Tx, row: AssessmentRow) -> dict[str, Any]:
    """The inputs document of an assessment as it is exported, the standard's files inside it.

    Raises `table-unreadable` where one of them is not here as it was published.
    """
    try:
        return texts_put_back(json.loads(row.inputs), partial(_published, tx))
    except ValueError:
        raise _damaged(row) from None


def stored_inputs(tx: Tx, row: AssessmentRow) -> ScoreInputs:
    """What an assessment was computed from, to be scored again.

    Raises `table-unreadable`, `checklist-malformed` and `score-export-malformed` where that was
    damaged.
    """
    try:
        document = json.loads(row.inputs)
    except ValueError:
        raise _damaged(row) from None
    digests = [(document[kind] or {}).get("sha256", "") for kind in _FILES]
    checklist = named_checklist(tx, digests[0])
    profile = named_profile(tx, digests[1])
    limits = named_limits(tx, digests[2])
    found = ["" if one is None else one.digest for one in (checklist, profile, limits)]
    if checklist is None or profile is None or found != digests:
        raise _damaged(row)
    return inputs_with(document, checklist, profile, limits, f"{row.scope} {row.subject}")


_FILES = ("checklist", "profile", "limits")


def _damaged(row: AssessmentRow) -> Problem:
    why = f"what the score of {row.scope} {row.subject} was computed from is not whole"
    return problem("table-unreadable", table="documents", why=why)


def _published(tx: Tx, digest: str) -> bytes:
    """What is published is never removed, so that it is not here says that it was damaged."""
    found = documents.by_digest(tx, digest)
    return b"" if found is None else found.body
