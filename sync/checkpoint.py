"""Checkpoints: one signed hash over everything the server holds on a day (S13).

The heads of all logs and of the audit trail are leaves of a Merkle tree as RFC 6962, section 2.1,
describes it. A receipt quotes the newest checkpoint, so that a tail which is taken away
afterwards is missed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.log import strict_json
from sync.problems import problem
from sync.receipt import Keys, SignedBytes, signed_under

CHECKPOINT_CONTEXT = b"tapak checkpoint v1\n"
AUDIT = "audit"
NOTHING = hashlib.sha256(b"").hexdigest()  # the root over no leaves (RFC 6962)

Heads = Mapping[str, tuple[int, str]]  # name of a chain -> its last position and hash in hex


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the server signed: the `n`th root, over `size` heads, `at` its clock (UTC ms).

    `before` is the digest of the checkpoint before it, empty for the first.
    """

    server: str
    epoch: int
    n: int
    at: int
    size: int
    root: str
    before: str


def log_name(device: str, log: str) -> str:
    """The name of a device's log among the heads."""
    return f"{device}/{log}"


def leaf(name: str, seq: int, h: str) -> bytes:
    """One head as the bytes that are hashed."""
    return f"{name} {seq} {h}".encode()


def root(heads: Heads) -> str:
    """The Merkle root, in hex, over the heads in the order of their names."""
    hashes = [_leaf_hash(leaf(name, *heads[name])) for name in sorted(heads)]
    return _root(hashes).hex() if hashes else NOTHING


def proof(heads: Heads, name: str) -> list[tuple[str, str]]:
    """The way from a head to the root: (side, hash in hex), from the leaf upwards.

    `side` says on which side the other hash stands: left or right. Raises KeyError for a name that
    is not there.
    """
    names = sorted(heads)
    if name not in heads:
        raise KeyError(name)
    hashes = [_leaf_hash(leaf(one, *heads[one])) for one in names]
    return _proof(hashes, names.index(name))


def follows(head: bytes, steps: Sequence[tuple[str, str]], root_hash: str) -> bool:
    """Whether the way leads from these leaf bytes to the root."""
    running = _leaf_hash(head)
    for side, other in steps:
        try:
            raw = bytes.fromhex(other)
        except ValueError:
            return False
        running = _node(raw, running) if side == "left" else _node(running, raw)
    return running.hex() == root_hash


def sign_checkpoint(key: Ed25519PrivateKey, checkpoint: Checkpoint) -> SignedBytes:
    """The checkpoint's bytes and the server's signature over them."""
    body = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    payload = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return SignedBytes(payload, key.sign(CHECKPOINT_CONTEXT + payload))


def read_checkpoint(server_key: Keys, signed: SignedBytes) -> Checkpoint:
    """Check and read a checkpoint; raises `checkpoint-unfit`."""
    why = "it is not signed by this server, or its bytes changed"
    if not signed_under(server_key, CHECKPOINT_CONTEXT + signed.payload, signed.signature):
        raise problem("checkpoint-unfit", why=why)
    try:
        body = strict_json(signed.payload)
        return Checkpoint(
            str(body["server"]),
            int(body["epoch"]),
            int(body["n"]),
            int(body["at"]),
            int(body["size"]),
            str(body["root"]),
            str(body["before"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise problem("checkpoint-unfit", why=why) from exc


def checkpoint_id(signed: SignedBytes) -> str:
    """The digest by which receipts and the next checkpoint quote this one."""
    return hashlib.sha256(signed.payload).hexdigest()


# -- inside ---------------------------------------------------------------------------------------


def _leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2 (RFC 6962, section 2.1)."""
    return 1 << (count - 1).bit_length() - 1


def _root(hashes: Sequence[bytes]) -> bytes:
    """Level by level: the same tree as RFC 6962's, whose last node moves up where it is alone."""
    level = list(hashes)
    while len(level) > 1:
        paired = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) & ~1 :]
    return level[0]


def _proof(hashes: Sequence[bytes], index: int) -> list[tuple[str, str]]:
    if len(hashes) == 1:
        return []
    middle = _split(len(hashes))
    if index < middle:
        return [*_proof(hashes[:middle], index), ("right", _root(hashes[middle:]).hex())]
    return [*_proof(hashes[middle:], index - middle), ("left", _root(hashes[:middle]).hex())]
