"""From which day a document applies where, on each database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from store_rows import NOW, digest, put_region

from server.store import documents, in_force
from server.store.db import Database
from server.store.documents import Document
from server.store.in_force import ALWAYS, EVERYWHERE, InForce
from server.store.transaction import Tx

ONE, TWO, THREE = (digest(("checklist", "r", version)) for version in "123")


def put_documents(tx: Tx) -> None:
    put_region(tx)
    for version, found in zip("123", (ONE, TWO, THREE), strict=True):
        documents.add(tx, Document(found, "checklist", "r", version, version.encode(), NOW))


def a_start(where: str, day: str, found: str, **changes: Any) -> InForce:
    given = {"kind": "checklist", "name": "r", "at": NOW} | changes
    return InForce(given["kind"], given["name"], where, day, found, given["at"])


def put(db: Database, *new: InForce) -> list[bool]:
    db.write(put_documents)
    return db.write(lambda tx: [in_force.put(tx, one) for one in new])


def test_a_start_is_kept_once(db: Database) -> None:
    one = a_start("th", "2027-01-01", ONE)
    again = a_start("th", "2027-01-01", ONE, at=NOW + 1)
    assert put(db, one, again, a_start("vn", "2027-01-01", ONE)) == [True, False, True]
    with db.read() as tx:
        assert in_force.of_digest(tx, ONE) == [one, a_start("vn", "2027-01-01", ONE)]
        assert in_force.of_digest(tx, TWO) == []


def test_a_document_that_is_not_published_cannot_be_in_force(db: Database) -> None:
    with pytest.raises(IntegrityError):
        put(db, a_start("th", "2027-01-01", digest("no such")))


def test_all_come_by_kind_and_name_the_last_to_begin_first(db: Database) -> None:
    wanted = [
        a_start("th", "2027-02-01", TWO),
        a_start("th", "2027-01-01", THREE, at=NOW + 1),
        a_start("th", "2027-01-01", ONE),
        a_start(EVERYWHERE, ALWAYS, ONE),
        a_start("th", "2027-03-01", TWO, name="s"),
        a_start("th", "2027-03-02", TWO, kind="limits"),
    ]
    put(db, *reversed(wanted))
    with db.read() as tx:
        assert in_force.every(tx) == wanted


def test_what_applies_is_what_began_last(db: Database) -> None:
    put(
        db,
        a_start(EVERYWHERE, ALWAYS, ONE),
        a_start(EVERYWHERE, "2027-01-01", TWO),
        a_start(EVERYWHERE, "2027-02-01", ONE),
        a_start(EVERYWHERE, "2027-02-01", THREE, at=NOW + 1),
    )
    with db.read() as tx:
        on = {
            day: in_force.applying(in_force.reaching(tx, "checklist", "r", "th"), day)
            for day in ("2026-12-31", "2027-01-01", "2027-01-31", "2027-02-01")
        }
        assert in_force.reaching(tx, "limits", "r", "th") == []
        assert in_force.reaching(tx, "checklist", "s", "th") == []
        assert in_force.applying([], "2027-02-01") is None
    # Of two that begin on one day it is the one decided later.
    assert on == {"2026-12-31": ONE, "2027-01-01": TWO, "2027-01-31": TWO, "2027-02-01": THREE}


def test_the_nearest_jurisdiction_that_decided_comes_first(db: Database) -> None:
    of_country, of_state = a_start("th", "2026-02-01", TWO), a_start("th-north", "2026-01-01", ONE)
    everywhere = a_start(EVERYWHERE, ALWAYS, THREE)
    put(db, everywhere, of_country, of_state)
    with db.read() as tx:

        def on(day: str, where: str) -> str | None:
            return in_force.applying(in_force.reaching(tx, "checklist", "r", where), day)

        assert in_force.reaching(tx, "checklist", "r", "th-north") == [
            of_state,
            of_country,
            everywhere,
        ]
        assert on("2026-03-01", "th-north") == ONE, "though its country's began later"
        assert on("2025-03-01", "th-north") == THREE, "before either began"
        assert (on("2026-03-01", "th"), on("2026-01-15", "th")) == (TWO, THREE)
        assert on("2026-03-01", "vn") == THREE, "a neighbour's is nothing to it"
        assert on("2026-03-01", "not known") == THREE


def test_what_is_proposed_takes_its_place_among_what_is_decided(db: Database) -> None:
    put(db, a_start("th", "2026-02-01", ONE), a_start("th-north", "2026-01-01", THREE))
    new = [a_start("th", "2026-03-01", TWO), a_start("vn", "2026-03-01", TWO, at=NOW + 1)]
    with db.read() as tx:

        def on(day: str, where: str) -> str | None:
            rows = in_force.reaching(tx, "checklist", "r", where, new)
            return in_force.applying(rows, day)

        assert (on("2026-02-28", "th"), on("2026-03-01", "th")) == (ONE, TWO)
        assert on("2026-03-01", "th-north") == THREE, "a nearer one has its own"
        assert (on("2026-02-28", "vn"), on("2026-03-01", "vn")) == (None, TWO)
        assert in_force.of_digest(tx, TWO) == [], "nothing is stored"


def test_what_comes_is_listed_where_it_changes_anything(db: Database) -> None:
    put(
        db,
        a_start("th", "2026-06-01", ONE),
        a_start(EVERYWHERE, "2026-09-01", TWO),  # displaced by the country's own
        a_start("th", "2026-10-01", ONE, at=NOW + 1),  # nothing new
        a_start("th", "2026-12-01", TWO),
        a_start("th", "2026-11-01", THREE),
    )
    with db.read() as tx:
        there = in_force.reaching(tx, "checklist", "r", "th")
        neighbour = in_force.reaching(tx, "checklist", "r", "vn")
    rest = [("2026-11-01", THREE), ("2026-12-01", TWO)]
    assert in_force.coming(there, "2026-07-01") == rest
    assert in_force.coming(there, "2026-11-01") == rest[1:]
    assert in_force.coming(there, "2026-01-01") == [("2026-06-01", ONE), *rest]
    assert in_force.coming(neighbour, "2026-01-01") == [("2026-09-01", TWO)]
    assert in_force.coming([], "2026-01-01") == []
