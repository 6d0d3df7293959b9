"""The audit trail's store, on each database."""

from __future__ import annotations

from sqlalchemy import delete, insert, update
from store_rows import NOW

from server.store import audit, tables
from server.store.db import Database


def record(db: Database, subject: str, **detail: object) -> int:
    return db.write(lambda tx: audit.record(tx, NOW, "console", "test", subject, detail))


def faults(db: Database) -> list[tuple[int, str]]:
    with db.read() as tx:
        return list(audit.faults(tx))


def test_lines_are_numbered_from_one_and_come_in_order(db: Database) -> None:
    assert [record(db, f"s{n % 2}", n=n) for n in range(1, 5)] == [1, 2, 3, 4]
    with db.read() as tx:
        assert [line["n"] for line in audit.lines(tx)] == [1, 2, 3, 4]
        assert [line["n"] for line in audit.lines(tx, "s0")] == [2, 4]
        assert audit.lines(tx, "no such") == []
        assert audit.count(tx) == 4
    assert faults(db) == []


def test_a_line_says_what_was_given_in_any_script(db: Database) -> None:
    record(db, "facility:ปากน้ำ", why="ปิด 🏭", nested={"a": [1, None, True]})
    with db.read() as tx:
        (line,) = audit.lines(tx)
    assert line == {
        "n": 1,
        "at": NOW,
        "who": "console",
        "action": "test",
        "subject": "facility:ปากน้ำ",
        "detail": {"why": "ปิด 🏭", "nested": {"a": [1, None, True]}},
    }


def test_text_that_no_column_holds_breaks_neither_the_line_nor_the_chain(db: Database) -> None:
    record(db, "login:\x00", typed="\x00 and \udc80")
    assert faults(db) == []
    with db.read() as tx:
        (line,) = audit.lines(tx, "login:\x00")
    assert (line["subject"], line["detail"]) == ("login:\ufffd", {"typed": "\x00 and \udc80"})


def test_a_changed_a_moved_and_a_missing_line_are_named(db: Database) -> None:
    for n in range(6):
        record(db, f"s{n}")
    table = tables.audit
    db.write(lambda tx: tx.execute(update(table).where(table.c.n == 2).values(line=b"{}")))
    assert [n for n, _ in faults(db)] == [2]
    db.write(lambda tx: tx.execute(delete(table).where(table.c.n == 4)))
    assert [n for n, _ in faults(db)] == [2, 5, 5]


def test_the_epoch_is_one_until_another_is_noted(db: Database) -> None:
    with db.read() as tx:
        assert audit.epoch(tx) == 1
    for epoch in (2, 3):
        row = {"epoch": epoch, "created_at": NOW}
        db.write(lambda tx, row=row: tx.execute(insert(tables.server).values(**row)))
    with db.read() as tx:
        assert audit.epoch(tx) == 3
