"""Migrations, up and down, on each database: the same schema, and nothing lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from store_rows import EVERY_BYTE, NOW

from server.store import logs, stored
from server.store.db import Database
from server.store.runs import pack
from server.store.tables import metadata

# A run of two lines, one of every byte, in a log whose first line came before it.
LINES = [EVERY_BYTE, b"{}"]
PACKED, LENGTHS = pack(LINES)
A_RUN = {"lines": PACKED, "lengths": LENGTHS, "hashes": b"\x01" * 32 + b"\x02" * 32}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=("sqlite", "postgresql"))
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'tapak.sqlite'}")
        yield opened
        opened.close()
        return
    postgres = request.getfixturevalue("postgres")
    name = postgres.empty()
    opened = Database(postgres.url(name))
    yield opened
    opened.close()
    postgres.drop(name)


def tables_of(db: Database) -> MetaData:
    """The tables as they are there now; alembic's own is left out."""
    found = MetaData()
    with db.engine.connect() as connection:
        found.reflect(connection, only=lambda name, _: name != "alembic_version")
    return found


def rows_of(db: Database) -> Rows:
    found: Rows = {}
    with db.read() as tx:
        for name, table in tables_of(db).tables.items():
            rows = (dict(row._mapping) for row in tx.execute(select(table)))
            found[name] = sorted(rows, key=repr)
    return found


def revision(db: Database) -> str | None:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def a_value(column: Column[Any], n: int) -> Any:
    """A value of the column's kind. Keys of all tables are alike, so that each finds its other."""
    if isinstance(column.type, Boolean):
        return n == 1
    if isinstance(column.type, LargeBinary):
        return EVERY_BYTE + bytes([n])
    if column.primary_key or column.foreign_keys:
        return n if isinstance(column.type, Integer) else f"key {n} ปากน้ำ"
    return NOW + n if "_at" in column.name or column.name == "at" else a_plain(column, n)


def a_plain(column: Column[Any], n: int) -> Any:
    return n if isinstance(column.type, Integer) else f"{column.name} {n} 🏭"


def fill(db: Database) -> None:
    """Two rows in every table: one with everything, one with only what must be there."""
    for table in metadata.sorted_tables:
        rows = [
            {
                column.name: a_value(column, n) if n == 1 or not column.nullable else None
                for column in table.columns
            }
            for n in (1, 2)
        ]
        if table.name == "segments":
            rows = [{**row, **A_RUN, "last": row["first"] + 1, "offset_ms": -7} for row in rows]
        db.write(lambda tx, t=table, r=rows: tx.execute(insert(t), r))


def common(rows: Rows, tables: MetaData) -> Rows:
    """The rows as far as these tables have their columns."""
    return {
        name: sorted(
            ({key: row[key] for key in row if key in table.columns} for row in rows[name]),
            key=repr,
        )
        for name, table in tables.tables.items()
        if name in rows
    }


def _index(found: Any) -> dict[str, Any]:
    """An index as it is compared: the condition of a partial one as its text."""
    options = {key: str(value) for key, value in found.get("dialect_options", {}).items()}
    return {**found, "dialect_options": options}


