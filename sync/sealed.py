"""Protected people (L8): what a sealed entry says outside, and how what is inside is framed.

Pure: framing and sizes only. Encrypting, which draws randomness, is each side's own (age).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sync.inspection import Sealed, SealedFile, Written
from sync.log import Entry
from sync.problems import problem

FAMILY = "sealed"
WITHDRAWN = "withdrawn"  # the kind of the change that tells of a destroyed key; ref: the entry
MEDIA_TYPE = "application/octet-stream"  # what is inside says what it is; outside nothing does
PAYLOAD, KEY, FILE = "sealed", "sealed-key", "sealed-file"
KINDS = (PAYLOAD, KEY, FILE)
MAGIC = b"tapak sealed v1\n"
DAY_MS = 86_400_000
SMALLEST = 4096  # bytes; what is shorter is padded to this
MAX_KEY_BYTES = 16 * 1024
MAX_HEADER_BYTES = 64 * 1024
_DOUBLING_UP_TO = 64 * 1024
_STEPS = 8  # above that, so many sizes from one power of two to the next
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_AGE = b"age-encryption.org/v1\n"


def named_files(sealed: Sealed) -> tuple[tuple[str, SealedFile], ...]:
    """Every file that a sealed entry names, with what it is for."""
    return (
        (PAYLOAD, sealed.payload),
        (KEY, sealed.key),
        *((FILE, one) for one in sealed.files),
    )


def day_start(at: int) -> int:
    """The first millisecond of the UTC day in which `at` lies (L8)."""
    return at - at % DAY_MS


def sealed_value(
    payload: SealedFile, key: SealedFile, files: tuple[SealedFile, ...], to: tuple[str, ...]
) -> dict[str, Any]:
    """The value of a `sealed/<uuid>` entry."""
    value: dict[str, Any] = {"payload": _named(payload), "key": _named(key), "to": list(to)}
    if files:
        value["files"] = [_named(one) for one in files]
    return value


def read_sealed(entry: Entry) -> Sealed | None:
    """What a `sealed/<uuid>` entry says by itself, or None where it is not understood."""
    value = entry.value
    if not entry.path.startswith(f"{FAMILY}/") or not isinstance(value, dict):
        return None
    files, to = value.get("files", []), value.get("to", [])
    if not isinstance(files, list) or not isinstance(to, list):
        return None
    if set(value) - {"payload", "key", "files", "to"} or not all(isinstance(t, str) for t in to):
        return None
    payload, key = _file(value.get("payload")), _file(value.get("key"))
    named = [_file(one) for one in files]
    if payload is None or key is None or None in named:
        return None
    written = Written(entry.device, entry.seq, entry.h, entry.at, entry.by)
    sealed = Sealed(
        entry.path.split("/")[1],
        payload,
        key,
        tuple(one for one in named if one is not None),
        tuple(to),
        written,
    )
    digests = [one.sha256 for _, one in named_files(sealed)]
    return sealed if len(set(digests)) == len(digests) else None


def may_be_key(data: bytes) -> bool:
    """Whether these bytes can be the key file of a sealed entry: a small age file."""
    return data.startswith(_AGE) and len(data) <= MAX_KEY_BYTES


# -- the frame inside -----------------------------------------------------------------------------


def bucket(size: int) -> int:
    """The size to which `size` bytes are padded, so that a length tells little of what is said.

    4 kB, then doubled up to 64 kB; above that an eighth of the power of two below, at most 12.5 %
    more.
    """
    if size <= _DOUBLING_UP_TO:
        padded = SMALLEST
        while padded < size:
            padded *= 2
        return padded
    step = (1 << ((size - 1).bit_length() - 1)) // _STEPS
    return -(-size // step) * step


def frame_head(header: Mapping[str, Any], size: int) -> bytes:
    """What stands before `size` bytes of content: the format, and a JSON line about them."""
    line = json.dumps({**header, "size": size}, ensure_ascii=False, separators=(",", ":"))
    return MAGIC + line.encode("utf-8") + b"\n"


def padding(head: bytes, size: int) -> int:
    """How many zero bytes follow the content."""
    whole = len(head) + size
    return bucket(whole) - whole


def frame(header: Mapping[str, Any], content: bytes) -> bytes:
    """Head, content and padding as one."""
    head = frame_head(header, len(content))
    return head + content + bytes(padding(head, len(content)))


def read_head(data: bytes) -> tuple[dict[str, Any], int] | None:
    """The JSON line and where the content begins; None while the line is not all there.

    Raises `sealed-unreadable`.
    """
    if not data.startswith(MAGIC[: len(data)]):
        raise problem("sealed-unreadable", why="it is of no format that this version knows")
    end = data.find(b"\n", len(MAGIC))
    if end < 0:
        if len(data) > MAX_HEADER_BYTES:
            raise problem("sealed-unreadable", why="its first line does not end")
        return None
    try:
        header = json.loads(data[len(MAGIC) : end])
    except (ValueError, RecursionError) as exc:
        raise problem("sealed-unreadable", why="its first line is not JSON") from exc
    size = header.get("size") if isinstance(header, dict) else None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise problem("sealed-unreadable", why="it does not say how long it is")
    return header, end + 1


def unframe(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON line and the content; raises `sealed-unreadable`."""
    found = read_head(data)
    if found is None or found[1] + found[0]["size"] > len(data):
        raise problem("sealed-unreadable", why="it ends too early")
    header, at = found
    return header, data[at : at + header["size"]]


# -- inside ---------------------------------------------------------------------------------------


def _named(one: SealedFile) -> dict[str, Any]:
    return {"sha256": one.sha256, "size": one.size}


def _file(value: Any) -> SealedFile | None:
    if not isinstance(value, dict) or set(value) != {"sha256", "size"}:
        return None
    sha256, size = value["sha256"], value["size"]
    if not isinstance(sha256, str) or not _SHA256.match(sha256):
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        return None
    return SealedFile(sha256, size)
