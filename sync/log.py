"""One device's append-only log: identity, hash chain, segments and their signatures.

What stands in a line is sync.entry's matter; its names are given here too, where everybody has
always found them. Rules cited are those of the sync protocol, version 1 (docs/protocol.md).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sync.entry import (
    MAX_ENTRY_BYTES,
    Adopted,
    Entry,
    Record,
    Unread,
    check_instance,
    check_path,
    lines_below,
    may_stand_below,
    read_line,
    write_line,
)
from sync.ijson import MAX_INTEGER, MAX_NESTING, nesting, strict_json, too_deep
from sync.problems import problem

__all__ = (
    "DEVICE_LOG",
    "GENESIS_CONTEXT",
    "MAX_ENTRY_BYTES",
    "MAX_FILE_BYTES",
    "MAX_INTEGER",
    "MAX_LOG_LINES",
    "MAX_NESTING",
    "MAX_REQUEST_BYTES",
    "MAX_SEGMENT_LINES",
    "SEGMENT_CONTEXT",
    "Adopted",
    "Entry",
    "Head",
    "Record",
    "Segment",
    "Unread",
    "check_instance",
    "check_path",
    "device_id",
    "genesis",
    "is_log_name",
    "lines_below",
    "link",
    "may_stand_below",
    "nesting",
    "read_line",
    "records_of",
    "sign_head",
    "strict_json",
    "too_deep",
    "verify_chain",
    "verify_segment",
    "verify_signature",
    "write_line",
)

GENESIS_CONTEXT = b"tapak log v1"
SEGMENT_CONTEXT = b"tapak segment v1\n"
DEVICE_LOG = "device"

MAX_SEGMENT_LINES = 2_000
MAX_LOG_LINES = 200_000
MAX_FILE_BYTES = 4 * 1024**3
MAX_REQUEST_BYTES = 32 * 1024**2

_INSPECTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes: the last position and its chain hash (raw bytes)."""

    seq: int
    h: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of lines of one log, from position `first` on, signed over the hash of the last."""

    device: str
    inspection: str
    first: int
    lines: tuple[bytes, ...]
    signature: bytes


# -- identity (L1) --------------------------------------------------------------------------------


def device_id(public_key: bytes) -> str:
    """The id of the device with this raw Ed25519 public key: 32 letters and digits (L1)."""
    digest = hashlib.sha256(b"tapak device v1" + public_key).digest()
    return base64.b32encode(digest[:20]).decode("ascii").lower()


def is_log_name(name: str) -> bool:
    """Whether `name` can name a log: an inspection's UUID or the device's own log (L2)."""
    return name == DEVICE_LOG or _INSPECTION.match(name) is not None


# -- the chain (L4) -------------------------------------------------------------------------------


def genesis(public_key: bytes, inspection: str) -> bytes:
    """h(0): SHA-256 of the context, the public key and the inspection id (L4)."""
    return hashlib.sha256(GENESIS_CONTEXT + public_key + inspection.encode("utf-8")).digest()


def link(previous: bytes, line: bytes) -> bytes:
    """h(n): SHA-256 of h(n-1) and the line's bytes without its line feed (L4)."""
    return hashlib.sha256(previous + line).digest()


# -- verifying and signing (L1, L4, S12) ----------------------------------------------------------


def verify_segment(
    public_key: bytes, previous: Head, segment: Segment
) -> tuple[list[Record], Head]:
    """Check a segment that follows `previous` in its log; return its records and the new head.

    Raises what `verify_chain` raises. Breaking L3 inside a line refuses nothing: such a line comes
    back as Unread (L4).
    """
    hashes = verify_chain(public_key, previous, segment)
    # L3: only now is a line read; what cannot be read is kept as unread.
    records = [
        read_line(line, segment.device, segment.inspection, segment.first + i, hashes[i].hex())
        for i, line in enumerate(segment.lines)
    ]
    return records, Head(previous.seq + len(segment.lines), hashes[-1])


def verify_chain(public_key: bytes, previous: Head, segment: Segment) -> list[bytes]:
    """Check a segment that follows `previous`, without reading its lines; return their hashes.

    Raises `segment-too-long`, `entry-too-large`, `segment-malformed` and `segment-signature`.
    """
    # 1. S12: size limits come before anything is parsed.
    if len(segment.lines) > MAX_SEGMENT_LINES:
        raise problem("segment-too-long", count=len(segment.lines), limit=MAX_SEGMENT_LINES)
    longest = max(map(len, segment.lines), default=0)
    if longest > MAX_ENTRY_BYTES:
        raise problem("entry-too-large", size=longest, limit=MAX_ENTRY_BYTES)
    # 2. Framing: a segment follows the head it is checked against and has lines without line feeds.
    if segment.first != previous.seq + 1 or not segment.lines:
        raise problem("segment-malformed", index=0, why="it does not follow the log's head")
    if b"\n" in b"".join(segment.lines):
        raise problem("segment-malformed", index=0, why="a line holds a line feed")
    # 3. L1: the log belongs to the device whose key this is.
    if device_id(public_key) != segment.device:
        raise problem("segment-signature", log=segment.inspection)
    # 4. L4: h(n) = SHA-256(h(n-1) || line n), over the bytes as they came.
    hashes: list[bytes] = []
    running, sha256 = previous.h, hashlib.sha256
    for line in segment.lines:  # as `link` does, without a call for each of thousands of lines
        running = sha256(running + line).digest()
        hashes.append(running)
    # 5. L4: one signature over h(last) and the context string.
    verify_signature(public_key, running, segment.signature, segment.inspection)
    return hashes


def verify_signature(public_key: bytes, head: bytes, signature: bytes, log: str) -> None:
    """Raise `segment-signature` unless `signature` is the key's over this chain hash (L4)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature, SEGMENT_CONTEXT + head)
    except (InvalidSignature, ValueError) as exc:
        raise problem("segment-signature", log=log) from exc


def sign_head(key: Ed25519PrivateKey, head: bytes) -> bytes:
    """The signature of a segment that ends at this chain hash (L4)."""
    return key.sign(SEGMENT_CONTEXT + head)


def records_of(
    lines: Iterable[bytes], public_key: bytes, device: str, inspection: str
) -> list[Record]:
    """All records of a log from its first line on; the chain is computed on the way."""
    running = genesis(public_key, inspection)
    out: list[Record] = []
    for seq, line in enumerate(lines, start=1):
        running = link(running, line)
        out.append(read_line(line, device, inspection, seq, running.hex()))
    return out
