"""Branches of forked logs, on every database (S3)."""

from __future__ import annotations

from dataclasses import replace

from store_rows import (
    EVERY_BYTE,
    NOW,
    VISIT,
    VISIT_2,
    digest,
    put_everybody,
)

from server.store import branches
from server.store.branches import BranchRun
from server.store.db import Database

LINES = (EVERY_BYTE.replace(b"\n", b""), b"", b"{}")


def run_of(device: str, name: str) -> BranchRun:
    root = digest("the first run")
    return BranchRun(
        device, VISIT, 3, LINES, bytes(64), digest(name), NOW, "why", root, 2, bytes(32)
    )


def test_a_run_of_a_branch_is_kept_once_and_byte_for_byte(db: Database) -> None:
    first, second = db.write(put_everybody)
    one, other = run_of(first.id, "one"), replace(run_of(second.id, "other"), inspection=VISIT_2)
    assert [db.write(lambda tx: branches.put(tx, one)) for _ in range(2)] == [True, False]
    db.write(lambda tx: branches.put(tx, other))
    with db.read() as tx:
        assert list(branches.of_log(tx, first.id, VISIT)) == [one]
        assert list(branches.of_log(tx, first.id, VISIT_2)) == []
        assert branches.of_inspections(tx, [VISIT_2, VISIT]) == [one, other]
        assert branches.every(tx) == [one, other]
        assert branches.of_root(tx, one.root) == [one, other]
        assert branches.of_root(tx, one.digest) == [one]
        assert branches.of_root(tx, "no such") == []
    assert one.last == 5
