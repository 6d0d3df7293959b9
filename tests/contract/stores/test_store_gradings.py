"""What has to be graded again, on each database."""

from __future__ import annotations

from store_rows import NOW, digest

from server.store import gradings
from server.store.db import Database
from server.store.gradings import Grading

LONG = "".join(digest(n) for n in range(900))
DAY, NEXT = "2026-11-23", "2026-11-24"


def mark(db: Database, facility: str, as_of: str = DAY, now: int = NOW) -> None:
    db.write(lambda tx: gradings.mark_stale(tx, facility, as_of, now))


def done(db: Database, grading: Grading) -> bool:
    return db.write(lambda tx: gradings.done(tx, grading))


def find(db: Database, facility: str) -> Grading | None:
    with db.read() as tx:
        return gradings.find(tx, facility)


def test_a_facility_that_is_marked_waits_and_is_marked_once(db: Database) -> None:
    mark(db, "hill")
    assert find(db, "hill") == Grading("hill", DAY, True, NOW)
    assert find(db, "valley") is None
    mark(db, "hill", NEXT, NOW + 5)
    assert find(db, "hill") == Grading("hill", NEXT, True, NOW + 5)
    with db.read() as tx:
        assert len(gradings.every(tx)) == 1
        assert type(gradings.every(tx)[0].stale) is bool


def test_two_askings_in_one_millisecond_are_told_apart(db: Database) -> None:
    mark(db, "hill")
    first = find(db, "hill")
    mark(db, "hill")
    assert find(db, "hill").asked_at == NOW + 1
    assert done(db, first) is False
    assert find(db, "hill").stale is True
    assert done(db, find(db, "hill")) is True
    assert find(db, "hill").stale is False


def test_several_facilities_are_marked_at_once(db: Database) -> None:
    mark(db, "hill")
    wanted = {"hill": (NEXT, NOW + 3), "valley": (DAY, NOW + 4), "h\x00": (DAY, NOW)}
    db.write(lambda tx: gradings.mark_all_stale(tx, wanted))
    assert find(db, "hill") == Grading("hill", NEXT, True, NOW + 3)
    assert find(db, "valley") == Grading("valley", DAY, True, NOW + 4)
    db.write(lambda tx: gradings.mark_all_stale(tx, wanted))
    assert find(db, "h\x00").asked_at == NOW + 1
    db.write(lambda tx: gradings.mark_all_stale(tx, {}))


def test_a_clock_that_goes_back_makes_no_asking_look_answered(db: Database) -> None:
    mark(db, "hill")
    mark(db, "hill", now=NOW - 1000)
    assert find(db, "hill").asked_at == NOW + 1


def test_the_longest_waiting_comes_first_and_what_is_done_waits_no_more(db: Database) -> None:
    for facility, now in (("c", NOW), ("b", NOW + 1), ("a", NOW + 1)):
        mark(db, facility, now=now)
    with db.read() as tx:
        assert [one.facility for one in gradings.stale(tx)] == ["c", "a", "b"]
    done(db, find(db, "a"))
    with db.read() as tx:
        assert [one.facility for one in gradings.stale(tx)] == ["c", "b"]
        assert [one.facility for one in gradings.every(tx)] == ["a", "b", "c"]


def test_marking_again_keeps_the_date_and_leaves_alone_what_was_never_graded(
    db: Database,
) -> None:
    mark(db, "hill")
    done(db, find(db, "hill"))
    db.write(lambda tx: gradings.mark_again(tx, ["hill", "hill", "never"], NOW + 9))
    assert find(db, "hill") == Grading("hill", DAY, True, NOW + 9)
    assert find(db, "never") is None


def test_a_new_day_asks_for_everything_of_another_day(db: Database) -> None:
    mark(db, "hill")
    mark(db, "valley", NEXT)
    assert db.write(lambda tx: gradings.mark_all(tx, NEXT, NOW + 1)) == 1
    assert find(db, "hill") == Grading("hill", NEXT, True, NOW + 1)
    assert db.write(lambda tx: gradings.mark_all(tx, NEXT, NOW + 2)) == 0


def test_a_facility_named_by_any_text_can_be_marked_and_found_again(db: Database) -> None:
    for odd in ("with \x00 nul", "half \ud800 pair", "é" * 60_000, LONG):
        mark(db, odd)
        found = find(db, odd)
        assert found is not None and found.stale
        mark(db, odd, NEXT)
        assert find(db, odd).as_of == NEXT
        assert done(db, find(db, odd)) is True
    with db.read() as tx:
        assert len(gradings.every(tx)) == 4
