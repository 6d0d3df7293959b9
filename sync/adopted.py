"""Adopted lines: what an ended generation of a device wrote, carried in the log of the next (S3).

A line travels verbatim as the value of an entry `adopted/<device>/<seq>`:

    {"line": "...", "h": "<hex>", "after": "<hex>", "signature": "<base64>"}

`base64` stands for `line` where the bytes are not UTF-8. `after` is the chain hash before the line,
`h` the one with it. A line too long for one entry comes in parts, `"part": [1, 3]`, in entries that
follow each other, of which the last says the rest. `signature` is the old key's over the chain hash
of its line, and speaks for the lines of its run before it; without it they are unsigned. A carried
line may be such an entry again, of a generation before; what is within more than 16 is not read.
Rules cited: L3, L4, S3, S12 of docs/protocol.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.log import (
    MAX_ENTRY_BYTES,
    Adopted,
    Entry,
    Record,
    Unread,
    link,
    read_line,
    verify_signature,
)
from sync.problems import Problem

FAMILY = "adopted"
PREFIX = "adopted/"
MOST_CARRIED = 16  # entries that a line may be carried within, each in the next
MOST_PARTS = 8  # of one line: 64 kB are seven, should every sign need six as JSON text
PART_BYTES = 60_000  # of a line as JSON text: what is around it has room in an entry's 64 kB

_HASH = re.compile(r"[0-9a-f]{64}\Z")
_PLACE = re.compile(r"[1-9]\d{0,14}\Z", re.ASCII)

# Device -> its public key and its person, or None where the device is not known.
Owners = Callable[[str], tuple[bytes, str] | None]


# -- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of one log of an ended generation, from position `first` on, after the hash `after`.

    `signature` is its key's over the last of the hashes, None where the key is lost.
    """

    device: str
    first: int
    after: bytes
    lines: Sequence[bytes]
    hashes: Sequence[bytes]
    signature: bytes | None


def entries_for(run: Run) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(position, path, value) of the entries that carry a run, in the order to append them."""
    last = len(run.lines) - 1
    for n, (line, h) in enumerate(zip(run.lines, run.hashes, strict=True)):
        after = run.hashes[n - 1] if n else run.after
        says: dict[str, Any] = {"h": h.hex(), "after": after.hex()}
        if n == last and run.signature is not None:
            says["signature"] = base64.b64encode(run.signature).decode("ascii")
        member, parts = _parts(line)
        for k, part in enumerate(parts, start=1):
            value: dict[str, Any] = {member: part}
            if len(parts) > 1:
                value["part"] = [k, len(parts)]
            if k == len(parts):
                value |= says
            yield run.first + n, f"{PREFIX}{run.device}/{run.first + n}", value


def _parts(line: bytes) -> tuple[str, list[str]]:
    """The shorter way to say a line: as text, or as base64 where quotes within quotes pile up."""
    encoded = base64.b64encode(line).decode("ascii")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "base64", _cut(encoded)
    if _json_size(encoded) < _json_size(text):
        return "base64", _cut(encoded)
    return "line", _cut(text)


def _cut(text: str) -> list[str]:
    count = 1
    while True:
        size = -(-len(text) // count) or 1
        parts = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        if all(_json_size(part) <= PART_BYTES for part in parts):
            return parts
        count += 1


def _json_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


# -- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """A whole adopted line, and the entry that ends it."""

    entry: Entry
    device: str
    seq: int
    line: bytes
    h: str
    previous: str
    signature: bytes | None


class _NotUnderstoodError(Exception):
    pass


def expand(records: Iterable[Record], owners: Owners) -> list[Record]:
    """The records of an inspection, and beside each adopted entry the record that it carries.

    The adopted entries themselves stay: a sign-off may name them. One that cannot be understood,
    or that carries a line of another person's device, becomes Unread.
    """
    given = list(records)
    new = [r for r in given if isinstance(r, Entry) and is_adopted(r)]
    if not new:
        return given
    reading = _Reading(owners)
    for _ in range(MOST_CARRIED):  # what is carried may be an adopted entry again
        new = reading.read(new)
        if not new:
            break
    reading.not_read(new)
    odd = reading.unread
    kept = [r for r in (*given, *reading.records()) if _key(r) not in odd]
    return [*kept, *odd.values()]


def is_adopted(record: Record) -> bool:
    """Whether a record is an entry that carries another log's line."""
    return record.path is not None and record.path.startswith(PREFIX)


