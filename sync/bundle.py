"""A bundle: the conversation in one file (S10), as it stands inside its seal.

One line of JSON says who made it, when and for whom. Then come parts: a line of JSON that says what
the part is and how many bytes follow, and those bytes. The last part is the end, which counts the
others. docs/bundles.md has the format as a table. Writing is here, reading in bundle_reader.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync import wire
from sync.log import MAX_FILE_BYTES, MAX_REQUEST_BYTES, Segment
from sync.problems import problem
from sync.receipt import SignedBytes
from sync.server_keys import write_statements

FORMAT = 1
SUFFIX = ".tapak"
MAX_LINE_BYTES = 16 * 1024  # the first line, and the line before each part
MAX_PARTS = 200_000

# What a part may be, in the order in which they come, and how many bytes one may have (S12).
SERVER_KEYS, CERTIFICATE, KEY, SEGMENT, LINES, RECEIPT, ANSWER, FILE, END = (
    "server-keys",
    "certificate",
    "sealing-key",
    "segment",
    "lines",
    "receipt",
    "answer",
    "file",
    "end",
)
PART_BYTES: Mapping[str, int] = {
    SERVER_KEYS: 64 * 1024,
    CERTIFICATE: 16 * 1024,
    KEY: 16 * 1024,
    SEGMENT: MAX_REQUEST_BYTES,
    LINES: MAX_REQUEST_BYTES,
    RECEIPT: 4 * 1024**2,
    ANSWER: MAX_REQUEST_BYTES,
    FILE: MAX_FILE_BYTES,
    END: 0,
}
ORDER = {kind: n for n, kind in enumerate(PART_BYTES)}
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line: who made the bundle (`device` None: the office), when, and for whom.

    `at` is the maker's clock in UTC milliseconds. `server_key` is the raw receipt key that the
    maker has pinned. `cursor` is how far a device had read when it made the bundle.
    """

    device: str | None
    name: str
    at: int
    made_for: str
    server_key: bytes
    cursor: str | None = None


@dataclass(slots=True)
class BundleWriter:
    """Writes the parts of one bundle in their order; every method gives bytes to be sealed."""

    _parts: int = 0
    _last: tuple[Any, ...] = field(default=())

    def opening(self, opening: Opening) -> bytes:
        """The first line."""
        maker = {"name": opening.name}
        if opening.device is not None:
            maker["device"] = opening.device
        body: dict[str, Any] = {
            "tapak_bundle": FORMAT,
            "tapak": wire.PROTOCOL,
            "by": maker,
            "at": opening.at,
            "for": opening.made_for,
            "server_key": _text(opening.server_key),
        }
        if opening.cursor is not None:
            body["cursor"] = opening.cursor
        return _JSON.encode(body).encode("utf-8") + b"\n"

    def server_keys(self, statements: Sequence[SignedBytes]) -> bytes:
        """What the server says of its keys (S8): by them a device knows what signed the rest."""
        body = _JSON.encode(write_statements(statements)).encode("utf-8")
        return self._small(SERVER_KEYS, (0,), {"number": 0}, body)

    def certificate(self, device: str, certificate: SignedBytes) -> bytes:
        """A device's certificate, by which its lines can be checked (S8)."""
        return self._small(CERTIFICATE, (device,), {"device": device}, _signed(certificate))

    def sealing_key(self, device: str, statement: SignedBytes) -> bytes:
        """What can be sealed to a device: a statement that the device signed."""
        return self._small(KEY, (device,), {"device": device}, _signed(statement))

    def segment(self, segment: Segment) -> bytes:
        """A run of a log's lines with the device's signature (L4)."""
        head = {
            "log": segment.inspection,
            "device": segment.device,
            "first": segment.first,
            "count": len(segment.lines),
            "signature": _text(segment.signature),
        }
        place = (segment.inspection, segment.device, segment.first)
        return self._small(SEGMENT, place, head, b"".join(line + b"\n" for line in segment.lines))

    def lines(self, log: str, device: str, first: int, body: bytes) -> bytes:
        """A run of a log as a colleague may see it: the body of a change of kind `lines` (S5)."""
        head = {"log": log, "device": device, "first": first}
        return self._small(LINES, (log, device, first), head, body)

    def receipt(self, number: int, receipt: SignedBytes) -> bytes:
        """A receipt of the server (S4); `number` counts them in this bundle."""
        return self._small(RECEIPT, (number,), {"number": number}, _signed(receipt))

    def answer(self, number: int, answer: bytes) -> bytes:
        """An answer of the server, as it would have been sent (S1); `number` counts them."""
        return self._small(ANSWER, (number,), {"number": number}, answer)

    def file(self, sha256: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A file under its digest. Files come smallest first.

        Raises `file-digest` and `upload-too-long` where the chunks are not that file: the bundle
        is not to be used then.
        """
        yield self._head(FILE, (size, sha256), {"sha256": sha256}, size)
        digest, count = hashlib.sha256(), 0
        for chunk in chunks:
            count += len(chunk)
            if count > size:
                raise problem("upload-too-long", length=size)
            digest.update(chunk)
            yield chunk
        if count != size or digest.hexdigest() != sha256:
            raise problem("file-digest", got=digest.hexdigest(), wanted=sha256)

    def end(self) -> bytes:
        """The last part: how many there were before it."""
        return self._head(END, (), {"parts": self._parts}, 0)

    def _small(self, kind: str, place: tuple[Any, ...], head: dict[str, Any], body: bytes) -> bytes:
        return self._head(kind, place, head, len(body)) + body

    def _head(self, kind: str, place: tuple[Any, ...], head: dict[str, Any], size: int) -> bytes:
        limit = PART_BYTES[kind]
        if size > limit:
            raise problem("bundle-part-too-large", part=kind, size=size, limit=limit)
        standing = (ORDER[kind], *place)
        assert standing > self._last, f"{standing} after {self._last}"  # noqa: S101 - a bug
        self._last = standing
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise problem("bundle-malformed", why=f"it has more than {MAX_PARTS} parts")
        return _JSON.encode({"part": kind, "bytes": size, **head}).encode("utf-8") + b"\n"


def _signed(signed: SignedBytes) -> bytes:
    return _JSON.encode(wire.Signed().dump(signed)).encode("utf-8")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
