"""Leases of the workers, on each database."""

from __future__ import annotations

from store_rows import NOW

from server.store import leases
from server.store.db import Database


def take(db: Database, holder: str, now: int, job: str = "grade") -> bool:
    return db.write(lambda tx: leases.take(tx, job, holder, now, now + 100))


def test_a_lease_is_one_holders_until_it_runs_out(db: Database) -> None:
    assert take(db, "one", NOW) is True
    assert take(db, "two", NOW + 99) is False
    assert take(db, "two", NOW + 99, job="regrade") is True
    assert take(db, "two", NOW + 100) is True
    assert take(db, "one", NOW + 101) is False


def test_its_holder_can_extend_it(db: Database) -> None:
    assert take(db, "one", NOW) and take(db, "one", NOW + 50)
    assert take(db, "two", NOW + 120) is False
    assert take(db, "two", NOW + 150) is True


def test_a_lease_given_back_is_free_at_once_and_only_ones_own_is(db: Database) -> None:
    take(db, "one", NOW)
    db.write(lambda tx: leases.give_back(tx, "two"))
    assert take(db, "two", NOW + 1) is False
    db.write(lambda tx: leases.give_back(tx, "one"))
    assert take(db, "two", NOW + 1) is True
