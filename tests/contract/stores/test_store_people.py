"""People, what they are granted, and failed logins, on each database."""

from __future__ import annotations

from store_rows import IN_BYTE_ORDER, NOW, a_person, put_people, put_region

from server.store import people
from server.store.db import Database
from server.store.people import Failures


def test_a_person_is_found_by_login_and_by_id_and_by_nothing_else(db: Database) -> None:
    new = a_person("aminah", name="อามีนะห์ 🏭")
    db.write(lambda tx: people.add(tx, new))
    with db.read() as tx:
        assert people.by_login(tx, "aminah") == new == people.by_id(tx, "p-aminah")
        assert people.by_login(tx, "Aminah") is None
        assert people.by_login(tx, "amina_") is None
        assert people.by_id(tx, "aminah") is None


def test_whether_a_person_is_active_is_true_or_false_and_no_number(db: Database) -> None:
    both = [a_person("off", active=False), a_person("on")]
    db.write(lambda tx: [people.add(tx, one) for one in both])
    with db.read() as tx:
        assert [one.active for one in people.every(tx)] == [False, True]
        assert all(type(one.active) is bool for one in people.every(tx))


def test_people_come_in_the_order_of_their_logins_bytes(db: Database) -> None:
    db.write(lambda tx: put_people(tx, *reversed(IN_BYTE_ORDER)))
    with db.read() as tx:
        assert [one.login for one in people.every(tx)] == list(IN_BYTE_ORDER)


def test_a_new_password_is_that_persons_alone(db: Database) -> None:
    db.write(put_people)
    db.write(lambda tx: people.set_password(tx, "p-budi", "another"))
    with db.read() as tx:
        assert {one.login: one.password for one in people.every(tx)} == {
            "aminah": "argon2",
            "budi": "another",
        }


def test_a_grant_given_twice_is_one_and_grants_come_sorted(db: Database) -> None:
    db.write(put_region)
    db.write(put_people)
    for role, place in (("officer", "th"), ("auditor", "vn"), ("officer", "asean")) * 2:
        db.write(lambda tx, role=role, place=place: people.grant(tx, "p-budi", role, place))
    with db.read() as tx:
        expected = (("auditor", "vn"), ("officer", "asean"), ("officer", "th"))
        assert people.grants_of(tx, "p-budi") == expected
        assert people.grants_of(tx, "p-aminah") == ()


def test_names_are_given_for_those_asked_for(db: Database) -> None:
    db.write(put_people)
    with db.read() as tx:
        assert people.names(tx, ["p-budi", "p-budi", "p-nobody"]) == {"p-budi": "Budi"}
        assert people.names(tx, []) == {}


def test_failures_are_counted_in_a_row_and_forgotten_when_old_or_told(db: Database) -> None:
    def fail(login: str, at: int) -> int:
        return db.write(lambda tx: people.count_failure(tx, login, at, at - 1000))

    assert [fail("a", NOW), fail("a", NOW + 500), fail("b", NOW + 600)] == [1, 2, 1]
    with db.read() as tx:
        assert people.failures(tx, "a") == Failures(2, NOW + 500)
        assert people.failures(tx, "c") == Failures(0, 0)
    assert fail("b", NOW + 1550) == 2
    with db.read() as tx:
        assert people.failures(tx, "a") == Failures(0, 0), "its last lies too far back"
    db.write(lambda tx: people.forget_failures(tx, "b"))
    assert fail("b", NOW + 1560) == 1
