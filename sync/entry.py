"""One line of a log: what an entry says, written as bytes and read back (L3, L5, S12).

Rules cited are those of the sync protocol, version 1 (docs/protocol.md).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.ijson import MAX_NESTING, nesting, shortly, strict_json, too_deep
from sync.problems import problem

MAX_ENTRY_BYTES = 64 * 1024

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
    "adopted": 3,
    "acknowledged": 3,
    "rulings": 4,
}


@dataclass(frozen=True, slots=True)
class Adopted:
    """How a line came that stands in no log of its own device any more (S3).

    `by` is the device whose log carries it, at `seq`; `previous` is the chain hash before it;
    `signed` says whether its own device's signature came along and fits. `carrier` is the `h` of
    the entry that carries it.
    """

    by: str
    seq: int
    previous: str
    signed: bool
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A readable line of a log: what was recorded, by whom, and where it stands in the chain.

    `h` is the chain hash in hex; `at` is the device's clock in UTC milliseconds, a claim (L9);
    `replaces` is None where the line left it out (L6). `signed` is False where nobody signed it at
    the source. `named` is another person than the device's whom the line names (S9): `by` is then
    the device's person, for the device decides. `adopted` is None in a device's own log.
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
    signed: bool = True
    named: str = ""
    adopted: Adopted | None = None


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
    adopted: Adopted | None = None


Record = Entry | Unread


def attributed(record: Record, person: str, signed: bool = True) -> Record:
    """The record as that of the device's person; another one whom it names stays visible (S9).

    `signed` is whether a person signed it at the source: on a device, not on the server.
    """
    if isinstance(record, Unread) or (record.by == person and signed):
        return record
    named = "" if record.by == person else record.by
    return replace(record, by=person, named=named, signed=signed and record.signed)


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
        raise problem("entry-not-ijson", why=shortly(exc)) from exc
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


# -- reading (L3, L4) -----------------------------------------------------------------------------


def read_line(line: bytes, device: str, inspection: str, seq: int, h: str) -> Record:
    """The entry in a line whose chain and signature already hold; else why it is unread (L4)."""
    return _read(line, device, inspection, seq, h)


def may_stand_below(line: bytes, families: Iterable[bytes]) -> bool:
    """Whether an entry below one of these families of paths may be in this line; False is certain.

    It saves reading lines of which nothing is wanted.
    """
    for family in families:
        if family in line:
            return True
    return b"\\" in line  # an escaped letter may hide one


def lines_below(lines: Sequence[bytes], families: Iterable[bytes]) -> list[int]:
    """The places, from 0 and in order, of the lines of which `may_stand_below` holds.

    Thousands of lines are looked through at once: most of them hold nothing that is wanted.
    """
    whole = b"\n".join(lines)
    found: set[int] = set()
    for wanted in (*families, b"\\"):
        place = passed = 0
        at = whole.find(wanted)
        while at >= 0:
            place += whole.count(b"\n", passed, at)
            found.add(place)
            passed = whole.find(b"\n", at)
            at = -1 if passed < 0 else whole.find(wanted, passed)
    return sorted(found)


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
        return unread(f"not I-JSON: {shortly(exc)}")
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
