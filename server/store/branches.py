"""Branches of forked logs, set aside whole (S3): runs of lines, each signed, that no log holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from server.store.tables import quarantine
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class BranchRun:
    """A signed run of a branch, from position `first` on.

    `before` is the chain hash that its first line follows, `fork` the position at which its branch
    leaves the log, `root` the digest of the branch's first run, `digest` its own: SHA-256 of the
    signature and the lines. The first three were not kept before branches were kept whole: then
    the run is a branch of its own and follows the log at `first`.
    """

    device: str
    inspection: str
    first: int
    lines: tuple[bytes, ...]
    signature: bytes
    digest: str
    received_at: int
    why: str
    root: str
    fork: int
    before: bytes | None

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1


_ORDER = quarantine.c.id


def of_log(tx: Tx, device: str, inspection: str) -> Iterator[BranchRun]:
    """Every run that was set aside of a log, in the order in which they came.

    They are read one by one: a branch may be far larger than memory.
    """
    query = (
        select(_ORDER)
        .where(quarantine.c.device == device, quarantine.c.inspection == inspection)
        .order_by(_ORDER)
    )
    for n in tx.execute(query).scalars().all():
        yield _run(tx.execute(select(quarantine).where(quarantine.c.id == n)).one())


def of_inspections(tx: Tx, wanted: Collection[str]) -> list[BranchRun]:
    """Every run of these logs' names, in the order in which they came."""
    query = select(quarantine).where(quarantine.c.inspection.in_(sorted(wanted))).order_by(_ORDER)
    return [_run(row) for row in tx.execute(query)]


def of_root(tx: Tx, root: str) -> list[BranchRun]:
    """The runs of the branch that this run began, in the order in which they came."""
    query = (
        select(quarantine)
        .where((quarantine.c.root == root) | (quarantine.c.digest == root))
        .order_by(_ORDER)
    )
    return [_run(row) for row in tx.execute(query)]


def every(tx: Tx) -> list[BranchRun]:
    """Every run that was ever set aside, in the order in which they came."""
    return [_run(row) for row in tx.execute(select(quarantine).order_by(_ORDER))]


def put(tx: Tx, run: BranchRun) -> bool:
    """Keep a run, once; whether it is new here (S3)."""
    if tx.execute(select(quarantine.c.id).where(quarantine.c.digest == run.digest)).first():
        return False
    row = {name: getattr(run, name) for name in BranchRun.__slots__ if name != "lines"}
    tx.execute(insert(quarantine).values(branch=b"\n".join(run.lines), **row))
    return True


def _run(row: Any) -> BranchRun:
    return BranchRun(
        row.device,
        row.inspection,
        row.first,
        tuple(row.branch.split(b"\n")),
        row.signature,
        row.digest,
        row.received_at,
        row.why,
        row.digest if row.root is None else row.root,
        row.first if row.fork is None else row.fork,
        row.before,
    )
