"""The daily checkpoint (S13): made, and held against what is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.context import Context
from server.store import audit, checkpoints
from server.store.checkpoints import StoredCheckpoint
from server.store.transaction import Tx
from sync.checkpoint import AUDIT, Checkpoint, checkpoint_id, read_checkpoint, root, sign_checkpoint
from sync.problems import Problem

DAY_MS = 86_400_000

Hold = Callable[[str, int], set[str]]  # a chain's name and position -> the hashes it may have there


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint and the id by which receipts quote it."""

    checkpoint: Checkpoint
    id: str


def make_due(ctx: Context) -> Made | None:
    """Make a checkpoint unless the newest is of the same UTC day; None when none was due."""
    now = ctx.now()
    with ctx.db.read() as tx:
        before = checkpoints.newest_at(tx)
    # A clock that was set back makes none until it has caught up: their order stays that of time.
    return None if before is not None and before // DAY_MS >= now // DAY_MS else make(ctx)


def make(ctx: Context) -> Made:
    """Sign one root over the heads of all logs and of the audit trail as they are now."""
    return ctx.db.write(lambda tx: _make(ctx, tx))


def newest(ctx: Context) -> Made | None:
    """The newest checkpoint; raises `checkpoint-unfit` when its bytes were changed."""
    with ctx.db.read() as tx:
        signed = checkpoints.newest_signed(tx)
    return (
        None
        if signed is None
        else Made(read_checkpoint(ctx.receipt_keys, signed), checkpoint_id(signed))
    )


def _make(ctx: Context, tx: Tx) -> Made:
    heads = checkpoints.heads(tx)
    heads[AUDIT] = audit.newest(tx)
    newest = checkpoints.newest(tx)
    n, before = (1, "") if newest is None else (newest[0] + 1, newest[1])
    told = _told(tx)
    moved = {name: head for name, head in heads.items() if told.get(name) != head}
    made = Checkpoint(ctx.id, audit.epoch(tx), n, ctx.now(), len(heads), root(heads), before)
    signed = sign_checkpoint(ctx.key, made)
    checkpoints.add(tx, n, made.at, signed, moved)
    return Made(made, checkpoint_id(signed))


def _told(tx: Tx) -> dict[str, tuple[int, str]]:
    """The heads as the checkpoints up to now have told them."""
    found: dict[str, tuple[int, str]] = {}
    for one in checkpoints.every(tx):
        found.update(checkpoints.moved_in(one.moved))
    return found


def faults_in(
    ctx: Context, stored: Iterator[StoredCheckpoint], hold: Hold
) -> Iterator[tuple[int, str]]:
    """Every checkpoint that does not fit itself, the one before, or what is stored: (n, why).

    `hold` gives the hashes that a chain may have at a position now; none where it ends before.
    """
    told: dict[str, tuple[int, str]] = {}
    before, expected = "", 1
    for one in stored:
        try:
            read = read_checkpoint(ctx.receipt_keys, one.signed)
            moved = checkpoints.moved_in(one.moved)
        except (Problem, ValueError):
            yield one.n, "it is not signed by this server, or its bytes changed"
            before, expected = one.id, one.n + 1
            continue
        told.update(moved)
        for name, (seq, h) in sorted(moved.items()):
            if h not in hold(name, seq):
                why = f"it holds entry {seq} of {name}, which is gone or another one now"
                yield one.n, why
        if (read.size, read.root) != (len(told), root(told)):
            yield one.n, "the heads that are kept with it do not have its root"
        if (read.n, read.server, read.at) != (one.n, ctx.id, one.at) or one.id != hashlib.sha256(
            one.signed.payload
        ).hexdigest():
            yield one.n, "its number, time or id is noted otherwise than it says"
        if read.before != before or one.n != expected:
            yield one.n, f"checkpoint {expected} should stand here, and fit the one before"
        before, expected = one.id, one.n + 1
