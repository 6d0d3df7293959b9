"""Scores and findings as stored, on each database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store_rows import EVERY_BYTE, VISIT, VISIT_2

from server.store import assessments
from server.store.assessments import AssessmentRow
from server.store.db import Database


def a_row(scope: str, subject: str, **changes: Any) -> AssessmentRow:
    made = AssessmentRow(
        scope, subject, "hill", "2026-11-23", "B", "graded", EVERY_BYTE, b"{}", b"[]"
    )
    return replace(made, **changes)


def put(db: Database, facility: str, *rows: AssessmentRow) -> None:
    db.write(lambda tx: assessments.replace(tx, facility, rows))


def test_a_facilitys_assessments_become_exactly_those_given(db: Database) -> None:
    put(db, "hill", a_row("facility", "hill"), a_row("inspection", VISIT))
    put(db, "valley", a_row("facility", "valley", facility="valley"))
    changed = a_row("facility", "hill", grade=None, grade_state="withheld")
    put(db, "hill", changed)
    with db.read() as tx:
        assert assessments.of_facility(tx, "hill") == [changed]
        assert assessments.find(tx, "inspection", VISIT) is None
        assert len(assessments.of_facility(tx, "valley")) == 1


def test_the_facilitys_own_comes_first_then_those_of_its_inspections(db: Database) -> None:
    wanted = [
        a_row("facility", "hill"),
        a_row("inspection", VISIT),
        a_row("inspection", VISIT_2),
    ]
    put(db, "hill", *reversed(wanted))
    with db.read() as tx:
        assert assessments.of_facility(tx, "hill") == wanted


def test_one_is_found_by_scope_and_subject_with_its_bytes(db: Database) -> None:
    put(db, "hill", a_row("facility", "hill"))
    with db.read() as tx:
        found = assessments.find(tx, "facility", "hill")
        assert found == a_row("facility", "hill")
        assert [type(one) for one in (found.score, found.inputs, found.findings)] == [bytes] * 3
        assert assessments.find(tx, "inspection", "hill") is None


def test_all_can_be_deleted_at_once(db: Database) -> None:
    put(db, "hill", a_row("facility", "hill"))
    db.write(assessments.delete_all)
    with db.read() as tx:
        assert assessments.of_facility(tx, "hill") == []
