"""Whole tables out of a database and into an empty one, on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select
from store_rows import EVERY_BYTE, NOW, put_everybody, put_filing

from server.store import copying, jurisdictions, tables
from server.store.copying import Shape
from server.store.db import Database
from server.store.jurisdictions import Jurisdiction
from sync.problems import Problem

IN_ORDER = [one.name for one in copying.shapes()]


def shape(name: str) -> Shape:
    return next(one for one in copying.shapes() if one.name == name)


def emptied(db: Database, name: str) -> list[copying.Row]:
    """The rows of a table that are taken out of it."""
    with db.read() as tx:
        rows = list(copying.rows(tx, shape(name)))
    db.write(lambda tx: tx.execute(delete(tables.metadata.tables[name])))
    return rows


def test_each_table_comes_after_those_whose_rows_it_names() -> None:
    assert IN_ORDER.index("jurisdictions") < IN_ORDER.index("facilities")
    assert IN_ORDER.index("devices") < IN_ORDER.index("logs") < IN_ORDER.index("segments")
    assert set(IN_ORDER).isdisjoint(copying.left_out())
    assert set(copying.left_out().values()) == {"derived", "passing"}
    assert shape("jurisdictions").to_itself == ("parent",)
    assert ("public_key", "bytes") in shape("devices").columns
    assert ("active", "boolean") in shape("people").columns
    assert ("created_at", "integer") in shape("server").columns


def test_rows_come_in_the_order_of_the_key_and_go_in_as_they_came(db: Database) -> None:
    db.write(put_everybody)
    db.write(lambda tx: put_filing(tx, "d-1", "hill", EVERY_BYTE))
    rows = emptied(db, "declarations")
    assert [row[0] for row in rows] == ["d-1"]
    assert EVERY_BYTE in rows[0]
    assert db.write(lambda tx: copying.fill(tx, shape("declarations"), rows)) == 1
    with db.read() as tx:
        assert list(copying.rows(tx, shape("declarations"))) == rows
        assert copying.schema(tx) != ""


def test_a_row_may_name_one_that_comes_later(db: Database) -> None:
    for new in (Jurisdiction("zz", "Z", None, "region"), Jurisdiction("aa", "A", "zz", "country")):
        db.write(lambda tx, new=new: jurisdictions.add(tx, new))
    with db.read() as tx:
        rows = list(copying.rows(tx, shape("jurisdictions")))
    assert [row[0] for row in rows] == ["aa", "zz"]
    where = tables.jurisdictions.c.id
    for id_ in ("aa", "zz"):
        db.write(lambda tx, id_=id_: tx.execute(delete(tables.jurisdictions).where(where == id_)))
    db.write(lambda tx: copying.fill(tx, shape("jurisdictions"), rows))
    with db.read() as tx:
        parents = tx.execute(select(tables.jurisdictions.c.parent)).scalars().all()
    assert parents == [None, None]
    db.write(lambda tx: copying.tie(tx, shape("jurisdictions"), rows))
    with db.read() as tx:
        assert list(copying.rows(tx, shape("jurisdictions"))) == rows


def test_many_rows_and_rows_of_an_older_shape_go_in(db: Database) -> None:
    rows = [(n, f"f-{n % 7}", "facility", f"r{n}", NOW) for n in range(1, 1201)]
    named = ("n", "person", "kind", "ref", "at")
    of_then = replace(
        shape("changes"),
        columns=tuple((c, "text" if c in ("person", "kind", "ref") else "integer") for c in named),
    )
    assert db.write(lambda tx: copying.fill(tx, of_then, rows)) == 1200
    with db.read() as tx:
        assert list(copying.rows(tx, shape("changes"))) == rows


def test_a_row_that_the_database_does_not_take_is_named_by_its_table(db: Database) -> None:
    days = ("2026-01-01", "2026-01-02")
    nowhere = [("a-1", "no such", "nobody", "x", *days, NOW, None, 14, None)]
    with pytest.raises(Problem) as raised:
        db.write(lambda tx: copying.fill(tx, shape("assignments"), nowhere))
    assert raised.value.code == "table-refused"
    assert "assignments" in raised.value.happened


def test_numbers_go_on_after_those_that_were_copied(db: Database) -> None:
    row = (41, 7, NOW)
    db.write(lambda tx: copying.fill(tx, shape("server"), [row]))
    db.write(copying.go_on_counting)
    db.write(lambda tx: tx.execute(insert(tables.server).values(epoch=2**52, created_at=NOW)))
    with db.read() as tx:
        assert tx.execute(select(tables.server.c.id, tables.server.c.epoch)).all() == [
            (41, 7),
            (42, 2**52),
        ]
    db.write(lambda tx: tx.execute(delete(tables.server)))
    db.write(copying.go_on_counting)
    db.write(lambda tx: tx.execute(insert(tables.server).values(epoch=1, created_at=NOW)))
    with db.read() as tx:
        assert tx.execute(select(tables.server.c.id)).scalars().all() == [1]
