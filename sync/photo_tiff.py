"""The directories of an EXIF block or a TIFF file: tags and their values, as far as they are whole.

Source: TIFF 6.0, section 2; EXIF 3.0 (CIPA DC-008), 4.6.2. A value whose bytes do not lie within
the block is absent, and so is a directory: its count of entries would be no count. Nothing raises.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

EXIF_POINTER = 0x8769
GPS_POINTER = 0x8825

_MARK = b"Exif\x00\x00"
_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
_ASCII, _UNSIGNED_RATIONAL, _UNDEFINED, _SIGNED_RATIONAL = 2, 5, 7, 10
# Type -> the letter that `struct` has for it, and its size in bytes.
_NUMBERS = {
    1: ("B", 1), 3: ("H", 2), 4: ("L", 4), 6: ("b", 1), 8: ("h", 2), 9: ("l", 4),
    11: ("f", 4), 12: ("d", 8), 13: ("L", 4),
}  # fmt: skip
_SIZES = {
    **{kind: size for kind, (_, size) in _NUMBERS.items()},
    _ASCII: 1, _UNDEFINED: 1, _UNSIGNED_RATIONAL: 8, _SIGNED_RATIONAL: 8,
}  # fmt: skip
_MOST_BYTES = 4096  # no value that is looked at is longer; what is longer is cut
_IN_TEXT = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Value:
    """One tag's value as its bytes; `order` is how `struct` calls the block's byte order."""

    kind: int
    data: bytes
    order: str

    def numbers(self) -> list[Fraction | None]:
        """The numbers in it; None stands for 0/0, "not given". Empty where there are none.

        A number divided by zero leaves nothing of the value. Numbers written as text are read,
        with a point or a comma before their decimals.
        """
        if self.kind in (_UNSIGNED_RATIONAL, _SIGNED_RATIONAL):
            return self._rationals()
        if self.kind == _ASCII:
            return [Fraction(n.replace(",", ".")) for n in _IN_TEXT.findall(self.text())]
        if self.kind not in _NUMBERS:
            return []
        letter, size = _NUMBERS[self.kind]
        plain = struct.unpack(f"{self.order}{len(self.data) // size}{letter}", self.data)
        return [Fraction(n) for n in plain] if all(map(math.isfinite, plain)) else []

    def integer(self) -> int | None:
        """The first of its whole numbers, or None."""
        found = self.numbers() if self.kind != _ASCII else []
        first = found[0] if found else None
        return int(first) if first is not None and first.denominator == 1 else None

    def text(self) -> str:
        """Its text up to the first zero byte: UTF-8 where it is, else Latin-1."""
        if self.kind not in (_ASCII, _UNDEFINED, 1):
            return ""
        data = self.data.split(b"\x00", 1)[0]
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def _rationals(self) -> list[Fraction | None]:
        letter = "L" if self.kind == _UNSIGNED_RATIONAL else "l"
        parts = struct.unpack(f"{self.order}{len(self.data) // 4}{letter}", self.data)
        found: list[Fraction | None] = []
        for above, below in zip(parts[::2], parts[1::2], strict=True):
            if below == 0 and above != 0:
                return []
            found.append(Fraction(above, below) if below else None)
        return found


Directory = Mapping[int, Value]


@dataclass(frozen=True, slots=True)
class Directories:
    """Those that photographs use; `gps` is None where there is no such directory."""

    image: Directory
    exif: Directory
    gps: Directory | None


def read_directories(block: bytes) -> Directories | None:
    """The directories of a TIFF structure, with or without EXIF's mark before it; None if it is
    none.
    """
    block = block.removeprefix(_MARK)
    order = _ORDERS.get(block[:4])
    if order is None or len(block) < 8:
        return None
    image = _directory(block, order, struct.unpack_from(f"{order}L", block, 4)[0])
    if image is None:
        return None
    exif, gps = (
        _directory(block, order, pointer)
        for pointer in (_pointer(image, EXIF_POINTER), _pointer(image, GPS_POINTER))
    )
    if gps is None and exif is not None:
        # Not where the standard has it, but where some programs leave it.
        gps = _directory(block, order, _pointer(exif, GPS_POINTER))
    return Directories(image, exif or {}, gps)


def _pointer(directory: Directory, tag: int) -> int:
    value = directory.get(tag)
    return (value.integer() if value is not None else None) or 0


def _directory(block: bytes, order: str, at: int) -> dict[int, Value] | None:
    if at < 8 or at + 2 > len(block):
        return None
    (count,) = struct.unpack_from(f"{order}H", block, at)
    if at + 2 + 12 * count > len(block):
        return None
    found: dict[int, Value] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHL", block, entry)
        size = _SIZES.get(kind, 0) * length
        if size == 0:
            continue
        start = entry + 8 if size <= 4 else struct.unpack_from(f"{order}L", block, entry + 8)[0]
        if start + size > len(block):
            continue
        data = block[start : start + min(size, _MOST_BYTES)]
        found.setdefault(tag, Value(kind, data, order))  # a tag that stands twice: the first
    return found
