"""Many rows of one table written at once, by the way each database has for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError

from server.store.transaction import Tx
from server.store.types import Text


def insert_rows(
    tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows whose values stand in the order of `columns`, as the driver takes them.

    SQLAlchemy looks at each value of each row, which for many rows a second is too much.
    """
    if not rows:
        return
    names = ", ".join(columns)
    values = _as_stored(tx, table, columns, rows)
    if tx.dialect.name == "postgresql":
        driver: Any = tx.dialect.dbapi
        try:
            _copy(tx.connection.dbapi_connection, f"COPY {table.name} ({names}) FROM STDIN", values)
        except driver.Error as exc:  # named as everything else that goes through SQLAlchemy
            raise DBAPIError.instance("COPY", None, exc, driver.Error, dialect=tx.dialect) from exc
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    tx.exec_driver_sql(statement, [tuple(row) for row in values])


def _copy(raw: Any, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _as_stored(
    tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    """The rows with their texts as the columns hold them (server.store.types)."""
    texts = [(n, kind) for n, c in enumerate(columns) if isinstance(kind := table.c[c].type, Text)]
    if not texts:
        return rows
    made = []
    for row in rows:
        values = list(row)
        for n, kind in texts:
            values[n] = kind.process_bind_param(values[n], tx.dialect)
        made.append(values)
    return made
