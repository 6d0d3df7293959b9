"""HEIC and HEIF files: whether they are whole, their stored size, and their pixels upright.

The boxes are those of ISO/IEC 14496-12 and 23008-12. The decoder itself (libheif) shows a cut file
as far as it goes, with what is missing left grey; so its boxes are held against its length here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pi_heif
from PIL import Image

from sync.photo_whole import CUT, UNWRITTEN, NotWhole

# The brands of pictures coded in HEVC; a `mif1` file may hold anything, which its other brands say.
BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
AVIF_BRANDS = frozenset((b"avif", b"avis"))

# One thread at a time: each has a stack of its own, which counts against the little memory.
pi_heif.options.DECODE_THREADS = 1

_MOST_BOXES = 10_000
# HEVC lets no more than two zeros follow one another in its units (ITU-T H.265, 7.4.2).
_ZEROS = bytes(64)


@dataclass(frozen=True, slots=True)
class Stored:
    """What the boxes say: `width` and `height` before the file's own turning, None if unsaid."""

    width: int | None
    height: int | None


def brands(data: bytes) -> frozenset[bytes]:
    """All brands that a file's first box names; empty where it is no such file."""
    if len(data) < 16 or data[4:8] != b"ftyp":
        return frozenset()
    (size,) = struct.unpack_from(">L", data)
    body = data[8 : min(size, 8 + 4 * 64)]
    return frozenset(body[i : i + 4] for i in range(0, len(body) - 3, 4) if i != 4)


def is_heif(data: bytes) -> bool:
    """Whether it is a picture file of the HEIF family that is not AVIF."""
    named = brands(data)
    return data[8:12] in BRANDS and not named & AVIF_BRANDS


def media_type(data: bytes) -> str:
    """image/heic for HEVC's own brands, else image/heif."""
    return "image/heic" if brands(data) & BRANDS - {b"mif1", b"msf1"} else "image/heif"


def read_boxes(data: bytes) -> Stored:
    """The stored size of the main picture. Raises NotWhole where bytes are missing."""
    size: tuple[int, int] | None = None
    for kind, start, end in _boxes(data, 0, len(data)):
        if end > len(data):
            raise NotWhole(CUT)
        if kind == b"meta":
            parts = {k: (a, b) for k, a, b in _boxes(data, start + 4, end)}
            if b"iloc" in parts:
                coded = _coded(data, *parts[b"iinf"]) if b"iinf" in parts else frozenset()
                for item, at, until in _extents(data, *parts[b"iloc"]):
                    if until > len(data):
                        raise NotWhole(CUT)
                    if item in coded and data.find(_ZEROS, at, until) >= 0:
                        raise NotWhole(UNWRITTEN)
            if b"pitm" in parts and b"iprp" in parts:
                size = _size_of(data, _number(data, *parts[b"pitm"]), *parts[b"iprp"])
    return Stored(*(size or (None, None)))


def open_picture(data: bytes) -> pi_heif.HeifImage:
    """The main picture, not decoded yet; its size is upright. Raises what pi_heif raises, and
    MemoryError."""
    with _memory_named():
        file = pi_heif.open_heif(data, convert_hdr_to_8bit=True, remove_stride=False)
        return file[file.primary_index]


