"""The audit trail's store, on each database."""

from __future__ import annotations

from sqlalchemy import delete, select, update
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
    for epoch in (2, 2**52):  # S5: a restore draws it from its time; 32 bits do not hold it
        db.write(lambda tx, epoch=epoch: audit.begin_epoch(tx, epoch, NOW))
    with db.read() as tx:
        assert audit.epoch(tx) == 2**52


def test_the_newest_line_is_told_and_a_copy_of_the_trail_is_checked_as_the_trail(
    db: Database,
) -> None:
    with db.read() as tx:
        assert audit.newest(tx) == (0, "")
    for n in range(3):
        record(db, f"s{n}")
    with db.read() as tx:
        copied = [audit.AuditRow(*row) for row in tx.execute(select(tables.audit))]
        assert audit.newest(tx) == (3, copied[-1].h)
    assert list(audit.faults_in(copied)) == []
    assert [n for n, _ in audit.faults_in([copied[0], copied[2]])] == [3, 3]
