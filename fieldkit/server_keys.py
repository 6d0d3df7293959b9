"""The server's sealing key as this device knows it: verified under the key it has pinned (S8)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fieldkit.store import Store
from sync.problems import problem
from sync.receipt import SignedBytes
from sync.server_keys import (
    ServerKeys,
    read_server_keys,
    read_statements,
    receipt_keys,
    write_statements,
)

NOTE = "server_keys"


def checked_keys(server_key: bytes, statements: Sequence[SignedBytes], known: str | None) -> str:
    """What the server says of its keys, verified, as the note that is kept of it.

    `known` is the note there is. Raises `server-keys-unfit`, also for older keys than known.
    """
    new = read_server_keys(server_key, statements)
    if known is not None:
        before = read_server_keys(server_key, read_statements(json.loads(known)))
        if new.number < before.number:
            raise problem("server-keys-unfit", why="they are older than those known already")
    return json.dumps(write_statements(statements))


def trusted_keys(store: Store) -> tuple[bytes, ...]:
    """Every receipt key of the server that follows from the pinned one, that first (S8).

    Raises `device-not-enrolled`.
    """
    return trusted_under(store.identity().server_key, store.note(NOTE))


def trusted_under(pinned: bytes, note: str | None) -> tuple[bytes, ...]:
    """The same, given the pinned key and the note that is kept of the statements."""
    if note is None:
        return (pinned,)
    return receipt_keys(pinned, read_statements(json.loads(note)))


def known_number(store: Store) -> int:
    """The number of the newest server keys that this device knows; 1 where it knows of none."""
    note = store.note(NOTE)
    pinned = store.identity().server_key
    return 1 if note is None else read_server_keys(pinned, read_statements(json.loads(note))).number


def server_keys(store: Store) -> ServerKeys:
    """The server's newest keys; raises `device-not-enrolled` and `sealing-key-unknown`."""
    identity = store.identity()
    note = store.note(NOTE)
    if note is None:
        raise problem("sealing-key-unknown")
    return read_server_keys(identity.server_key, read_statements(json.loads(note)))
