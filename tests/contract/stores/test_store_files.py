"""Which files are named, held, and for whom (S4, S6), on each database."""

from __future__ import annotations

from store_rows import NOW, VISIT, VISIT_2, digest, named, put_everybody, put_visit

from server.store import files, stored
from server.store.db import Database
from server.store.files import ArrivedFile

ONE, TWO, THREE = sorted(digest(n) for n in range(3))
MANY = [digest(f"many {n}") for n in range(1100)]
BIG = 5 * 1024**3  # bytes; more than 32 bits hold


def by(person: str, *digests: str) -> set[tuple[str, str]]:
    return {(person, one) for one in digests}


def test_naming_a_file_again_changes_nothing(db: Database) -> None:
    first, second = db.write(put_everybody)
    rows = [named(ONE, VISIT, first), named(ONE, VISIT, second), named(TWO, VISIT_2, first)]
    db.write(lambda tx: files.name_files(tx, rows))
    again = [named(ONE, VISIT, first, media_type="image/png", kind="document")]
    db.write(lambda tx: files.name_files(tx, again * 2))
    with db.read() as tx:
        assert files.names_in(tx, VISIT) == sorted(rows[:2], key=lambda one: one.device)
        assert files.names_in(tx, VISIT_2) == rows[2:]


def test_a_file_is_named_by_the_person_whose_entry_names_it(db: Database) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: files.name_files(tx, [named(one, VISIT, first) for one in MANY]))
    with db.read() as tx:
        assert files.is_named_by(tx, MANY[0], "p-aminah") is True
        assert files.is_named_by(tx, MANY[0], "p-budi") is False
        assert files.is_named_by(tx, ONE, "p-aminah") is False
        hers, his = by("p-aminah", *MANY, ONE), by("p-budi", *MANY)
        assert files.named_pairs(tx, hers | his) == by("p-aminah", *MANY)
        assert files.named_pairs(tx, his) == set()
        assert files.named_pairs(tx, set()) == set()


def test_held_bytes_answer_for_who_brought_them_alone(db: Database) -> None:
    db.write(put_everybody)
    for one in MANY[:600]:
        db.write(lambda tx, one=one: files.hold(tx, one, 1, "p-aminah", NOW))
    db.write(lambda tx: files.hold(tx, ONE, BIG, "p-aminah", NOW))
    db.write(lambda tx: files.hold(tx, ONE, BIG, "p-aminah", NOW + 1))
    with db.read() as tx:
        asked = by("p-aminah", *MANY, ONE) | by("p-budi", ONE)
        assert files.held_pairs(tx, asked) == by("p-aminah", *MANY[:600], ONE)
        assert files.held_pairs(tx, set()) == set()
        assert files.is_held_for(tx, ONE, "p-aminah") is True
        assert files.is_held_for(tx, ONE, "p-budi") is False
        assert (ONE, BIG) in stored.all_files(tx)


def test_holding_a_file_tells_which_facilities_it_touches(db: Database) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "valley", ONE))
    db.write(lambda tx: put_visit(tx, second, VISIT_2, "hill", ONE, TWO))
    assert db.write(lambda tx: files.hold(tx, ONE, 9, "p-aminah", NOW)) == ["hill", "valley"]
    assert db.write(lambda tx: files.hold(tx, TWO, 9, "p-budi", NOW)) == ["hill"]
    assert db.write(lambda tx: files.hold(tx, THREE, 9, "p-budi", NOW)) == []


def test_files_that_arrive_together_are_held_as_if_one_by_one(db: Database) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "valley", ONE))
    db.write(lambda tx: put_visit(tx, second, VISIT_2, "hill", ONE, TWO))
    arrived = [
        ArrivedFile(ONE, BIG, "p-aminah", NOW),
        ArrivedFile(ONE, BIG, "p-budi", NOW + 1),
        ArrivedFile(TWO, 9, "p-budi", NOW + 2),
        ArrivedFile(TWO, 9, "p-budi", NOW + 3),
    ]
    assert set(db.write(lambda tx: files.hold_all(tx, arrived))) == {"hill", "valley"}
    db.write(lambda tx: files.hold_all(tx, arrived))
    with db.read() as tx:
        assert stored.all_files(tx) == sorted([(ONE, BIG), (TWO, 9)])
        assert files.size_held_for(tx, "p-budi", ONE) == BIG
        assert files.size_held_for(tx, "p-aminah", ONE) == BIG
        assert files.size_held_for(tx, "p-aminah", TWO) is None
        assert files.size_held_for(tx, "p-budi", THREE) is None


def test_a_media_type_may_be_any_text(db: Database) -> None:
    first, _ = db.write(put_everybody)
    odd = named(ONE, VISIT, first, media_type="image/\x00" + "x" * 9000)
    db.write(lambda tx: files.name_files(tx, [odd]))
    with db.read() as tx:
        assert files.names_in(tx, VISIT)[0].media_type == "image/\ufffd" + "x" * 9000


def test_a_file_that_is_let_go_is_held_for_nobody_and_stays_named(db: Database) -> None:
    """S5: what a restored server has no more, it asks for again."""
    first, _ = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE, TWO))
    for one in (ONE, TWO):
        for person in ("p-aminah", "p-budi"):
            db.write(lambda tx, one=one, person=person: files.hold(tx, one, 9, person, NOW))
    db.write(lambda tx: files.let_go(tx, [ONE, THREE]))
    with db.read() as tx:
        assert stored.all_files(tx) == [(TWO, 9)]
        for person in ("p-aminah", "p-budi"):
            assert not files.is_held_for(tx, ONE, person)
            assert files.is_held_for(tx, TWO, person)
        assert files.is_named_by(tx, ONE, "p-aminah")
        assert stored.missing_files(tx) == [ONE]


def test_whoever_names_a_file_is_found_by_its_digest(db: Database) -> None:
    first, second = db.write(put_everybody)
    both = [named(ONE, VISIT_2, second, kind="sealed-key"), named(ONE, VISIT, first)]
    db.write(lambda tx: files.name_files(tx, [*both, named(TWO, VISIT, first)]))
    with db.read() as tx:
        assert files.naming(tx, ONE) == [both[1], both[0]]
        assert files.naming(tx, digest("nobody")) == []


def test_what_is_held_of_a_device_is_what_its_entries_name_and_its_person_brought(
    db: Database,
) -> None:
    """S4: what a receipt for it may list."""
    first, second = db.write(put_everybody)
    rows = [
        *(named(one, place, first) for one in (ONE, TWO) for place in (VISIT, VISIT_2)),
        named(TWO, VISIT, second),
        named(THREE, VISIT, second),
    ]
    db.write(lambda tx: files.name_files(tx, rows))
    for one, person in ((ONE, "p-aminah"), (TWO, "p-budi"), (THREE, "p-aminah")):
        db.write(lambda tx, one=one, person=person: files.hold(tx, one, 1, person, NOW))
    with db.read() as tx:
        assert files.held_of(tx, first.id) == [ONE]
        assert files.held_of(tx, second.id) == [TWO]
