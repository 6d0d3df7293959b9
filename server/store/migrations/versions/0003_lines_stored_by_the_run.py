"""the lines of a signed run are stored as one value; a device's offset may be unknown"""

from __future__ import annotations

import struct
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LINES = sa.table(
    "lines",
    sa.column("log", sa.BigInteger),
    sa.column("seq", sa.Integer),
    sa.column("line", sa.LargeBinary),
    sa.column("received_at", sa.BigInteger),
    sa.column("h", sa.LargeBinary),
)
_SEGMENTS = sa.table(
    "segments",
    sa.column("log", sa.BigInteger),
    sa.column("first", sa.Integer),
    sa.column("last", sa.Integer),
    sa.column("lines", sa.LargeBinary),
    sa.column("lengths", sa.LargeBinary),
    sa.column("hashes", sa.LargeBinary),
    sa.column("signature", sa.LargeBinary),
    sa.column("received_at", sa.BigInteger),
    sa.column("offset_ms", sa.BigInteger),
)
_NEW = ("first", "lines", "lengths")


def upgrade() -> None:
    with op.batch_alter_table("segments") as table:
        table.add_column(sa.Column("first", sa.Integer()))
        table.add_column(sa.Column("lines", sa.LargeBinary()))
        table.add_column(sa.Column("lengths", sa.LargeBinary()))
        table.add_column(sa.Column("hashes", sa.LargeBinary()))
        table.alter_column("offset_ms", existing_type=sa.BigInteger(), nullable=True)
    connection = op.get_bind()
    for log in _logs(connection, _LINES):
        _join(connection, log)
    with op.batch_alter_table("segments") as table:
        table.alter_column("first", existing_type=sa.Integer(), nullable=False)
        table.alter_column("lines", existing_type=sa.LargeBinary(), nullable=False)
        table.alter_column("lengths", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_table("lines")


def downgrade() -> None:
    op.create_table(
        "lines",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("h", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["log"], ["logs.id"], name=op.f("fk_lines_log")),
        sa.PrimaryKeyConstraint("log", "seq", name=op.f("pk_lines")),
    )
    connection = op.get_bind()
    for log in _logs(connection, _SEGMENTS):
        _part(connection, log)
    unknown = _SEGMENTS.c.offset_ms.is_(None)
    connection.execute(sa.update(_SEGMENTS).where(unknown).values(offset_ms=0))
    with op.batch_alter_table("segments") as table:
        for name in (*_NEW, "hashes"):
            table.drop_column(name)
        table.alter_column("offset_ms", existing_type=sa.BigInteger(), nullable=False)


def _logs(connection: sa.Connection, table: sa.TableClause) -> list[int]:
    query = sa.select(table.c.log).distinct().order_by(table.c.log)
    return list(connection.execute(query).scalars())


def _join(connection: sa.Connection, log: int) -> None:
    """Give each of a log's segments its lines; lines that none covers become an unsigned one."""
    ends = sa.select(_SEGMENTS.c.last).where(_SEGMENTS.c.log == log).order_by(_SEGMENTS.c.last)
    first = 1
    for last in list(connection.execute(ends).scalars()):
        run = _run(connection, log, first, last)
        where = (_SEGMENTS.c.log == log) & (_SEGMENTS.c.last == last)
        connection.execute(sa.update(_SEGMENTS).where(where).values(first=first, **run[0]))
        first = last + 1
    values, rows = _run(connection, log, first, None)
    if rows:
        more = {"last": rows[-1].seq, "signature": b"", "offset_ms": None}
        received = {"received_at": rows[-1].received_at}
        row = {"log": log, "first": rows[0].seq, **values, **more, **received}
        connection.execute(sa.insert(_SEGMENTS).values(**row))


def _run(
    connection: sa.Connection, log: int, first: int, last: int | None
) -> tuple[dict[str, Any], list[Any]]:
    query = sa.select(_LINES).where(_LINES.c.log == log, _LINES.c.seq >= first)
    if last is not None:
        query = query.where(_LINES.c.seq <= last)
    rows = list(connection.execute(query.order_by(_LINES.c.seq)))
    lines = [bytes(row.line) for row in rows]
    whole = all(row.h is not None for row in rows)
    return {
        "lines": b"\n".join([*lines, b""]),
        "lengths": struct.pack(f">{len(lines)}I", *map(len, lines)),
        "hashes": b"".join(row.h for row in rows) if whole else None,
    }, rows


def _part(connection: sa.Connection, log: int) -> None:
    query = sa.select(_SEGMENTS).where(_SEGMENTS.c.log == log).order_by(_SEGMENTS.c.last)
    for run in list(connection.execute(query)):
        lengths = struct.unpack(f">{len(run.lengths) // 4}I", run.lengths)
        at, rows = 0, []
        for n, length in enumerate(lengths):
            line = run.lines[at : at + length]
            h = None if run.hashes is None else run.hashes[n * 32 : n * 32 + 32]
            place = {"log": log, "seq": run.first + n, "received_at": run.received_at}
            rows.append({**place, "line": line, "h": h})
            at += length + 1
        if rows:
            connection.execute(sa.insert(_LINES), rows)
