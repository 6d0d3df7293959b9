"""Changes for devices (S5), on each database."""

from __future__ import annotations

from store_rows import NOW

from server.store import changes
from server.store.db import Database

THINGS = [("facility", "hill"), ("assignment", "a-1")]


def tell(db: Database, *people: str) -> None:
    db.write(lambda tx: changes.tell(tx, people, THINGS, NOW))


def test_changes_are_numbered_without_gaps_across_people_and_writes(db: Database) -> None:
    tell(db, "p-2", "p-1", "p-2")
    tell(db, "p-1")
    with db.read() as tx:
        assert changes.position(tx) == (1, 6)
        assert changes.after(tx, "p-1", 0) == [
            (1, *THINGS[0]),
            (2, *THINGS[1]),
            (5, *THINGS[0]),
            (6, *THINGS[1]),
        ]
        assert [n for n, _, _ in changes.after(tx, "p-2", 0)] == [3, 4]


def test_reading_goes_on_behind_a_number_and_a_page_at_a_time(db: Database) -> None:
    tell(db, "p-1")
    tell(db, "p-1")
    with db.read() as tx:
        assert [n for n, _, _ in changes.after(tx, "p-1", 1, 2)] == [2, 3]
        assert changes.after(tx, "p-1", 4) == []
        assert changes.after(tx, "p-9", 0) == []


def test_telling_nobody_or_nothing_leaves_no_number(db: Database) -> None:
    db.write(lambda tx: changes.tell(tx, [], THINGS, NOW))
    db.write(lambda tx: changes.tell(tx, ["p-1"], [], NOW))
    with db.read() as tx:
        assert changes.position(tx) == (1, 0)


def test_a_write_that_fails_uses_up_no_number(db: Database) -> None:
    class UnforeseenError(Exception):
        pass

    def work(tx: object) -> None:
        changes.tell(tx, ["p-1"], THINGS, NOW)
        raise UnforeseenError

    for _ in range(2):
        try:
            db.write(work)
        except UnforeseenError:
            continue
    tell(db, "p-1")
    with db.read() as tx:
        assert [n for n, _, _ in changes.after(tx, "p-1", 0)] == [1, 2]