def carried_line(entries: Sequence[Entry]) -> tuple[str, int, bytes] | None:
    """(device, position, line) that these entries, the parts of one line, carry; else None.

    For looking up what a line names: only that it has the chain hash stated with it is checked, so
    that no line can carry itself, and no signature.
    """
    try:
        device, seq = _place(entries[-1])
        said = _object(entries[-1])
        line = _line([_object(entry) for entry in entries])
        if link(bytes.fromhex(_hash(said, "after")), line).hex() != _hash(said, "h"):
            return None
        return device, seq, line
    except _NotUnderstoodError:
        return None


def whole_line(entry: Entry) -> bytes | None:
    """The line that this entry alone carries; None for a part of one, and where it is odd."""
    try:
        value = _object(entry)
        return _line([value]) if _part(value) == (1, 1) else None
    except _NotUnderstoodError:
        return None


def parts_of(entry: Entry) -> tuple[int, int]:
    """Which part of how many an adopted entry is; (1, 1) for a whole line or an odd value."""
    try:
        return _part(_object(entry))
    except _NotUnderstoodError:
        return 1, 1


_Key = tuple[str, str, int, str]


def _key(record: Record) -> _Key:
    return record.device, record.inspection, record.seq, record.h


class _Reading:
    """Adopted entries as they are read, those within others after these."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._known: dict[str, tuple[bytes, str] | None] = {}
        self._by_h: dict[str, Entry] = {}
        self._own: dict[tuple[str, str, int], Entry] = {}
        self._pieces: list[tuple[_Piece, Record]] = []
        self._waiting: list[Entry] = []  # a part of it may be within what is read next
        self.unread: dict[_Key, Unread] = {}

    def read(self, new: Sequence[Entry]) -> list[Entry]:
        """Read these entries; those among the carried ones that carry lines themselves."""
        self._known |= {device: self._owners(device) for device in self._unknown(new)}
        self._by_h |= {entry.h: entry for entry in new}
        own = (entry for entry in new if entry.adopted is None)
        self._own |= {(e.device, e.inspection, e.seq): e for e in own}
        found: list[Entry] = []
        pending, self._waiting = [*self._waiting, *new], []
        for entry in pending:
            try:
                piece = _piece(entry, self._by_h, self._own)
                if piece is not None:
                    _check_person(piece, self._known)
            except _NotUnderstoodError as exc:
                self._waiting.append(entry)
                self.unread[_key(entry)] = _unread(entry, str(exc))
                continue
            self.unread.pop(_key(entry), None)
            if piece is not None:
                record = _record(piece)
                self._pieces.append((piece, record))
                if isinstance(record, Entry) and is_adopted(record):
                    found.append(record)
        return found

    def not_read(self, left: Sequence[Entry]) -> None:
        """Leave these unread: they are within too many others (S12)."""
        for entry in left:
            why = f"it is carried within more than {MOST_CARRIED} others"
            self.unread[_key(entry)] = _unread(entry, why)

    def records(self) -> Iterator[Record]:
        """What all of them carry, each with whether a signature speaks for it."""
        signed = _signed([piece for piece, _ in self._pieces], self._known)
        for piece, record in self._pieces:
            if piece.h in signed and record.adopted is not None:
                yield replace(record, adopted=replace(record.adopted, signed=True))
            elif isinstance(record, Entry):
                yield replace(record, signed=False)
            else:
                yield record

    def _unknown(self, new: Sequence[Entry]) -> set[str]:
        named = {e.device for e in new} | {e.path.split("/")[1] for e in new}
        return named - self._known.keys()


def _record(piece: _Piece) -> Record:
    """The record of a carried line; nobody has looked for a signature yet."""
    entry = piece.entry
    read = read_line(piece.line, piece.device, entry.inspection, piece.seq, piece.h)
    came = Adopted(entry.device, entry.seq, piece.previous, signed=False, carrier=entry.h)
    return replace(read, adopted=came)


def _check_person(piece: _Piece, known: Mapping[str, tuple[bytes, str] | None]) -> None:
    theirs, mine = known[piece.device], known[piece.entry.device]
    if theirs is not None and mine is not None and theirs[1] != mine[1]:
        raise _NotUnderstoodError("it is of another person's device")


def _piece(
    entry: Entry, by_h: Mapping[str, Entry], own: Mapping[tuple[str, str, int], Entry]
) -> _Piece | None:
    """The line that this entry completes, or None while parts of it are to come."""
    device, seq = _place(entry)
    value = _object(entry)
    part, count = _part(value)
    if part < count:
        return None
    values = [value]
    at = entry
    for n in range(count - 1, 0, -1):
        before = _before(at, by_h, own)
        if before is None or before.path != entry.path or _part(_object(before)) != (n, count):
            raise _NotUnderstoodError("a part of it is missing")
        at = before
        values.append(_object(at))
    line = _line(values[::-1])
    h, previous = _hash(value, "h"), _hash(value, "after")
    if link(bytes.fromhex(previous), line).hex() != h:
        raise _NotUnderstoodError("it does not have the chain hash that is stated")
    signature = _bytes("base64", _text(value, "signature")) if "signature" in value else None
    return _Piece(entry, device, seq, line, h, previous, signature)


def _before(
    entry: Entry, by_h: Mapping[str, Entry], own: Mapping[tuple[str, str, int], Entry]
) -> Entry | None:
    """The entry before this one in its own log or branch, if that is an adopted one."""
    if entry.adopted is not None:
        return by_h.get(entry.adopted.previous)
    return own.get((entry.device, entry.inspection, entry.seq - 1))


def _signed(pieces: Sequence[_Piece], known: Mapping[str, tuple[bytes, str] | None]) -> set[str]:
    """The h of every line that a signature speaks for: its own, or one later in its chain (L4)."""
    previous = {piece.h: piece.previous for piece in pieces}
    signed: set[str] = set()
    for piece in pieces:
        theirs = known[piece.device]
        if theirs is None or piece.signature is None or piece.h in signed:
            continue
        try:
            head = bytes.fromhex(piece.h)
            verify_signature(theirs[0], head, piece.signature, piece.entry.inspection)
        except Problem:
            continue
        h = piece.h
        while h in previous and h not in signed:
            signed.add(h)
            h = previous[h]
    return signed


def _unread(entry: Entry, why: str) -> Unread:
    return Unread(
        entry.device,
        entry.inspection,
        entry.seq,
        entry.h,
        f"an adopted line: {why}",
        entry.path,
        entry.at,
        entry.replaces,
    )


def _place(entry: Entry) -> tuple[str, int]:
    _, device, seq = entry.path.split("/")
    if not _PLACE.match(seq):
        raise _NotUnderstoodError("its path does not say which entry it was")
    return device, int(seq)


def _object(entry: Entry) -> Mapping[str, Any]:
    if not isinstance(entry.value, dict):
        raise _NotUnderstoodError("its value is not an object")
    return entry.value


def _part(value: Mapping[str, Any]) -> tuple[int, int]:
    part = value.get("part", [1, 1])
    if (
        not isinstance(part, list)
        or len(part) != 2
        or not all(isinstance(n, int) and not isinstance(n, bool) for n in part)
        or not 1 <= part[0] <= part[1] <= MOST_PARTS
    ):
        raise _NotUnderstoodError("part is not which of how many")
    return part[0], part[1]


def _line(values: Sequence[Mapping[str, Any]]) -> bytes:
    """The line that the values of all its parts say; S12: as long as an entry may be, no longer."""
    member = "line" if "line" in values[-1] else "base64"
    line = _bytes(member, "".join(_text(value, member) for value in values))
    if len(line) > MAX_ENTRY_BYTES:
        raise _NotUnderstoodError(f"it is longer than the {MAX_ENTRY_BYTES} bytes of an entry")
    return line


def _text(value: Mapping[str, Any], member: str) -> str:
    text = value.get(member)
    if not isinstance(text, str):
        raise _NotUnderstoodError(f"{member} is not text")
    return text


def _bytes(member: str, text: str) -> bytes:
    if member == "line":
        return text.encode("utf-8")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _NotUnderstoodError("it is not base64") from exc


def _hash(value: Mapping[str, Any], member: str) -> str:
    text = value.get(member)
    if not isinstance(text, str) or not _HASH.match(text):
        raise _NotUnderstoodError(f"{member} is not a chain hash")
    return text
