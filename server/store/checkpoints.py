"""Checkpoints of everything that is held (S13), and the heads that the next one is made of."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import checkpoints, logs
from server.store.transaction import Tx
from sync.checkpoint import checkpoint_id, log_name
from sync.receipt import SignedBytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it lies there; `moved` are the packed heads, read by nobody yet."""

    n: int
    id: str
    at: int
    signed: SignedBytes
    moved: bytes


_NEWEST = select(checkpoints.c.n, checkpoints.c.id).order_by(checkpoints.c.n.desc()).limit(1)


def newest(tx: Tx) -> tuple[int, str] | None:
    """Number and id of the newest checkpoint; asked for every receipt."""
    row = tx.execute(_NEWEST).first()
    return None if row is None else (row.n, row.id)


def newest_at(tx: Tx) -> int | None:
    """When the newest checkpoint was made, UTC milliseconds."""
    order = checkpoints.c.n.desc()
    return tx.execute(select(checkpoints.c.at).order_by(order).limit(1)).scalar_one_or_none()


def newest_signed(tx: Tx) -> SignedBytes | None:
    """The newest checkpoint's bytes and signature."""
    query = select(checkpoints.c.payload, checkpoints.c.signature)
    row = tx.execute(query.order_by(checkpoints.c.n.desc()).limit(1)).first()
    return None if row is None else SignedBytes(row.payload, row.signature)


def add(tx: Tx, n: int, at: int, signed: SignedBytes, moved: Mapping[str, tuple[int, str]]) -> None:
    """Store the next checkpoint with the heads that moved since the one before."""
    text = "".join(f"{name} {seq} {h}\n" for name, (seq, h) in sorted(moved.items()))
    tx.execute(
        insert(checkpoints).values(
            n=n,
            id=checkpoint_id(signed),
            at=at,
            payload=signed.payload,
            signature=signed.signature,
            moved=zlib.compress(text.encode("utf-8")),
        )
    )


def every(tx: Tx) -> Iterator[StoredCheckpoint]:
    """All checkpoints, the first one first."""
    query = select(checkpoints).order_by(checkpoints.c.n)
    for row in tx.execute(query.execution_options(yield_per=50)):
        signed = SignedBytes(row.payload, row.signature)
        yield StoredCheckpoint(row.n, row.id, row.at, signed, row.moved)


def moved_in(packed: bytes) -> dict[str, tuple[int, str]]:
    """The heads that a checkpoint keeps, by name; ValueError when the bytes are damaged."""
    try:
        text = zlib.decompress(packed).decode("utf-8")
    except zlib.error as exc:
        raise ValueError("the heads cannot be unpacked") from exc
    found: dict[str, tuple[int, str]] = {}
    for line in text.splitlines():
        name, seq, h = line.rsplit(" ", 2)
        found[name] = (int(seq), h)
    return found


def heads(tx: Tx) -> dict[str, tuple[int, str]]:
    """How far each log goes now: its name -> last position and hash in hex."""
    query = select(logs.c.device, logs.c.inspection, logs.c.seq, logs.c.h)
    return {
        log_name(device, log): (seq, h.hex())
        for device, log, seq, h in tx.execute(query.execution_options(yield_per=2000))
    }
