"""Sessions of people in a browser, on each database."""

from __future__ import annotations

from store_rows import NOW, a_person, digest, put_people, put_region

from server.store import people, sessions
from server.store.db import Database
from server.store.sessions import OpenSession
from server.store.transaction import Tx

TOKEN, OTHER = digest("token"), digest("other")


def put(db: Database) -> None:
    def work(tx: Tx) -> None:
        put_region(tx)
        put_people(tx)
        people.grant(tx, "p-aminah", "officer", "th")
        people.grant(tx, "p-aminah", "auditor", "vn")
        sessions.add(tx, TOKEN, "p-aminah", "csrf", NOW, NOW + 100)
        sessions.add(tx, OTHER, "p-budi", "csrf-2", NOW, NOW + 200)

    db.write(work)


def test_a_session_is_found_with_its_person_and_all_grants_while_it_runs(db: Database) -> None:
    put(db)
    granted = (("auditor", "vn"), ("officer", "th"))
    with db.read() as tx:
        assert sessions.find(tx, TOKEN, NOW + 99) == OpenSession(
            "p-aminah", "Aminah", "csrf", NOW + 100, granted
        )
        assert sessions.find(tx, TOKEN, NOW + 100) is None
        assert sessions.find(tx, digest("no such"), NOW) is None


def test_a_person_without_grants_has_a_session_without_grants(db: Database) -> None:
    put(db)
    with db.read() as tx:
        found = sessions.find(tx, OTHER, NOW)
    assert found is not None and (found.person, found.grants) == ("p-budi", ())


def test_somebody_who_is_not_active_has_no_session(db: Database) -> None:
    put(db)
    gone = a_person("gone", active=False)

    def work(tx: Tx) -> None:
        people.add(tx, gone)
        sessions.add(tx, digest("gone"), gone.id, "csrf", NOW, NOW + 100)

    db.write(work)
    with db.read() as tx:
        assert sessions.find(tx, digest("gone"), NOW) is None


def test_a_session_ends_once(db: Database) -> None:
    put(db)
    assert db.write(lambda tx: sessions.end(tx, TOKEN)) is True
    assert db.write(lambda tx: sessions.end(tx, TOKEN)) is False
    with db.read() as tx:
        assert sessions.find(tx, TOKEN, NOW) is None
        assert sessions.find(tx, OTHER, NOW) is not None


def test_all_sessions_of_a_person_end_together_and_nobody_elses(db: Database) -> None:
    put(db)
    more = digest("more")
    db.write(lambda tx: sessions.add(tx, more, "p-aminah", "csrf", NOW, NOW + 100))
    db.write(lambda tx: sessions.end_all(tx, "p-aminah"))
    with db.read() as tx:
        assert [sessions.find(tx, one, NOW) is None for one in (TOKEN, more, OTHER)] == [
            True,
            True,
            False,
        ]


def test_those_that_have_run_out_go_when_another_begins(db: Database) -> None:
    put(db)
    db.write(lambda tx: sessions.add(tx, digest("new"), "p-budi", "c", NOW + 100, NOW + 900))
    with db.read() as tx:
        # Looked for as of a moment when it still ran: it is gone, not merely over.
        assert sessions.find(tx, TOKEN, NOW) is None
        assert sessions.find(tx, OTHER, NOW) is not None
