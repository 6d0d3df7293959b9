"""Staging an import: the file with its digest, one import at a time, and what is left to clear."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from server.context import Context
from server.services.identifiers import letters
from server.store import conflict, leases
from server.store.conflict import CURRENT, REFUSED, STAGING, Snapshot
from server.store.transaction import Tx
from sync.problems import problem

BATCH = 2000  # rows that are in memory, and in one transaction
_LEASE = "conflict-import"
_LEASE_MS = 600_000


class Counting(io.RawIOBase):
    """A file that is read once, and its digest on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.sha256 = hashlib.sha256()
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.file.read(len(buffer))
        self.sha256.update(data)
        self.done += len(data)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def opened(path: Path) -> Iterator[Counting]:
    """The file, to be read once. Raises `file-missing` and `file-unreadable`."""
    try:
        with path.open("rb") as file:
            yield Counting(file)
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(path)) from exc
    except OSError as exc:
        raise problem("file-unreadable", name=str(path), why=exc.strerror or str(exc)) from exc


class Turn:
    """The right to import, which one at a time has, and only while it gets on."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.holder = f"import-{letters(ctx, 12)}"

    def extend(self) -> None:
        """Keep the turn; raises `conflict-busy` where it was lost to another import meanwhile."""
        now = self.ctx.now()
        taken = self.ctx.db.write(
            lambda tx: leases.take(tx, _LEASE, self.holder, now, now + _LEASE_MS)
        )
        if not taken:
            raise problem("conflict-busy")


@contextmanager
def alone(ctx: Context) -> Iterator[Turn]:
    """Be the one that imports. Raises `conflict-busy`."""
    turn = Turn(ctx)
    turn.extend()
    try:
        yield turn
    finally:
        ctx.db.write(lambda tx: leases.give_back(tx, turn.holder))


def forget_staged(ctx: Context) -> None:
    """What an import that was broken off had staged, and what an earlier one had not cleared."""
    with ctx.db.read() as tx:
        left = [one for one in conflict.snapshots(tx) if one.state != CURRENT]
    for one in left:
        if one.state == STAGING:
            refuse(ctx, one)
        clear(ctx, one.id)


def refuse(ctx: Context, staged: Snapshot) -> None:
    """Note that an import came to nothing, and clear what it had staged."""

    def work(tx: Tx) -> None:
        conflict.change_snapshot(tx, replace(staged, state=REFUSED))

    ctx.db.write(work)
    clear(ctx, staged.id)


def clear(ctx: Context, number: int) -> None:
    """Delete the events of a snapshot, a batch at a time."""
    while ctx.db.write(lambda tx: conflict.clear(tx, number, BATCH)):
        pass


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The rows as they come, a batch at a time."""
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch
