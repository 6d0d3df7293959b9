"""Whole tables, row by row, out of one database and into another, whichever kind either is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnClause,
    Integer,
    LargeBinary,
    Table,
    TableClause,
    Text,
    TypeDecorator,
    and_,
    bindparam,
    column,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeEngine

from server.store.tables import metadata
from server.store.transaction import Tx
from sync.problems import problem

ROWS, LONG_ROWS = 500, 10  # read ahead at a time; a row with bytes in it may be megabytes long
BATCH_ROWS, BATCH_BYTES = 500, 4 * 1024**2

Row = tuple[Any, ...]

# What a column holds, by the name that it has in a copy.
KINDS: dict[str, type[TypeEngine[Any]]] = {
    "boolean": Boolean,
    "integer": Integer,
    "bytes": LargeBinary,
    "text": Text,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it was copied: names and kinds of its columns, its key, and which columns name
    another row of the same table.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    to_itself: tuple[str, ...]


def shapes() -> list[Shape]:
    """The tables that are part of a backup, each after those whose rows it names."""
    return [_shape(one) for one in metadata.sorted_tables if "backup" not in one.info]


def left_out() -> dict[str, str]:
    """The tables that are no part of a backup, and whether they are derived or passing."""
    return {t.name: t.info["backup"] for t in metadata.sorted_tables if "backup" in t.info}


def schema(tx: Tx) -> str:
    """The revision that the tables are at."""
    return MigrationContext.configure(tx).get_current_revision() or ""


def rows(tx: Tx, shape: Shape) -> Iterator[Row]:
    """All rows of a table in the order of its key, a few in memory at a time.

    Raises `table-unreadable` where a stored value cannot be read.
    """
    source = metadata.tables[shape.name]
    query = select(*(source.c[name] for name, _ in shape.columns))
    query = query.order_by(*(source.c[name] for name in shape.key))
    ahead = LONG_ROWS if any(kind == "bytes" for _, kind in shape.columns) else ROWS
    try:
        for row in tx.execute(query.execution_options(yield_per=ahead)):
            yield tuple(row)
    except DBAPIError as exc:
        raise problem("table-unreadable", table=shape.name, why=str(exc.orig)) from exc


def fill(tx: Tx, shape: Shape, given: Iterable[Row]) -> int:
    """Insert the rows; return how many. Columns that name a row of the same table stay empty
    until `tie`, since that row may come later. Raises `table-refused`.
    """
    target, names = _target(shape), [name for name, _ in shape.columns]
    empty = dict.fromkeys(shape.to_itself)
    count = 0
    with _refusals(shape):
        for batch in _batches(given):
            tx.execute(insert(target), [{**dict(zip(names, row, strict=True)), **empty}
                                        for row in batch])  # fmt: skip
            count += len(batch)
    return count


def tie(tx: Tx, shape: Shape, given: Iterable[Row]) -> None:
    """Set the columns that name a row of the same table, once all rows are there."""
    target, names = _target(shape), [name for name, _ in shape.columns]
    this_row = and_(*(target.c[name] == bindparam(f"key_{name}") for name in shape.key))
    change = (
        update(target)
        .where(this_row)
        .values({name: bindparam(f"new_{name}") for name in shape.to_itself})
    )
    with _refusals(shape):
        for batch in _batches(given):
            named = [dict(zip(names, row, strict=True)) for row in batch]
            values = [
                {f"key_{k}": one[k] for k in shape.key}
                | {f"new_{c}": one[c] for c in shape.to_itself}
                for one in named
                if any(one[c] is not None for c in shape.to_itself)
            ]
            if values:
                tx.execute(change, values)


def go_on_counting(tx: Tx) -> None:
    """Let numbers that the database gives out go on after those that were copied.

    PostgreSQL's sequences know nothing of rows that came with their numbers; SQLite looks.
    """
    if tx.dialect.name != "postgresql":
        return
    for one in metadata.sorted_tables:
        numbered = one.autoincrement_column
        if numbered is None or not isinstance(numbered.type, Integer):
            continue
        sequence = func.pg_get_serial_sequence(one.name, numbered.name)
        if tx.execute(select(sequence)).scalar_one() is None:
            continue
        after = select(func.coalesce(func.max(numbered), 0) + 1).scalar_subquery()
        tx.execute(select(func.setval(sequence, after, False)))


def _shape(source: Table) -> Shape:
    itself = [
        c.name for c in source.columns if any(f.column.table is source for f in c.foreign_keys)
    ]
    return Shape(
        source.name,
        tuple((c.name, _kind(c.type)) for c in source.columns),
        tuple(c.name for c in source.primary_key.columns),
        tuple(itself),
    )


def _kind(given: TypeEngine[Any]) -> str:
    plain = given.impl_instance if isinstance(given, TypeDecorator) else given
    for name, kind in KINDS.items():
        if isinstance(plain, kind):
            return name
    raise TypeError(f"a backup has no way to write a column of type {given}")


def _target(shape: Shape) -> TableClause:
    """The table as it was when it was copied, which may be older than `tables.py`.

    What each kind of database can hold of a text is the matter of the column as it is now.
    """
    now = metadata.tables.get(shape.name)
    columns: list[ColumnClause[Any]] = []
    for name, kind in shape.columns:
        there = None if now is None else now.c.get(name)
        if there is not None and _kind(there.type) == kind:
            columns.append(column(name, there.type))
        else:
            columns.append(column(name, BigInteger() if kind == "integer" else KINDS[kind]()))
    return table(shape.name, *columns)


def _batches(given: Iterable[Row]) -> Iterator[Sequence[Row]]:
    source = iter(given)
    while True:
        batch, size = [], 0
        for row in islice(source, BATCH_ROWS):
            batch.append(row)
            size += sum(len(value) for value in row if isinstance(value, (bytes, str)))
            if size >= BATCH_BYTES:
                break
        if not batch:
            return
        yield batch


@contextmanager
def _refusals(shape: Shape) -> Iterator[None]:
    try:
        yield
    except OperationalError:
        raise  # a full disk, a lost connection: no matter of the row, named by Database.write
    except DBAPIError as exc:
        raise problem("table-refused", table=shape.name, why=str(exc.orig)) from exc
