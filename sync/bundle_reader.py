"""Reading a bundle (S10): bytes in as they come, parts out, in a bounded piece of memory.

Limits are looked at before anything is parsed (S12). A file's bytes are passed on as they come and
held against its digest at its end; whoever puts them away counts the file only then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from sync import wire
from sync.bundle import (
    ANSWER,
    CERTIFICATE,
    END,
    FILE,
    FORMAT,
    KEY,
    LINES,
    MAX_LINE_BYTES,
    MAX_PARTS,
    ORDER,
    PART_BYTES,
    RECEIPT,
    SEGMENT,
    SERVER_KEYS,
    Opening,
)
from sync.log import MAX_ENTRY_BYTES, MAX_FILE_BYTES, MAX_SEGMENT_LINES, Segment, too_deep
from sync.problems import Problem, problem
from sync.receipt import SignedBytes
from sync.server_keys import read_statements

AGE = b"age-encryption.org/"


@dataclass(frozen=True, slots=True)
class SaidKeys:
    """What the server says of its keys: statements, not verified yet."""

    statements: tuple[SignedBytes, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    device: str
    signed: SignedBytes


@dataclass(frozen=True, slots=True)
class SealingKey:
    device: str
    signed: SignedBytes


@dataclass(frozen=True, slots=True)
class Lines:
    """A run of a log as a colleague may see it; `body` is JSON, as in a change of kind `lines`."""

    log: str
    device: str
    first: int
    body: bytes


@dataclass(frozen=True, slots=True)
class GivenReceipt:
    signed: SignedBytes


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    body: bytes


@dataclass(frozen=True, slots=True)
class FileBegins:
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FileBytes:
    data: bytes


@dataclass(frozen=True, slots=True)
class FileEnds:
    """A file's last byte came; `fits` says whether all of them have the digest that names it."""

    sha256: str
    size: int
    fits: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of a kind that this version does not know."""

    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class Ended:
    parts: int


Event = (
    Opening
    | SaidKeys
    | Certificate
    | SealingKey
    | Segment
    | Lines
    | GivenReceipt
    | GivenAnswer
    | FileBegins
    | FileBytes
    | FileEnds
    | Skipped
    | Ended
)


Steps = Generator[Event | None, None, None]  # None: it waits for more bytes


class _Message(Schema):
    class Meta:
        unknown = EXCLUDE


def _number(minimum: int, maximum: int) -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(min=minimum, max=maximum)
    )


class _Maker(_Message):
    device = fields.String(load_default=None, validate=validate.Regexp(wire.DEVICE))
    name = fields.String(load_default="", validate=validate.Length(max=200))


class _Opening(_Message):
    tapak = fields.Integer(required=True, strict=True, validate=validate.Equal(wire.PROTOCOL))
    by = fields.Nested(_Maker, required=True)
    at = _number(0, 2**53 - 1)
    made_for = fields.String(required=True, data_key="for", validate=validate.Length(max=200))
    server_key = wire.Bytes64(32, required=True)
    cursor = fields.String(load_default=None, validate=validate.Length(max=200))


class _OfDevice(_Message):
    device = fields.String(required=True, validate=validate.Regexp(wire.DEVICE))


class _OfLog(_OfDevice):
    log = fields.String(required=True, validate=validate.Length(max=64))
    first = _number(1, 2**53 - 1)


class _Numbered(_Message):
    number = _number(0, MAX_PARTS)


class _File(_Message):
    sha256 = fields.String(required=True, validate=validate.Regexp(wire.DIGEST))


class _End(_Message):
    parts = _number(0, MAX_PARTS)


_HEADS: dict[str, Schema] = {
    SERVER_KEYS: _Numbered(),
    CERTIFICATE: _OfDevice(),
    KEY: _OfDevice(),
    SEGMENT: wire.SegmentHeader(),
    LINES: _OfLog(),
    RECEIPT: _Numbered(),
    ANSWER: _Numbered(),
    FILE: _File(),
    END: _End(),
}
_OPENING = _Opening()
_SIGNED = wire.Signed()


class BundleReader:
    """Takes a bundle's bytes in pieces of any size and gives its parts.

    Every method raises `bundle-malformed`, `bundle-newer`, `bundle-part-too-large`,
    `segment-too-long`, `segment-malformed` or `entry-too-large`; nothing can be read after that.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._steps = self._read()
        self._parts = 0
        self._last: tuple[Any, ...] = ()
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """The parts that are whole with these bytes, and the pieces of files."""
        self._buffer += data
        while True:
            step = next(self._steps)
            if step is None:
                return
            yield step

    def close(self) -> None:
        """No more bytes come; raises `bundle-malformed` unless the end was among them."""
        if not self._ended:
            raise malformed("it ends too early")

    # -- inside -----------------------------------------------------------------------------------

    def _read(self) -> Steps:
        line = yield from self._line()
        yield _opening(line)
        while True:
            line = yield from self._line()
            kind, size, head = self._part(line)
            if kind == END:
                yield self._end(head)
                break
            if kind == FILE:
                yield from self._file(head["sha256"], size)
            elif kind not in ORDER:
                yield from self._skip(size)
                yield Skipped(kind, size)
            else:
                body = yield from self._exactly(size)
                yield _small(kind, head, body)
        self._ended = True
        while True:
            if self._buffer:
                raise malformed("something follows its end")
            yield None

    def _line(self) -> Generator[None, None, bytes]:
        looked = 0
        while (at := self._buffer.find(b"\n", looked, MAX_LINE_BYTES + 1)) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise malformed(f"a line is longer than {MAX_LINE_BYTES} bytes")
            looked = len(self._buffer)
            yield None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        return line

    def _exactly(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield None
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def _pieces(self, size: int) -> Iterator[bytes | None]:
        """What is here of so many bytes, each time there is something."""
        left = size
        while left:
            if not self._buffer:
                yield None
                continue
            piece = bytes(self._buffer[:left])
            del self._buffer[:left]
            left -= len(piece)
            yield piece

    def _file(self, sha256: str, size: int) -> Steps:
        yield FileBegins(sha256, size)
        digest = hashlib.sha256()
        for piece in self._pieces(size):
            if piece is None:
                yield None
                continue
            digest.update(piece)
            yield FileBytes(piece)
        yield FileEnds(sha256, size, digest.hexdigest() == sha256)

    def _skip(self, size: int) -> Generator[None, None, None]:
        for piece in self._pieces(size):
            if piece is None:
                yield None

    def _part(self, line: bytes) -> tuple[str, int, dict[str, Any]]:
        raw = _json(line)
        kind, size = raw.get("part"), raw.get("bytes")
        if not isinstance(kind, str) or len(kind) > 64:
            raise malformed("a part does not say what it is")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise malformed(f"a part ({kind}) does not say how long it is")
        limit = PART_BYTES.get(kind, MAX_FILE_BYTES)
        if size > limit:
            raise problem("bundle-part-too-large", part=kind, size=size, limit=limit)
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise malformed(f"it has more than {MAX_PARTS} parts")
        if kind not in ORDER:
            return kind, size, {}
        try:
            head: dict[str, Any] = _HEADS[kind].load(raw)
        except ValidationError as exc:
            raise malformed(f"a part ({kind}) has another shape: {wire.faults(exc)}") from exc
        self._in_order(kind, size, head)
        return kind, size, head

    def _in_order(self, kind: str, size: int, head: dict[str, Any]) -> None:
        """Parts come in one order, each once; so nothing can come twice or be mixed up."""
        place: tuple[Any, ...] = (ORDER[kind],)
        if kind == FILE:
            place += (size, head["sha256"])
        elif kind in (SEGMENT, LINES):
            place += (head["log"], head["device"], head["first"])
        elif kind != END:
            place += (head.get("number", head.get("device")),)
        if place <= self._last:
            raise malformed(f"a part ({kind}) comes twice, or not in its place")
        self._last = place

    def _end(self, head: dict[str, Any]) -> Ended:
        before = self._parts - 1
        if head["parts"] != before:
            raise malformed(f"its end counts {head['parts']} parts, and {before} came")
        return Ended(before)


def malformed(why: str) -> Problem:
    return problem("bundle-malformed", why=why)


def _opening(line: bytes) -> Opening:
    if line.startswith(AGE):
        raise malformed("inside is another sealed file, not the content of a bundle")
    raw = _json(line)
    version = raw.get("tapak_bundle")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise malformed("its first line is not that of a bundle")
    if version > FORMAT:
        raise problem("bundle-newer", version=version, known=FORMAT)
    try:
        body = _OPENING.load(raw)
    except ValidationError as exc:
        raise malformed(f"its first line has another shape: {wire.faults(exc)}") from exc
    by = body["by"]
    return Opening(
        by["device"],
        by["name"],
        body["at"],
        body["made_for"],
        body["server_key"],
        body["cursor"],
    )


def _small(kind: str, head: dict[str, Any], body: bytes) -> Event:
    if kind == SEGMENT:
        return _segment(head, body)
    if kind == LINES:
        return Lines(head["log"], head["device"], head["first"], body)
    if kind == ANSWER:
        return GivenAnswer(body)
    if kind == SERVER_KEYS:
        return SaidKeys(read_statements(_json(body)))
    try:
        loaded = _SIGNED.load(_json(body))
    except ValidationError as exc:
        raise malformed(f"a part ({kind}) has another shape: {wire.faults(exc)}") from exc
    signed = SignedBytes(loaded["payload"], loaded["signature"])
    if kind == CERTIFICATE:
        return Certificate(head["device"], signed)
    if kind == KEY:
        return SealingKey(head["device"], signed)
    return GivenReceipt(signed)


def _segment(head: dict[str, Any], body: bytes) -> Segment:
    count = body.count(b"\n")
    if count > MAX_SEGMENT_LINES:
        raise problem("segment-too-long", count=count, limit=MAX_SEGMENT_LINES)
    if count != head["count"] or not body.endswith(b"\n"):
        where = f"{head['log']} from {head['first']} on"
        raise problem("segment-malformed", index=where, why="it has not as many lines as it counts")
    lines = tuple(body[:-1].split(b"\n"))
    longest = max(map(len, lines))
    if longest > MAX_ENTRY_BYTES:
        raise problem("entry-too-large", size=longest, limit=MAX_ENTRY_BYTES)
    return Segment(head["device"], head["log"], head["first"], lines, head["signature"])


def _json(line: bytes) -> dict[str, Any]:
    try:
        if too_deep(line):
            raise ValueError("nested too deep")
        raw = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise malformed("a line that should say what follows is not JSON") from exc
    if not isinstance(raw, dict):
        raise malformed("a line that should say what follows is no object")
    return raw
