"""What was read from held files, and where else they were submitted, on each database."""

from __future__ import annotations

from sqlalchemy import delete, text
from store_rows import (
    EVERY_BYTE,
    NOW,
    VISIT,
    VISIT_2,
    VISIT_3,
    append,
    digest,
    named,
    put_everybody,
    put_visit,
    touch,
)

from server.store import facts, files
from server.store.db import Database
from server.store.facts import FactsRow, OtherUse
from server.store.tables import file_facts

ONE, TWO, THREE, FOUR = sorted(digest(n) for n in range(4))
MANY = [digest(f"many {n}") for n in range(1100)]


def hold(db: Database, person: str, *sha256: str) -> None:
    db.write(lambda tx: [files.hold(tx, one, 1, person, NOW) for one in sha256])


def test_held_pictures_are_unread_until_something_is_kept_of_them(db: Database) -> None:
    first, _ = db.write(put_everybody)
    rows = [
        named(ONE, VISIT, first),
        named(TWO, VISIT, first, kind="scan", media_type="image/tiff"),
        named(THREE, VISIT, first, kind="document", media_type="application/pdf"),
        named(FOUR, VISIT, first),
    ]
    db.write(lambda tx: files.name_files(tx, rows))
    hold(db, "p-aminah", ONE, TWO, THREE)
    with db.read() as tx:
        assert facts.unread(tx, "", 9) == [ONE, TWO]
        assert facts.unread(tx, "", 1) == [ONE]
        assert facts.unread(tx, ONE, 9) == [TWO]
    db.write(lambda tx: facts.keep(tx, FactsRow(ONE, None, "It is cut short.")))
    with db.read() as tx:
        assert facts.unread(tx, "", 9) == [TWO]


def test_a_thousand_files_that_were_read_are_not_looked_at_for_the_one_that_was_not(
    db: Database,
) -> None:
    """The database is asked how it would look: by the index that has the unread files only."""
    asked = facts.unread_query("", 9)
    query = asked.compile(db.engine, compile_kwargs={"literal_binds": True})
    ask = "explain query plan" if db.engine.dialect.name == "sqlite" else "explain"
    with db.read() as tx:
        if db.engine.dialect.name == "postgresql":
            tx.execute(text("set local enable_seqscan = off"))
        said = " ".join(str(row) for row in tx.exec_driver_sql(f"{ask} {query}"))
    assert "ix_files_unread" in said


def test_what_was_deleted_of_files_is_to_be_read_again(db: Database) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: files.name_files(tx, [named(ONE, VISIT, first)]))
    hold(db, "p-aminah", ONE)
    db.write(lambda tx: facts.keep(tx, FactsRow(ONE, b"{}", None)))
    with db.read() as tx:
        assert facts.unread(tx, "", 9) == []
    db.write(facts.delete_all)
    with db.read() as tx:
        assert facts.unread(tx, "", 9) == [ONE]


def test_facts_that_were_lost_some_other_way_are_read_again_once_they_are_looked_for(
    db: Database,
) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: files.name_files(tx, [named(ONE, VISIT, first), named(TWO, VISIT, first)]))
    hold(db, "p-aminah", ONE, TWO)
    for one in (ONE, TWO):
        db.write(lambda tx, one=one: facts.keep(tx, FactsRow(one, b"{}", None)))
    db.write(lambda tx: tx.execute(delete(file_facts).where(file_facts.c.sha256 == ONE)))
    db.write(facts.forget_lost)
    with db.read() as tx:
        assert facts.unread(tx, "", 9) == [ONE]


def test_what_was_read_is_kept_once_as_the_bytes_it_was(db: Database) -> None:
    rows = [FactsRow(ONE, EVERY_BYTE, None), FactsRow(TWO, None, "cut \x00 short")]
    for one in (*rows, FactsRow(ONE, b"other", None)):
        db.write(lambda tx, one=one: facts.keep(tx, one))
    with db.read() as tx:
        assert facts.facts_of(tx, [ONE, TWO, THREE]) == {
            ONE: rows[0],
            TWO: FactsRow(TWO, None, "cut \ufffd short"),
        }
        assert type(facts.facts_of(tx, [ONE])[ONE].facts) is bytes
        assert facts.all_digests(tx) == [ONE, TWO]


def test_facts_of_a_thousand_files_are_found_at_once_and_deleted_at_once(db: Database) -> None:
    db.write(lambda tx: [facts.keep(tx, FactsRow(one, b"{}", None)) for one in MANY])
    with db.read() as tx:
        assert set(facts.facts_of(tx, MANY)) == set(MANY)
        assert sorted(row.sha256 for row in facts.each_of(tx, MANY)) == sorted(MANY)
    db.write(facts.delete_all)
    with db.read() as tx:
        assert facts.all_digests(tx) == []


def test_a_file_is_held_in_an_inspection_when_who_names_it_there_brought_it(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE, TWO))
    db.write(lambda tx: put_visit(tx, second, VISIT_2, "hill", TWO))
    hold(db, "p-aminah", ONE)
    hold(db, "p-budi", TWO)
    with db.read() as tx:
        assert facts.held(tx, VISIT, [ONE, TWO]) == {ONE}
        assert facts.held(tx, VISIT_2, [ONE, TWO]) == {TWO}
        assert facts.held(tx, VISIT, []) == set()


def test_the_facilities_that_name_a_file_are_found(db: Database) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE, *MANY))
    db.write(lambda tx: put_visit(tx, second, VISIT_2, "valley", ONE))
    with db.read() as tx:
        assert facts.facilities_naming(tx, [ONE]) == {"hill", "valley"}
        assert facts.facilities_naming(tx, MANY) == {"hill"}
        assert facts.facilities_naming(tx, [TWO]) == set()


def test_another_live_visit_with_the_same_photograph_is_told_where_it_counts(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE, TWO))
    db.write(lambda tx: put_visit(tx, first, VISIT_2, "valley", ONE))
    # Budi is assigned nowhere: what he names counts for nothing (S9).
    db.write(lambda tx: put_visit(tx, second, VISIT_3, "valley", TWO))
    use = OtherUse(ONE, VISIT_2, "valley", "Valley", NOW)
    with db.read() as tx:
        assert facts.other_uses(tx, VISIT) == [use]
        assert [one.inspection for one in facts.other_uses(tx, VISIT_2)] == [VISIT]


def test_training_unlisted_facilities_and_documents_are_no_other_use(db: Database) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", ONE))
    db.write(lambda tx: append(tx, first, VISIT_2, [b"training"]))
    db.write(lambda tx: touch(tx, VISIT_2, NOW, "valley", "training"))
    db.write(lambda tx: files.name_files(tx, [named(ONE, VISIT_2, first)]))
    db.write(lambda tx: put_visit(tx, first, VISIT_3, "nowhere listed", ONE))
    with db.read() as tx:
        assert facts.other_uses(tx, VISIT) == []
