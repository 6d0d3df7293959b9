"""What one person proposes and another one decides, on each database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from store_rows import EVERY_BYTE, NOW, digest, put_people

from server.store import proposals
from server.store.db import Database
from server.store.proposals import APPROVED, REFUSED, Proposal

DAYS = {"th": "2027-01-01", "vn": "2027-02-01"}


def a_proposal(name: str, /, **changes: Any) -> Proposal:
    found = digest(("checklist", "r", "2"))
    made = Proposal(name, "checklist", "r", "2", found, EVERY_BYTE, DAYS, "p-aminah", NOW)
    return replace(made, **changes)


def add(db: Database, *new: Proposal) -> None:
    db.write(put_people)
    db.write(lambda tx: [proposals.add(tx, one) for one in new])


def rule(db: Database, name: str, ruling: str, at: int = NOW + 9) -> bool:
    return db.write(lambda tx: proposals.rule(tx, name, ruling, "why", "p-budi", at))


def test_a_proposal_is_found_as_it_was_made(db: Database) -> None:
    one = a_proposal("v-1")
    add(db, one)
    with db.read() as tx:
        assert proposals.get(tx, "v-1") == one
        assert proposals.get(tx, "V-1") is None


def test_nobody_who_is_not_known_proposes(db: Database) -> None:
    with pytest.raises(IntegrityError):
        add(db, a_proposal("v-1", proposed_by="p-nobody"))


def test_those_that_wait_come_the_oldest_first(db: Database) -> None:
    old, late = a_proposal("v-9"), a_proposal("v-1", proposed_at=NOW + 1)
    add(db, late, old, a_proposal("v-2"))
    assert rule(db, "v-2", REFUSED)
    with db.read() as tx:
        assert proposals.waiting(tx) == [old, late]


def test_a_ruling_is_given_once(db: Database) -> None:
    one = a_proposal("v-1")
    add(db, one)
    assert rule(db, "v-1", APPROVED)
    assert not rule(db, "v-1", REFUSED, NOW + 10)
    assert not rule(db, "v-2", APPROVED)
    ruled = {"ruling": APPROVED, "reason": "why", "ruled_by": "p-budi", "ruled_at": NOW + 9}
    with db.read() as tx:
        assert proposals.get(tx, "v-1") == replace(one, **ruled)
        assert proposals.waiting(tx) == []


def test_what_was_decided_last_comes_first(db: Database) -> None:
    add(db, *(a_proposal(f"v-{n}") for n in range(4)))
    for n, at in ((2, NOW + 5), (0, NOW + 7), (1, NOW + 6)):
        rule(db, f"v-{n}", REFUSED, at)
    with db.read() as tx:
        assert [one.id for one in proposals.decided(tx, 2)] == ["v-0", "v-1"]
        assert [one.id for one in proposals.decided(tx, 9)] == ["v-0", "v-1", "v-2"]


def test_who_approved_a_document_is_found_by_its_digest(db: Database) -> None:
    add(db, *(a_proposal(f"v-{n}") for n in range(3)), a_proposal("v-3", digest=digest("other")))
    for n, ruling in ((2, APPROVED), (0, REFUSED), (1, APPROVED), (3, APPROVED)):
        rule(db, f"v-{n}", ruling, NOW + 10 - n)
    with db.read() as tx:
        found = proposals.approved(tx, a_proposal("v-1").digest)
        assert [one.id for one in found] == ["v-2", "v-1"]
        assert proposals.approved(tx, digest("nothing")) == []
