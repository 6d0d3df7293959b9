"""Text as a column keeps it, the same on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select
from store_rows import IN_BYTE_ORDER

from server.store.db import Database
from server.store.types import Counter, Key, Text, storable, storable_key

NOTES = Table(
    "notes",
    MetaData(),
    Column("n", Counter, primary_key=True),
    Column("text", Text),
    Column("key", Key, index=True),
)


@pytest.mark.parametrize("text", ["", "plain", "ปากน้ำ 🏭", "\t\n\r\x01\x7f", "x" * 100_000])
def test_what_a_column_can_hold_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_no_column_holds_is_shown_as_such_sign_by_sign() -> None:
    assert storable("a\x00b\ud800\udc00c") == "a\ufffdb\ufffd\ufffdc"


def test_a_long_key_is_told_from_another_that_begins_and_ends_like_it() -> None:
    one, two = ("x" * 300 + middle + "x" * 300 for middle in "ab")
    assert storable_key(one) != storable_key(two)
    assert storable_key(one).startswith("x" * 200 + "… SHA-256 ")
    assert len(storable_key("🏭" * 70_000).encode()) < 2704
    assert storable_key("x" * 400) == "x" * 400
    assert storable_key(storable_key(one)) == storable_key(one)


def test_text_is_sorted_and_compared_by_its_bytes(db: Database) -> None:
    rows = [{"text": one, "key": one} for one in reversed(IN_BYTE_ORDER)]
    db.write(NOTES.create)
    db.write(lambda tx: tx.execute(insert(NOTES), rows))
    with db.read() as tx:
        for column in (NOTES.c.text, NOTES.c.key):
            found = list(tx.execute(select(column).order_by(column)).scalars())
            assert found == list(IN_BYTE_ORDER)
            above = select(column).where(column > "alpha2").order_by(column)
            assert list(tx.execute(above).scalars()) == list(IN_BYTE_ORDER[4:])


def test_any_text_can_be_stored_and_found_by_and_numbers_itself(db: Database) -> None:
    odd = ["", "\x00", "\ud800", "🏭" * 70_000, "a'b\"c%s%%\\:x"]
    db.write(NOTES.create)
    for one in odd:
        db.write(lambda tx, one=one: tx.execute(insert(NOTES).values(text=one, key=one)))
    with db.read() as tx:
        for n, one in enumerate(odd, 1):
            row = tx.execute(select(NOTES).where(NOTES.c.text == one, NOTES.c.n == n)).one()
            assert (row.text, row.key) == (storable(one), storable_key(one))
            assert n in tx.execute(select(NOTES.c.n).where(NOTES.c.key == one)).scalars()
