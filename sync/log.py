"""One device's append-only log: entries, hash chain, segments and their signatures.

Rules cited are those of the sync protocol, version 1 (docs/protocol.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sync.problems import problem

GENESIS_CONTEXT = b"tapak log v1"
SEGMENT_CONTEXT = b"tapak segment v1\n"
DEVICE_LOG = "device"

MAX_ENTRY_BYTES = 64 * 1024
MAX_SEGMENT_LINES = 2_000
MAX_NESTING = 16
MAX_FILE_BYTES = 4 * 1024**3
MAX_REQUEST_BYTES = 32 * 1024**2
MAX_INTEGER = 2**53 - 1

_INSPECTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_FAMILIES: dict[str, int] = {
    "about": 1,
    "outcome": 1,
    "answers": 3,
    "observed": 3,
    "evidence": 3,
    "track": 3,
    "sample": 2,
    "sealed": 2,
    "comments": 2,
    "sign-off": 2,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A readable line of a log: what was recorded, by whom, and where it stands in the chain.

    `h` is the chain hash in hex; `at` is the device's clock in UTC milliseconds, a claim (L9);
    `replaces` is None where the line left it out (L6).
    """

    device: str
    inspection: str
    seq: int
    h: str
    at: int
    by: str
    path: str
    value: Any
    replaces: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A signed, chained line that breaks L3 or is not understood: kept, shown, holding up nothing.

    `path`, `at` and `replaces` are given where they could still be read.
    """

    device: str
    inspection: str
    seq: int
    h: str
    why: str
    path: str | None = None
    at: int = 0
    replaces: tuple[str, ...] | None = None


Record = Entry | Unread


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


# -- writing (L3, S12) ----------------------------------------------------------------------------


def write_line(
    seq: int,
    at: int,
    by: str,
    path: str,
    value: Any,
    replaces: Sequence[str] | None = None,
) -> bytes:
    """One entry as the bytes that will be hashed, sent and kept.

    `at` is in UTC milliseconds. Raises the problems `entry-not-ijson`, `entry-too-deep`,
    `entry-too-large` and `path-malformed`.
    """
    check_path(path)
    body: dict[str, Any] = {"seq": seq, "at": at, "by": by, "path": path, "value": value}
    if replaces is not None:
        body["replaces"] = list(replaces)
    try:
        line = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
            "utf-8"
        )
    except (TypeError, ValueError, RecursionError) as exc:
        raise problem("entry-not-ijson", why=_short(exc)) from exc
    if len(line) > MAX_ENTRY_BYTES:
        raise problem("entry-too-large", size=len(line), limit=MAX_ENTRY_BYTES)
    if too_deep(line):
        raise problem("entry-too-deep", depth=nesting(line), limit=MAX_NESTING)
    record = _read(line, "", "", seq, "")
    if isinstance(record, Unread):
        raise problem("entry-not-ijson", why=record.why)
    return line


def check_path(path: str) -> None:
    """Raise `path-malformed` unless `path` is one that L5 knows."""
    if not _path_ok(path):
        raise problem("path-malformed", path=path)


def check_instance(instance: str) -> str | None:
    """Why `instance` cannot be one part of a path, or None if it can."""
    if not instance or len(instance) > 64:
        return "it is empty or longer than 64 characters"
    if instance.isascii() and instance.isprintable() and "/" not in instance:
        return None
    if "/" in instance or any(unicodedata.category(c)[0] == "C" for c in instance):
        return "it has a slash or an invisible character"
    if unicodedata.normalize("NFC", instance) != instance:
        return "its accents are not in composed form (NFC)"
    return None


def _path_ok(path: str) -> bool:
    parts = path.split("/")
    if parts[0] == "device":
        return 2 <= len(parts) <= 4 and all(check_instance(p) is None for p in parts[1:])
    expected = _FAMILIES.get(parts[0])
    return expected == len(parts) and all(check_instance(p) is None for p in parts[1:])


# -- reading (L3, L4, S12) ------------------------------------------------------------------------


def nesting(data: bytes) -> int:
    """The deepest nesting of arrays and objects in JSON bytes, found without parsing them (S12)."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return deepest


