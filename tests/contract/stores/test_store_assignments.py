"""Assignments, on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError
from store_rows import an_assignment, put_people, put_region

from server.store import assignments
from server.store.assignments import Assignment
from server.store.db import Database


def put(db: Database, *new: Assignment) -> None:
    db.write(put_region)
    db.write(put_people)
    db.write(lambda tx: [assignments.add(tx, one) for one in new])


HILL = an_assignment("a-2", "hill", "p-aminah", not_before="2026-11-05")
DELTA = an_assignment("a-1", "delta", "p-aminah")
OTHER = an_assignment("a-3", "hill", "p-budi")


def test_an_assignment_is_found_and_travels_without_when_it_was_made(db: Database) -> None:
    put(db, HILL)
    with db.read() as tx:
        assert assignments.get(tx, "a-2") == HILL
        assert assignments.get(tx, "no such") is None
        assert assignments.find(tx, "a-2") == assignments.as_json(HILL)
        assert assignments.find(tx, "no such") is None
    assert "created_at" not in assignments.as_json(HILL)


def test_the_same_is_that_of_one_person_to_one_facility_from_one_day(db: Database) -> None:
    put(db, HILL, OTHER)
    with db.read() as tx:
        assert assignments.same(tx, "hill", "p-aminah", "2026-11-05") == HILL
        assert assignments.same(tx, "hill", "p-aminah", "2026-11-06") is None
    again = an_assignment("a-9", "hill", "p-aminah", not_before="2026-11-05")
    with pytest.raises(IntegrityError):
        db.write(lambda tx: assignments.add(tx, again))


def test_a_persons_assignments_come_by_their_first_day(db: Database) -> None:
    put(db, HILL, DELTA, OTHER)
    with db.read() as tx:
        assert assignments.of_person(tx, "p-aminah") == [DELTA, HILL]
        assert assignments.of_person(tx, "p-nobody") == []


def test_grace_days_are_kept_and_travel(db: Database) -> None:
    """S9"""
    long = an_assignment("a-7", "hill", "p-budi", not_before="2026-12-01", grace_days=40)
    put(db, HILL, long)
    with db.read() as tx:
        assert assignments.at_facilities(tx, ["hill"]) == [HILL, long]
    assert HILL.grace_days == assignments.GRACE_DAYS
    assert assignments.as_json(long)["grace_days"] == 40
    db.write(lambda tx: assignments.end(tx, "a-7", 5))
    db.write(lambda tx: assignments.reopen(tx, "a-7", "again", "2026-12-31", 3))
    with db.read() as tx:
        again = assignments.get(tx, "a-7")
    assert again is not None and (again.grace_days, again.ended_at) == (3, None)


def test_who_is_assigned_is_told_for_facilities_and_for_one_person(db: Database) -> None:
    put(db, HILL, DELTA, OTHER)
    with db.read() as tx:
        assert assignments.people_of(tx, ["hill", "delta"]) == {"p-aminah", "p-budi"}
        assert assignments.people_of(tx, ["valley"]) == set()
        assert assignments.people_of(tx, []) == set()
        assert assignments.is_assigned(tx, "p-budi", "hill") is True
        assert assignments.is_assigned(tx, "p-budi", "delta") is False


def test_pages_go_by_id_within_the_jurisdictions_asked_for(db: Database) -> None:
    put(db, HILL, DELTA, OTHER)
    with db.read() as tx:
        assert assignments.page(tx, {"th-north", "vn"}, "", 2) == [DELTA, HILL]
        assert assignments.page(tx, {"th-north", "vn"}, "a-2", 2) == [OTHER]
        assert assignments.page(tx, {"vn"}, "", 9) == [DELTA]


def test_an_assignment_that_was_ended_says_when_and_can_be_opened_again(db: Database) -> None:
    """S5: what was recorded under it counts on; nothing new is told."""
    put(db, HILL, DELTA, OTHER)
    db.write(lambda tx: assignments.end(tx, "a-2", 7))
    with db.read() as tx:
        assert assignments.at_facilities(tx, ["hill"]) == [OTHER, replace(HILL, ended_at=7)]
        assert assignments.at_facilities(tx, ["valley"]) == []
        assert assignments.people_of(tx, ["hill"]) == {"p-aminah", "p-budi"}
        assert assignments.current_people(tx, ["hill"]) == {"p-budi"}
        assert assignments.current_people(tx, ["hill", "delta"]) == {"p-aminah", "p-budi"}
    db.write(lambda tx: assignments.reopen(tx, "a-2", "again", "2026-12-24"))
    with db.read() as tx:
        again = replace(HILL, purpose="again", not_after="2026-12-24")
        assert assignments.get(tx, "a-2") == again
        assert assignments.current_people(tx, ["hill"]) == {"p-aminah", "p-budi"}


def test_the_mark_of_conflict_is_kept_and_travels_only_where_it_is_given(db: Database) -> None:
    """S11"""
    marked = an_assignment("a-8", "hill", "p-budi", not_before="2026-12-01", conflict=True)
    put(db, HILL, marked)
    assert "conflict" not in assignments.as_json(HILL)
    with db.read() as tx:
        assert assignments.as_json(assignments.get(tx, "a-8") or HILL)["conflict"] is True
    db.write(lambda tx: assignments.end(tx, "a-8", 5))
    db.write(lambda tx: assignments.reopen(tx, "a-8", "again", "2026-12-31", conflict=True))
    with db.read() as tx:
        again = assignments.get(tx, "a-8")
    assert again is not None and again.conflict is True
