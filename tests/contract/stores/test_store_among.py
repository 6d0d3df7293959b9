"""Texts asked for by one parameter, the same on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text
from store_rows import IN_BYTE_ORDER

from server.store.among import among
from server.store.db import Database
from server.store.types import Counter, Key, Text

NOTES = Table(
    "notes",
    MetaData(),
    Column("n", Counter, primary_key=True),
    Column("text", Text, index=True),
    Column("key", Key, index=True),
)
ODD = ["", "\x00", "\ud800", "a'b\"c%s%%\\:x", "{1,2}", "null", "1", "ปากน้ำ 🏭", "x" * 1_000]


@pytest.mark.parametrize("column", [NOTES.c.text, NOTES.c.key], ids=["text", "key"])
def test_those_are_found_that_are_named_and_no_others(
    db: Database, column: Column[str | None]
) -> None:
    texts = list(dict.fromkeys([*ODD, *IN_BYTE_ORDER]))
    rows = [{"n": n, "text": one, "key": one} for n, one in enumerate(texts)]
    db.write(NOTES.create)
    db.write(lambda tx: tx.execute(insert(NOTES), [*rows, {"n": -1, "text": None, "key": None}]))
    asked = select(NOTES.c.n).where(among(column, "wanted")).order_by(NOTES.c.n)
    with db.read() as tx:
        # Neither NUL nor half a surrogate pair is kept as it came: they are one text in a column.
        same = {1: [1, 2], 2: [1, 2]}
        for n, one in enumerate(texts):
            found = list(tx.execute(asked, {"wanted": [one, "no such"]}).scalars())
            assert found == same.get(n, [n])
        assert list(tx.execute(asked, {"wanted": texts}).scalars()) == list(range(len(texts)))
        assert list(tx.execute(asked, {"wanted": ["1", "1"]}).scalars()) == [6]
        assert list(tx.execute(asked, {"wanted": []}).scalars()) == []
        many = [f"{n} of many" for n in range(40_000)]
        assert list(tx.execute(asked, {"wanted": many}).scalars()) == []


@pytest.mark.parametrize("column", [NOTES.c.text, NOTES.c.key], ids=["text", "key"])
def test_they_are_looked_up_in_the_columns_index(db: Database, column: Column[str | None]) -> None:
    db.write(NOTES.create)
    on_postgres = db.engine.dialect.name == "postgresql"
    asked = select(NOTES.c.n).where(among(column, "wanted"))
    said = str(asked.compile(db.engine))
    with db.read() as tx:
        if on_postgres:  # which otherwise reads a small table from end to end
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            tx.execute(text("SET LOCAL enable_bitmapscan = off"))
        given = {"wanted": ["a"]} if on_postgres else ('["a"]',)
        explained = "EXPLAIN " if on_postgres else "EXPLAIN QUERY PLAN "
        plan = " ".join(str(row) for row in tx.exec_driver_sql(explained + said, given))
    assert ("Index Cond" if on_postgres else f"({column.name}=?)") in plan
