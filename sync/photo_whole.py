"""Whether a picture's file is whole, by its own structure.

Decoders are made to show what they can: behind a cut they go on with what they have, and a part
that a broken copy left as zeros becomes a grey or striped field. Such a file is no whole picture.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_ZEROS = bytes(1024)
_PNG_MARK = 8  # bytes before the first chunk
_CHECKED = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


class NotWhole(Exception):  # noqa: N818 - says what the file is
    """The file is cut off, or a part of it was never written; `why` says which."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


CUT = "it is cut off before its end"
UNWRITTEN = "a part of it was never written and holds only zeros"
CHANGED = "its bytes are not those that were written: a check sum in it does not fit"


def check_whole(data: bytes, kind: str) -> None:
    """Hold a file that a decoder has read against its own structure; raises NotWhole."""
    if kind in ("JPEG", "MPO"):
        _jpeg(data)
    elif kind == "PNG":
        _png(data)
    elif kind == "WEBP":
        _webp(data)


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as a WebP's first chunk says them; (0, 0) where it says none.

    Source: RFC 9649, 2.5 to 2.7. Its decoder asks for all its memory before it says a size.
    """
    first = data[12:16]
    if first == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if first == b"VP8 ":
        across, down = (int.from_bytes(data[at : at + 2], "little") for at in (26, 28))
        return across & 0x3FFF, down & 0x3FFF
    if first == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _jpeg(data: bytes) -> None:
    """Pixels end with the mark FF D9, which cannot stand among them (ITU-T T.81, B.1.1.5)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xFF:  # a fill byte
            at += 1
        elif mark == 0xDA:
            if data.find(b"\xff\xd9", at) < 0:
                raise NotWhole(UNWRITTEN if data.endswith(_ZEROS) else CUT)
            return
        elif mark == 0x01 or 0xD0 <= mark <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def _png(data: bytes) -> None:
    """Every chunk carries a check sum (PNG 3, 5.3); decoders do not ask it for the pixels."""
    for name, start, end in _chunks(data, _PNG_MARK, "big", 4):
        if end + 4 > len(data):
            break
        if name in _CHECKED:
            found = zlib.crc32(data[start:end], zlib.crc32(name))
            if found != int.from_bytes(data[end : end + 4], "big"):
                raise NotWhole(CHANGED)
        if name == b"IEND":
            return
    raise NotWhole(CUT)


def _webp(data: bytes) -> None:
    """Coded pixels are as good as random: no thousand bytes of them are zeros."""
    for name, start, end in _chunks(data, 12, "little", 0):
        if name in (b"VP8 ", b"VP8L") and data[start:end].endswith(_ZEROS):
            raise NotWhole(UNWRITTEN)


def _chunks(data: bytes, at: int, order: str, behind: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, where its bytes start, where they end) of each chunk of a PNG or a RIFF file."""
    while at + 8 <= len(data):
        if order == "big":
            size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        else:
            name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
            size += size & 1
        yield name, at + 8, at + 8 + size
        at += 8 + size + behind
