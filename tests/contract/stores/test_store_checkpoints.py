"""Checkpoints (S13), on each database."""

from __future__ import annotations

import pytest
from store_rows import NOW, VISIT, append, put_everybody

from server.store import audit, checkpoints
from server.store.db import Database
from sync.checkpoint import checkpoint_id, log_name
from sync.receipt import SignedBytes

FIRST, SECOND = SignedBytes(b"one", bytes(64)), SignedBytes(b"two", bytes(64))


def test_without_a_checkpoint_there_is_no_newest(db: Database) -> None:
    with db.read() as tx:
        assert checkpoints.newest(tx) is None
        assert checkpoints.newest_at(tx) is None
        assert checkpoints.newest_signed(tx) is None
        assert list(checkpoints.every(tx)) == []


def test_checkpoints_come_back_in_order_with_what_moved(db: Database) -> None:
    moved = {"audit": (3, "ab" * 32), "device/log": (2_000_000, "cd" * 32)}
    db.write(lambda tx: checkpoints.add(tx, 1, NOW, FIRST, moved))
    db.write(lambda tx: checkpoints.add(tx, 2, NOW + 1, SECOND, {}))
    with db.read() as tx:
        assert checkpoints.newest(tx) == (2, checkpoint_id(SECOND))
        assert checkpoints.newest_at(tx) == NOW + 1
        assert checkpoints.newest_signed(tx) == SECOND
        found = list(checkpoints.every(tx))
    assert [(one.n, one.signed, one.at) for one in found] == [
        (1, FIRST, NOW),
        (2, SECOND, NOW + 1),
    ]
    assert [checkpoints.moved_in(one.moved) for one in found] == [moved, {}]


@pytest.mark.parametrize("packed", [b"", b"no zlib", b"x\x9c\xcbH\xcd\x01\x00\x04\x8a\x02\x0b"])
def test_damaged_heads_are_a_value_error(packed: bytes) -> None:
    with pytest.raises(ValueError):
        checkpoints.moved_in(packed)


def test_the_heads_are_those_of_all_logs(db: Database) -> None:
    def work(tx):  # type: ignore[no-untyped-def]
        device, other = put_everybody(tx)
        first = append(tx, device, VISIT, [b"one", b"two"])
        second = append(tx, other, VISIT, [b"three"])
        return {
            log_name(device.id, VISIT): (2, first.h.hex()),
            log_name(other.id, VISIT): (1, second.h.hex()),
        }

    wanted = db.write(work)
    with db.read() as tx:
        assert checkpoints.heads(tx) == wanted


def test_the_trails_hash_is_known_at_every_line(db: Database) -> None:
    db.write(lambda tx: audit.record(tx, NOW, "console", "a", "b:c"))
    with db.read() as tx:
        assert audit.hash_at(tx, 1) == audit.newest(tx)[1]
        assert audit.hash_at(tx, 0) == ""
        assert audit.hash_at(tx, 2) is None