def test_what_the_migrations_make_is_what_the_program_has_in_mind(empty: Database) -> None:
    empty.migrate()
    with empty.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_down_to_nothing_and_up_again_is_the_same(empty: Database) -> None:
    def shape() -> list[Any]:
        seen = inspect(empty.engine)
        return [
            (
                name,
                [{**c, "type": repr(c["type"])} for c in seen.get_columns(name)],
                seen.get_pk_constraint(name),
                sorted(seen.get_foreign_keys(name), key=str),
                sorted(seen.get_unique_constraints(name), key=str),
                sorted(map(_index, seen.get_indexes(name)), key=str),
            )
            for name in sorted(seen.get_table_names())
        ]

    empty.migrate()
    first = shape()
    assert len(first) == len(metadata.tables) + 1
    empty.migrate("base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    empty.migrate()
    assert shape() == first


def test_every_step_down_and_up_again_keeps_what_the_older_one_can_hold(empty: Database) -> None:
    empty.migrate()
    fill(empty)
    newest = rows_of(empty)
    assert all(len(rows) == 2 for rows in newest.values())
    seen: list[str | None] = []
    while revision(empty) != "0001":
        seen.append(revision(empty))
        empty.migrate("-1")
        older = tables_of(empty)
        held = {name: rows for name, rows in rows_of(empty).items() if name in newest}
        assert held == common(newest, older)
    assert len(seen) == len(set(seen)) >= 1
    oldest = tables_of(empty)
    empty.migrate()
    assert common(rows_of(empty), oldest) == common(newest, oldest)


def test_lines_stored_one_by_one_become_runs_and_come_apart_again(empty: Database) -> None:
    empty.migrate("0002")
    tables = tables_of(empty).tables
    line, segment = tables["lines"], tables["segments"]
    h = [bytes([n]) * 32 for n in range(6)]
    lines = [
        {"log": log, "seq": n, "line": LINES[n % 2] + b"%d" % n, "received_at": NOW, "h": kept}
        for log, count in ((1, 5), (2, 2))
        for n, kept in zip(range(1, count + 1), h if log == 1 else [None] * 6, strict=False)
    ]
    ends = [(1, 2), (1, 5), (2, 1)]  # the last line of the second log is covered by none
    segments = [
        {"log": log, "last": n, "signature": b"s%d" % n, "received_at": NOW, "offset_ms": 7}
        for log, n in ends
    ]

    def put(tx: Any) -> None:
        device = {c.name: a_value(c, 1) for c in tables["devices"].columns}
        person = {c.name: a_value(c, 1) for c in tables["people"].columns}
        tx.execute(insert(tables["people"]), [person])
        tx.execute(insert(tables["devices"]), [device])
        for n in (1, 2):
            log = {"id": n, "device": device["id"], "inspection": f"{n}", "seq": 0, "h": b""}
            tx.execute(insert(tables["logs"]), [log])
        tx.execute(insert(line), lines)
        tx.execute(insert(segment), segments)

    empty.write(put)
    before = rows_of(empty)
    empty.migrate("0003")
    with empty.read() as tx:
        assert logs.lines_of(tx, 1) == [row["line"] for row in lines[:5]]
        assert logs.lines_of(tx, 1, 2, 3) == [row["line"] for row in lines[1:3]]
        assert [one.h for one in stored.lines_of(tx, 1)] == h[:5]
        assert [one.line for one in stored.lines_of(tx, 2)] == [row["line"] for row in lines[5:]]
        assert [one.h for one in stored.lines_of(tx, 2)] == [None, None]
        assert [(one.first, one.last) for one in stored.segments_of(tx, 1)] == [(1, 2), (3, 5)]
    empty.migrate("-1")
    after = rows_of(empty)
    assert after["lines"] == before["lines"]
    assert [row for row in after["segments"] if row["signature"]] == before["segments"]


def test_scores_leave_the_texts_to_what_is_published_and_take_them_back(empty: Database) -> None:
    empty.migrate("0022")
    tables = tables_of(empty).tables
    texts = {"1" * 64: "id: ponds # ပ\n", "2" * 64: "id: default\n"}
    checklist, profile = ({"sha256": digest, "text": body} for digest, body in texts.items())
    lost = {"sha256": "3" * 64, "text": "published nowhere"}
    inputs = [
        {"checklist": checklist, "profile": profile, "limits": None, "visits": []},
        {"checklist": checklist, "profile": profile, "limits": lost, "visits": []},
    ]
    written = [
        json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        for one in inputs
    ]
    written.append(b"\xff damaged")

    def put(tx: Any) -> None:
        for digest, body in texts.items():
            made = {c.name: a_value(c, 1) for c in tables["documents"].columns}
            made |= {"digest": digest, "body": body.encode()}
            tx.execute(insert(tables["documents"]), [made])
        for n, one in enumerate(written):
            row = {c.name: a_value(c, 1) for c in tables["assessments"].columns}
            tx.execute(insert(tables["assessments"]), [row | {"subject": f"s{n}", "inputs": one}])

    def read() -> list[bytes]:
        query = select(tables["assessments"].c.inputs).order_by(tables["assessments"].c.subject)
        with empty.read() as tx:
            return list(tx.execute(query).scalars())

    empty.write(put)
    empty.migrate("0032")
    first, second, damaged = read()
    named = {"checklist": {"sha256": "1" * 64}, "profile": {"sha256": "2" * 64}, "visits": []}
    assert json.loads(first) == {**named, "limits": None}
    assert json.loads(second) == {**named, "limits": lost}
    assert damaged == written[2]
    empty.migrate("-1")
    assert read() == written


def test_migrating_again_changes_nothing(empty: Database) -> None:
    empty.migrate()
    fill(empty)
    before = rows_of(empty)
    empty.migrate()
    assert rows_of(empty) == before


def test_a_step_that_fails_half_way_leaves_nothing_of_it(empty: Database) -> None:
    empty.write(lambda tx: tx.execute(text("create table segments (in_the_way integer)")))
    with pytest.raises(DBAPIError, match="already exists"):
        empty.migrate()
    assert inspect(empty.engine).get_table_names() == ["segments"]
    empty.write(lambda tx: tx.execute(text("drop table segments")))
    empty.migrate()
    assert len(inspect(empty.engine).get_table_names()) == len(metadata.tables) + 1


def test_every_text_column_of_postgresql_is_sorted_by_its_bytes(postgres: Any) -> None:
    name = postgres.migrated()
    db = Database(postgres.url(name))
    with db.read() as tx:
        found = tx.execute(
            text(
                "select table_name, column_name from information_schema.columns"
                " where table_schema = 'public' and data_type in ('text', 'character varying')"
                " and collation_name is distinct from 'C' and table_name <> 'alembic_version'"
            )
        ).all()
    db.close()
    postgres.drop(name)
    assert found == [], "use server.store.types.Text in tables and migrations"
