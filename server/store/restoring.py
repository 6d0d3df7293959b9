"""A database that is being restored into: whether it is empty, and the mark until it is whole.

The mark is a table of its own, made before anything else is written and dropped in the same
transaction as the last of it, so that a restore that was cut short is known for what it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, inspect, literal, select

from server.store.transaction import Tx

_mark = Table(
    "restoring",
    MetaData(),
    Column("run", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
)
_OURS = (_mark.name, "alembic_version")


def unfinished(tx: Tx) -> bool:
    """Whether a restore into this database began and did not finish."""
    return bool(inspect(tx).has_table(_mark.name))


def filled(tx: Tx) -> list[str]:
    """The tables of this database that hold rows, whoever made them."""
    there = MetaData()
    there.reflect(tx)
    return [
        name
        for name, one in sorted(there.tables.items())
        if name not in _OURS and tx.execute(select(literal(1)).select_from(one).limit(1)).first()
    ]


def begin(tx: Tx, run: str, now: int) -> None:
    """Drop every table and set the mark. For a database that is empty or marked, and no other."""
    there = MetaData()
    there.reflect(tx)
    there.drop_all(tx)
    _mark.create(tx)
    tx.execute(insert(_mark).values(run=run, begun_at=now))


def finish(tx: Tx) -> None:
    """Take the mark away, in the transaction that completes the restore."""
    _mark.drop(tx)
