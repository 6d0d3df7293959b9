"""What another version of a checklist or limits table would change of the stored scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from checklists.model import Checklist, Limits
from checklists.rescoring import Rescored, rescore
from checklists.scoring.inputs import ScoreInputs
from server.services.inspections import load_inspection
from server.services.score_inputs import stored_inputs
from server.services.standards import named_checklist
from server.store import assessments, facilities
from server.store.assessments import AssessmentRow
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Effects:
    """The scores that the version touches, and how many it leaves: `untouched` read nothing of what
    differs, `named` are inspections that are judged by the checklist version they name.
    """

    touched: tuple[Rescored, ...]
    untouched: int
    named: int


def facilities_using(tx: Tx, newer: Checklist | Limits, name: str = "") -> list[str]:
    """The facilities that use a document of this version's name, or of another `name`."""
    if isinstance(newer, Limits):
        return facilities.using(tx, "limits", name or newer.jurisdiction)
    return facilities.using(tx, "checklist", name or newer.id)


def effects(tx: Tx, newer: Checklist | Limits, places: Iterable[str] | None = None) -> Effects:
    """Score again what is stored of these facilities, else of those that use a document of this
    name, under this version, wherever it touches them; nothing is stored. The version need not be
    published. An inspection goes by the checklist that it names now.

    Raises `score-export-malformed` and `table-unreadable` where stored inputs were damaged.
    """
    rows = (
        row
        for facility in (facilities_using(tx, newer) if places is None else places)
        for row in assessments.of_facility(tx, facility)
    )
    return _effects(tx, newer, rows)


def facility_effects(tx: Tx, newer: Checklist | Limits, facility: str) -> Effects:
    """As `effects`, of a facility's own score alone: empty where it has none."""
    row = assessments.find(tx, "facility", facility)
    return _effects(tx, newer, () if row is None else (row,))


def _effects(tx: Tx, newer: Checklist | Limits, rows: Iterable[AssessmentRow]) -> Effects:
    scored: list[Rescored] = []
    untouched = named = 0
    for row in rows:
        inputs = stored_inputs(tx, row)
        if row.scope == "inspection":
            names = _named_now(tx, row)
            if isinstance(newer, Limits):
                inputs = _by(tx, inputs, names)
            elif names != newer.digest:
                named += 1
                continue
        found = rescore(inputs, newer)
        if found is None:
            untouched += 1
        else:
            scored.append(found)
    return Effects(tuple(scored), untouched, named)


def _named_now(tx: Tx, row: AssessmentRow) -> str:
    """The digest of the checklist that an inspection names, moved since it was graded or not."""
    loaded = load_inspection(tx, row.subject)
    heads = () if loaded is None else loaded.inspection.about.heads
    return heads[0].checklist if heads else ""


def _by(tx: Tx, inputs: ScoreInputs, digest: str) -> ScoreInputs:
    """The inputs as the next grading will read them; one that is not published says nothing."""
    checklist = named_checklist(tx, digest)
    return inputs if checklist is None else replace(inputs, checklist=checklist)
