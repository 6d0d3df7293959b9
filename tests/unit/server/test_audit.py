"""The audit trail: gapless, chained, and in the same transaction as what it tells of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from region import CONSOLE, TODAY, make_context
from sqlalchemy import delete, select, update

from server.context import Context
from server.permissions import ANONYMOUS, Principal
from server.services.audit import acted, who_is
from server.services.registry import add_jurisdiction
from server.store import audit, jurisdictions
from server.store.jurisdictions import Jurisdiction
from server.store.tables import audit as table
from sync.problems import Problem

LINES = 4


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    """A server whose trail tells of four jurisdictions."""
    made = make_context(tmp_path)
    for n in range(1, LINES + 1):
        add_jurisdiction(made, CONSOLE, Jurisdiction(f"place-{n}", f"Place {n}", None, "country"))
    yield made
    made.db.close()


def faults(ctx: Context) -> list[tuple[int, str]]:
    with ctx.db.read() as tx:
        return list(audit.faults(tx))


def change(ctx: Context, n: int, **values: Any) -> None:
    ctx.db.write(lambda tx: tx.execute(update(table).where(table.c.n == n).values(**values)))


def test_lines_are_numbered_without_gaps_and_chained(ctx: Context) -> None:
    with ctx.db.read() as tx:
        rows = tx.execute(select(table).order_by(table.c.n)).all()
    before = hashlib.sha256(b"tapak audit v1").digest()
    for n, row in enumerate(rows, 1):
        before = hashlib.sha256(before + row.line).digest()
        assert (row.n, row.h) == (n, before.hex())
        assert json.loads(row.line) == {
            "n": n,
            "at": TODAY,
            "who": "console",
            "action": "jurisdiction.add",
            "subject": f"jurisdiction:place-{n}",
            "detail": {"parent": None, "kind": "country"},
        }
    assert len(rows) == LINES
    assert faults(ctx) == []


def test_work_that_fails_leaves_no_line(ctx: Context) -> None:
    with pytest.raises(Problem, match="already-there"):
        add_jurisdiction(ctx, CONSOLE, Jurisdiction("place-1", "Again", None, "country"))
    with ctx.db.read() as tx:
        assert audit.count(tx) == LINES


def test_a_line_that_cannot_be_written_undoes_the_work(ctx: Context) -> None:
    new = Jurisdiction("place-9", "Place 9", None, "country")
    unwritable = {"when": object()}
    with pytest.raises(TypeError):
        acted(ctx, CONSOLE, "x", "y", lambda tx: jurisdictions.add(tx, new), unwritable)
    with ctx.db.read() as tx:
        assert jurisdictions.find(tx, "place-9") is None
        assert audit.count(tx) == LINES


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("line", b"{}"),
        ("h", "0" * 64),
        ("h", "not hexadecimal"),
        ("at", TODAY + 1),
        ("who", "somebody else"),
        ("action", "jurisdiction.remove"),
        ("subject", "jurisdiction:place-7"),
    ],
)
def test_a_line_that_was_changed_is_named(ctx: Context, column: str, value: Any) -> None:
    change(ctx, 2, **{column: value})
    assert faults(ctx)[0][0] == 2


def test_a_line_that_was_taken_out_is_named_by_the_next(ctx: Context) -> None:
    ctx.db.write(lambda tx: tx.execute(delete(table).where(table.c.n == 2)))
    assert [n for n, _ in faults(ctx)] == [3, 3]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_wrong_byte_of_a_line_is_found(ctx: Context, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, LINES))
    with ctx.db.read() as tx:
        line = tx.execute(select(table.c.line).where(table.c.n == n)).scalar_one()
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    change(ctx, n, line=line[:at] + bytes([other]) + line[at + 1 :])
    assert [one for one, _ in faults(ctx)] == [n]
    change(ctx, n, line=line)
    assert faults(ctx) == []


def test_an_asker_is_named_by_kind_and_id() -> None:
    assert who_is(ANONYMOUS) == "anonymous"
    assert who_is(Principal("person", "p-made")) == "person:p-made"
    assert who_is(Principal("device", "p-made", device="abc")) == "device:abc"
