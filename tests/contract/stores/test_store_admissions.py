"""Rulings on what was set aside, on each database."""

from __future__ import annotations

from store_rows import NOW, VISIT, VISIT_2, put_people

from server.store import admissions
from server.store.admissions import ADMITTED, REFUSED, Admission
from server.store.db import Database


def test_the_latest_ruling_on_a_log_stands_and_the_ones_before_stay(db: Database) -> None:
    """S9"""
    db.write(put_people)
    first = Admission("d1", VISIT, 7, ADMITTED, "she stood in", "p-aminah", NOW)
    later = Admission("d1", VISIT, 9, REFUSED, "ปากน้ำ", "p-budi", NOW)
    other = Admission("d2", VISIT_2, 1, ADMITTED, "so", "p-budi", NOW - 5)
    for one in (first, later, other):
        db.write(lambda tx, one=one: admissions.rule(tx, one))
    with db.read() as tx:
        assert admissions.of_inspections(tx, [VISIT]) == {("d1", VISIT): later}
        both = admissions.of_inspections(tx, [VISIT, VISIT_2])
        assert both == {("d1", VISIT): later, ("d2", VISIT_2): other}
        assert admissions.of_inspections(tx, []) == {}


def test_a_ruling_covers_what_was_shown_and_only_when_it_admits() -> None:
    """S9"""
    admitted = Admission("d1", VISIT, 7, ADMITTED, "so", "p-aminah", NOW)
    assert [admitted.covers(n) for n in (1, 7, 8)] == [True, True, False]
    assert not Admission("d1", VISIT, 7, REFUSED, "so", "p-aminah", NOW).covers(1)
