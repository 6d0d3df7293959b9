"""Scores and findings as stored: derived bytes beside the inputs they were computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import assessments
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """One assessment, of a facility or of an inspection of it; the three bodies are canonical
    JSON: the score, everything it was computed from (files of the standard by their digests), and
    the findings of the rules.
    """

    scope: str
    subject: str
    facility: str
    as_of: str
    grade: str | None
    grade_state: str
    score: bytes
    inputs: bytes
    findings: bytes


def replace(tx: Tx, facility: str, rows: Sequence[AssessmentRow]) -> None:
    """Let the facility's assessments, its inspections' included, be exactly these."""
    tx.execute(delete(assessments).where(assessments.c.facility == facility))
    if rows:
        tx.execute(insert(assessments), [asdict(row) for row in rows])


def of_facility(tx: Tx, facility: str) -> list[AssessmentRow]:
    """The facility's assessments, its own first and then those of its inspections."""
    query = (
        select(assessments)
        .where(assessments.c.facility == facility)
        .order_by(assessments.c.scope, assessments.c.subject)
    )
    return [AssessmentRow(*row) for row in tx.execute(query)]


def find(tx: Tx, scope: str, subject: str) -> AssessmentRow | None:
    """The assessment of this facility or inspection, if it was computed."""
    query = select(assessments).where(
        assessments.c.scope == scope, assessments.c.subject == subject
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else AssessmentRow(*row)


def delete_all(tx: Tx) -> None:
    """Delete every assessment; they are derived and can be computed again."""
    tx.execute(delete(assessments))
