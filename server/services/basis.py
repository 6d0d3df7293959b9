"""What the newest assessment was computed from, read back, so that a decision can be tried on it.

Only while nothing newer waits: then it is what stands, and no rule has to run again.
"""

from __future__ import annotations

from dataclasses import dataclass

from checklists.scoring import inputs_from_json
from checklists.scoring.inputs import ScoreInputs, Visit
from server.services.inspections import Loaded
from server.services.score_inputs import whole_inputs
from server.store import assessments, gradings
from server.store.transaction import Tx
from sync.problems import Problem


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs of an inspection's score, and of its facility's where it counts there."""

    inspection: ScoreInputs
    facility: ScoreInputs | None

    @property
    def visit(self) -> Visit:
        """The visit of the inspection."""
        return self.inspection.visits[0]


def basis_of(tx: Tx, loaded: Loaded) -> Basis | None:
    """The basis of an inspection; None where it has no score, or something newer is waiting."""
    facility = loaded.facility or ""
    grading = gradings.find(tx, facility)
    if grading is None or grading.stale:
        return None
    own = _inputs(tx, "inspection", loaded.id)
    if own is None:
        return None
    whole = _inputs(tx, "facility", facility)
    counts = whole is not None and any(v.inspection == loaded.id for v in whole.visits)
    return Basis(own, whole if counts else None)


def _inputs(tx: Tx, scope: str, subject: str) -> ScoreInputs | None:
    row = assessments.find(tx, scope, subject)
    try:
        return None if row is None else inputs_from_json(whole_inputs(tx, row))
    except Problem:  # stored by another version, or damaged: the next assessment makes it anew
        return None