def decode(picture: pi_heif.HeifImage, longest: int) -> Image.Image:
    """Its pixels, upright as the file itself says, reduced to not less than `longest`.

    EXIF's orientation is not for these pixels (ISO/IEC 23008-12, A.2.1): the file's own turning
    is applied by the decoder, and turning again would be turning twice.
    """
    with _memory_named():
        data, stride, mode = picture.data, picture.stride, picture.mode
    width, height = picture.size
    factor = max(1, max(width, height) // longest)
    # In bands, because Pillow's own copy of a large picture would take a third more than this one.
    small: Image.Image | None = None
    step = factor * max(1, 1_000_000 // (width * factor))
    for top in range(0, height, step):
        rows = min(step, height - top)
        part = data[top * stride : (top + rows) * stride]
        band = eight_bits(Image.frombuffer(mode, (width, rows), part, "raw", mode, stride, 1))
        if small is None:
            small = Image.new(band.mode, (-(-width // factor), -(-height // factor)))
        small.paste(band.reduce(factor), (0, top // factor))
    if small is None:
        raise ValueError("a picture without rows")
    return small


def eight_bits(image: Image.Image) -> Image.Image:
    """Of 16 bits a pixel the upper eight; converting would clip nearly all to white."""
    if not image.mode.startswith("I;16"):
        return image
    return image.point(lambda value: value * (1 / 256)).convert("L")


@contextmanager
def _memory_named() -> Iterator[None]:
    """libheif says in words that the memory does not reach; Python has a class for it."""
    try:
        yield
    except (RuntimeError, ValueError) as exc:
        if str(exc).startswith("Memory allocation error"):
            raise MemoryError from exc
        raise


# -- boxes ----------------------------------------------------------------------------------------


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, where its content starts, where it ends) of each box; the last may end too late."""
    for _ in range(_MOST_BOXES):
        if at + 8 > min(end, len(data)):
            return
        size, kind = struct.unpack_from(">L4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        if size == 0:  # to the end of the file
            size = end - at
        if size < head:
            return
        yield kind, at + head, at + size
        at += size


def _number(data: bytes, start: int, end: int) -> int:
    wide = 4 if data[start] else 2
    return int.from_bytes(data[start + 4 : min(start + 4 + wide, end)], "big")


def _extents(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(item, where it starts, where it ends) for every piece of an item that lies in the file."""
    reader = _Reader(data, start, end)
    version = reader.take(1)
    reader.take(3)
    sizes = reader.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> s & 15 for s in (12, 8, 4, 0))
    for _ in range(reader.take(4 if version == 2 else 2)):
        item = reader.take(4 if version == 2 else 2)
        inside = version > 0 and reader.take(2) & 15 != 0  # lies in another box, or in an item
        elsewhere = reader.take(2) != 0
        base = reader.take(base_size)
        for _ in range(reader.take(2)):
            if version > 0:
                reader.take(index_size)
            at = base + reader.take(offset_size)
            until = at + reader.take(length_size)
            if reader.ended:
                return
            if not inside and not elsewhere:
                yield item, at, until


def _coded(data: bytes, start: int, end: int) -> frozenset[int]:
    """The items that are pictures coded in HEVC."""
    found = set()
    wide_count = data[start] != 0
    for kind, at, until in _boxes(data, start + (8 if wide_count else 6), end):
        if kind == b"infe" and data[at] in (2, 3):
            reader = _Reader(data, at + 4, until)
            item = reader.take(4 if data[at] == 3 else 2)
            reader.take(2)
            if reader.take(4) == int.from_bytes(b"hvc1", "big"):
                found.add(item)
    return frozenset(found)


class _Reader:
    """Numbers one behind the other; behind the end there are zeros."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, min(end, len(data))

    @property
    def ended(self) -> bool:
        return self._at > self._end

    def take(self, size: int) -> int:
        found = self._data[self._at : min(self._at + size, self._end)]
        self._at += size
        return int.from_bytes(found, "big")


def _size_of(data: bytes, item: int, start: int, end: int) -> tuple[int, int] | None:
    """The `ispe` property of an item: its width and height as stored."""
    parts = {k: (a, b) for k, a, b in _boxes(data, start, end)}
    if b"ipco" not in parts or b"ipma" not in parts:
        return None
    properties = list(_boxes(data, *parts[b"ipco"]))
    for index in _properties_of(data, item, *parts[b"ipma"]):
        if 0 < index <= len(properties):
            kind, at, until = properties[index - 1]
            if kind == b"ispe" and until - at >= 12:
                width, height = struct.unpack_from(">LL", data, at + 4)
                return width, height
    return None


def _properties_of(data: bytes, item: int, start: int, end: int) -> list[int]:
    reader = _Reader(data, start, end)
    version = reader.take(1)
    wide = reader.take(3) & 1
    for _ in range(reader.take(4)):
        which = reader.take(4 if version else 2)
        found = [
            reader.take(2) & 0x7FFF if wide else reader.take(1) & 0x7F
            for _ in range(reader.take(1))
        ]
        if which == item:
            return found
    return []
