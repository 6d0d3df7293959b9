"""Withdrawn consent (L8): the key of a sealed entry is destroyed, and does not come back.

The entry, its signature and every chain stay; what it held can be read by nobody any more. The
tombstone is committed first and the bytes go then, so that a crash in between leaves work to the
worker and never a key that nobody remembers to destroy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from server.context import Context
from server.services.audit import acted
from server.services.texts import check_text
from server.staging import Upload
from server.store import devices, files, sealed
from server.store.changes import tell
from server.store.sealed import SealedRow, Withdrawal
from server.store.transaction import Tx
from sync.problems import Problem, problem
from sync.sealed import KEY, MAX_KEY_BYTES, WITHDRAWN, may_be_key


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was withdrawn: the entry's number, and the digests of its keys; `new` unless before."""

    entry: str
    keys: tuple[str, ...]
    new: bool


def withdraw(
    ctx: Context, by: str, entry: str, reason: str, rows: Collection[SealedRow] | None = None
) -> Withdrawn:
    """Destroy the keys of a sealed entry; again changes nothing.

    `rows` are those of it that whoever asks may reach; all of them otherwise. The reason stands in
    the audit trail: it must name nobody. Raises `noun-unknown`, `fields-malformed` and
    `sealed-key-unfit`.
    """
    reason, now = check_text("reason", reason, 200), ctx.now()
    with ctx.db.read() as tx:
        found = sealed.of_entry(tx, entry) if rows is None else list(rows)
        if not found:
            raise problem("noun-unknown", noun="sealed entry", name=entry[:80], nearest="none")
        keys = tuple(sorted({row.key for row in found}))
        before = sealed.is_withdrawn(tx, keys)
        for key in set(keys) - before:
            _check_key(ctx, tx, key)
    if before == set(keys):
        destroy(ctx)
        return Withdrawn(entry, keys, new=False)

    def work(tx: Tx) -> None:
        for row in found:
            new = Withdrawal(row.key, row.id, row.inspection, reason, by, now)
            sealed.withdraw(tx, new)
        files.let_go(tx, keys)
        _tell(tx, found, now)

    detail = {"reason": reason, "keys": list(keys)}
    acted(ctx, by, "consent.withdraw", f"sealed:{entry}", work, detail)
    destroy(ctx)
    return Withdrawn(entry, keys, new=True)


def destroy(ctx: Context) -> int:
    """Destroy whatever is still here of withdrawn keys; the number of files that went.

    Looks for all of them: an upload that ended in between may have left one behind.
    """
    gone = 0
    with ctx.db.read() as tx:
        every = sealed.all_withdrawn(tx)
        senders = {one.key: {f.person for f in files.naming(tx, one.key)} for one in every}
    for one in every:
        for person in senders[one.key]:
            _end_upload(ctx, person, one.key)
        gone += ctx.blobs.destroy(one.key)
        if one.destroyed_at is None:
            ctx.db.write(partial(sealed.mark_destroyed, key=one.key, at=ctx.now()))
    return gone


def withdraw_again(tx: Tx, known: Iterable[Mapping[str, Any]], now: int) -> None:
    """After a restore: everything that was ever withdrawn is withdrawn, and devices are told."""
    for one in known:
        fields = {name: one[name] for name in Withdrawal.__slots__ if name != "destroyed_at"}
        sealed.withdraw(tx, Withdrawal(**fields))
    sealed.destroy_again(tx)
    every = sealed.all_withdrawn(tx)
    files.let_go(tx, [withdrawal.key for withdrawal in every])
    for withdrawal in every:
        _tell(tx, sealed.of_entry(tx, withdrawal.entry), now)


# -- inside ---------------------------------------------------------------------------------------


def _tell(tx: Tx, rows: Collection[SealedRow], now: int) -> None:
    """The people whose devices wrote the entry: each of those drops its copy of the key."""
    for row in rows:
        owner = devices.find(tx, row.device)
        if owner is not None:
            tell(tx, [owner.person], [(WITHDRAWN, row.id)], now)


def _check_key(ctx: Context, tx: Tx, key: str) -> None:
    """A device may call anything a key; only what is one is destroyed."""
    size = ctx.blobs.size(key)
    if size is None:
        fits = all(one.kind == KEY for one in files.naming(tx, key))
    else:
        fits = size <= MAX_KEY_BYTES and may_be_key(b"".join(ctx.blobs.chunks(key)))
    if not fits:
        raise problem("sealed-key-unfit", sha256=key)


def _end_upload(ctx: Context, person: str, key: str) -> None:
    upload: Upload | None = ctx.uploads.find(person, key)
    if upload is not None:
        with suppress(Problem):  # somebody is at it; it is refused when it is complete
            ctx.uploads.end(upload)