def too_deep(data: bytes) -> bool:
    """Whether JSON bytes nest deeper than is allowed (S12)."""
    # Most lines open few brackets in all, so they cannot be deep: counting is far cheaper.
    return data.count(b"[") + data.count(b"{") > MAX_NESTING and nesting(data) > MAX_NESTING


def strict_json(data: bytes) -> Any:
    """Parse I-JSON (RFC 7493) as L3 narrows it: no duplicate keys, no lone surrogates, integers
    within 2^53, no other numbers. Raises ValueError saying what is wrong.
    """
    if too_deep(data):
        raise ValueError(f"nested deeper than {MAX_NESTING}")
    text = data.decode("utf-8")
    value = _STRICT.decode(text)
    if "\\u" in text:
        _no_surrogates(value)
    return value


def read_line(line: bytes, device: str, inspection: str, seq: int, h: str) -> Record:
    """The entry in a line whose chain and signature already hold; else why it is unread (L4)."""
    return _read(line, device, inspection, seq, h)


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
        _read(line, segment.device, segment.inspection, segment.first + i, hashes[i].hex())
        for i, line in enumerate(segment.lines)
    ]
    return records, Head(previous.seq + len(segment.lines), hashes[-1])


def may_stand_below(line: bytes, families: Iterable[bytes]) -> bool:
    """Whether an entry below one of these families of paths may be in this line; False is certain.

    It saves reading lines of which nothing is wanted.
    """
    for family in families:
        if family in line:
            return True
    return b"\\" in line  # an escaped letter may hide one


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
        out.append(_read(line, device, inspection, seq, running.hex()))
    return out


# -- inside ---------------------------------------------------------------------------------------


def _read(line: bytes, device: str, inspection: str, seq: int, h: str) -> Record:
    def unread(why: str, found: Mapping[str, Any] | None = None) -> Unread:
        path = at = None
        replaces: tuple[str, ...] | None = None
        if found is not None:
            path, at = found.get("path"), found.get("at")
            replaces = _hashes(found.get("replaces"))
        return Unread(
            device,
            inspection,
            seq,
            h,
            why,
            path if isinstance(path, str) and _path_ok(path) else None,
            at if isinstance(at, int) and not isinstance(at, bool) else 0,
            replaces,
        )

    try:
        body = strict_json(line)
    except (ValueError, RecursionError) as exc:
        return unread(f"not I-JSON: {_short(exc)}")
    if not isinstance(body, dict):
        return unread("not an object")
    if body.get("seq") != seq or isinstance(body.get("seq"), bool):
        return unread(f"its seq is not its place in the log ({seq})", body)
    at, by, path = body.get("at"), body.get("by"), body.get("path")
    if not isinstance(at, int) or isinstance(at, bool) or at < 0:
        return unread("at is not a time in UTC milliseconds", body)
    if not isinstance(by, str) or not by:
        return unread("by names no person", body)
    if not isinstance(path, str) or not _path_ok(path):
        return unread("its path is not one this version knows", body)
    if "value" not in body:
        return unread("it has no value", body)
    if set(body) - {"seq", "at", "by", "path", "value", "replaces"}:
        return unread("it has members this version does not know", body)
    replaces = None
    if "replaces" in body:
        replaces = _hashes(body["replaces"])
        if replaces is None:
            return unread("replaces is not a list of hashes", body)
    return Entry(device, inspection, seq, h, at, by, path, body["value"], replaces)


def _hashes(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    if not all(isinstance(v, str) and re.fullmatch(r"[0-9a-f]{64}", v) for v in value):
        return None
    return tuple(value)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for n, key in enumerate(keys) if key in keys[:n])
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return found


def _bounded_int(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("an integer is beyond 2^53")
    return int(text)


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not an integer; measured values are decimal strings")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_int=_bounded_int,
    parse_float=_no_float,
    parse_constant=_no_float,
)


def _no_surrogates(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list):
        for inner in value:
            _no_surrogates(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            key.encode("utf-8")
            _no_surrogates(inner)


def _short(exc: BaseException) -> str:
    return str(exc)[:120]
