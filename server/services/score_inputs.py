"""What a stored score was computed from, whole: the standard's files are kept once, by digest."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from checklists.scoring import texts_put_back
from server.store import documents
from server.store.assessments import AssessmentRow
from server.store.transaction import Tx
from sync.problems import problem


def whole_inputs(tx: Tx, row: AssessmentRow) -> dict[str, Any]:
    """The inputs document of an assessment as it is exported, the standard's files inside it.

    Raises `table-unreadable` where one of them is not here as it was published.
    """
    try:
        return texts_put_back(json.loads(row.inputs), partial(_published, tx))
    except ValueError:
        why = f"what the score of {row.scope} {row.subject} was computed from is not whole"
        raise problem("table-unreadable", table="documents", why=why) from None


def _published(tx: Tx, digest: str) -> bytes:
    """What is published is never removed, so that it is not here says that it was damaged."""
    found = documents.by_digest(tx, digest)
    return b"" if found is None else found.body
