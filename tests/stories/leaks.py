"""Looks for secrets in every file, however they are written down: a grep that knows encodings."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

LONGEST = 64 * 1024**2


def writings(secret: str) -> dict[str, bytes]:
    """A text in every encoding in which it could lie around."""
    plain = secret.encode("utf-8")
    found = {
        "utf-8": plain,
        "utf-16-le": secret.encode("utf-16-le"),
        "utf-16-be": secret.encode("utf-16-be"),
        "json": json.dumps(secret)[1:-1].encode(),
        "url": quote(secret).encode(),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
    }
    for shift in range(3):
        # Whatever stands before it, one of three alignments is in the text; its ends are not.
        inner = base64.b64encode(bytes(shift) + plain)
        found[f"base64+{shift}"] = inner[4 : len(inner) - len(inner) % 4 - 4]
        found[f"base64url+{shift}"] = found[f"base64+{shift}"].translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return found


def traces(places: Iterable[Path], secrets: Iterable[str], raw: Iterable[bytes] = ()) -> list[str]:
    """Where any of the secrets is found: in names or bytes, packed or not."""
    needles = [(f"{s!r} as {how}", w) for s in secrets for how, w in writings(s).items()]
    needles += [(f"bytes {data[:8].hex()}", data) for data in raw]
    found: list[str] = []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            name = str(path.relative_to(place.parent)).encode("utf-8", "surrogateescape")
            haystacks = [name, *(_layers(path.read_bytes()) if path.is_file() else ())]
            found += [
                f"{path}: {what}" for what, needle in needles if any(needle in h for h in haystacks)
            ]
    return found


def _layers(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The bytes, and what they hold when unpacked."""
    yield data
    if depth == 0:
        return
    if data.startswith(b"\x1f\x8b"):
        yield from _layers(gzip.decompress(data), depth - 1)
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for one in archive.infolist():
                yield one.filename.encode()
                yield from _layers(archive.read(one), depth - 1)
    elif data[:2] in (b"\x78\x9c", b"\x78\x01", b"\x78\xda"):
        try:
            yield from _layers(zlib.decompressobj().decompress(data, LONGEST), depth - 1)
        except zlib.error:
            return
