"""Flags and the rulings about them, on each database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import insert
from store_rows import EVERY_BYTE, NOW, VISIT, VISIT_2, put_people

from server.store import flags, tables
from server.store.db import Database
from server.store.flags import FlagRow, Ruling


def a_flag(name: str, **changes: Any) -> FlagRow:
    made = FlagRow(name, "hill", VISIT, "R01", "major", "boundary", flags.OPEN, EVERY_BYTE)
    return replace(made, **changes)


def put(db: Database, facility: str, *rows: FlagRow) -> None:
    db.write(lambda tx: flags.replace(tx, facility, rows))


def test_a_facilitys_flags_become_exactly_those_given(db: Database) -> None:
    put(db, "hill", a_flag("f1"), a_flag("f2"))
    put(db, "valley", a_flag("f3", facility="valley"))
    put(db, "hill", a_flag("f2", status="upheld"))
    with db.read() as tx:
        assert flags.of_facility(tx, "hill") == [a_flag("f2", status="upheld")]
        assert [one.id for one in flags.of_facility(tx, "valley")] == ["f3"]
        assert type(flags.of_facility(tx, "hill")[0].body) is bytes
    put(db, "hill")
    with db.read() as tx:
        assert flags.of_facility(tx, "hill") == []


def test_flags_come_by_inspection_rule_and_id_in_byte_order(db: Database) -> None:
    wanted = [
        a_flag("b", rule="R02"),
        a_flag("Z", rule="R10"),
        a_flag("a", rule="R10"),
        a_flag("0", rule="R01", inspection=VISIT_2),
    ]
    put(db, "hill", *reversed(wanted))
    with db.read() as tx:
        assert flags.of_facility(tx, "hill") == wanted


def test_a_subject_may_be_any_text(db: Database) -> None:
    put(db, "hill", a_flag("f1", subject="well \x00 1"), a_flag("f2", subject="x" * 60_000))
    with db.read() as tx:
        assert [one.subject for one in flags.of_facility(tx, "hill")] == [
            "well \ufffd 1",
            "x" * 60_000,
        ]


def test_all_flags_can_be_deleted_at_once(db: Database) -> None:
    put(db, "hill", a_flag("f1"))
    put(db, "valley", a_flag("f2", facility="valley"))
    db.write(flags.delete_all)
    with db.read() as tx:
        assert flags.of_facility(tx, "hill") == flags.of_facility(tx, "valley") == []


def test_the_newest_ruling_on_each_subject_stands(db: Database) -> None:
    def ruling(name: str, subject: str, at: int, kind: str = "flag") -> Ruling:
        return Ruling(name, kind, subject, "upheld", "seen", "p-budi", at)

    many = [ruling(f"m{n:04}", f"subject {n}", NOW) for n in range(1100)]
    late = ruling("r1", "subject 7", NOW + 2)
    given = [
        *many,
        late,
        ruling("r0", "subject 7", NOW + 1),
        ruling("r2", "subject 7", NOW + 9, "evidence"),
    ]
    db.write(put_people)
    rows = [{name: getattr(one, name) for name in Ruling.__slots__} for one in given]
    db.write(lambda tx: tx.execute(insert(tables.rulings), rows))
    with db.read() as tx:
        found = flags.latest_rulings(tx, "flag", [one.subject for one in many])
        assert found == {one.subject: one for one in many} | {"subject 7": late}
        assert flags.latest_rulings(tx, "flag", ["no such"]) == {}
