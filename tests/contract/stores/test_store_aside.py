"""What is held aside of an inspection, on every database."""

from __future__ import annotations

from dataclasses import replace

from store_rows import VISIT, VISIT_2

from server.store import aside
from server.store.aside import AsideRow
from server.store.db import Database

ROW = AsideRow(VISIT, "hill", 1, 2, 3, 4, 5)
NOTHING = AsideRow(VISIT_2, "hill", 0, 0, 0, 0, 0)


def test_a_facilitys_rows_are_replaced_and_nothing_is_not_kept(db: Database) -> None:
    other = replace(NOTHING, facility="valley", unread=1)
    db.write(lambda tx: aside.replace(tx, "hill", [ROW, NOTHING]))
    db.write(lambda tx: aside.replace(tx, "valley", [other]))
    with db.read() as tx:
        assert aside.at_facilities(tx, {"hill"}) == [ROW]
        assert aside.at_facilities(tx, {"valley", "hill"}) == [ROW, other]
        assert aside.at_facilities(tx, set()) == []
    db.write(lambda tx: aside.replace(tx, "hill", []))
    with db.read() as tx:
        assert aside.at_facilities(tx, {"valley", "hill"}) == [other]
    db.write(aside.delete_all)
    with db.read() as tx:
        assert aside.at_facilities(tx, {"valley"}) == []
