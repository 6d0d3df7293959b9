"""EXIF blocks made by hand, so that every type, byte order and kind of damage can be written."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SLONG, SRATIONAL, DOUBLE = (
    1,
    2,
    3,
    4,
    5,
    7,
    9,
    10,
    12,
)
_LETTERS = {BYTE: "B", SHORT: "H", LONG: "L", SLONG: "l", DOUBLE: "d"}
Entry = tuple[int, Any]  # a type, and its value: text, bytes, numbers, or pairs of them


def ascii(text: str) -> Entry:
    return ASCII, text.encode() + b"\0"


def rationals(*pairs: tuple[int, int]) -> Entry:
    return RATIONAL, pairs


def block(
    order: str = "<",
    *,
    image: Mapping[int, Entry] | None = None,
    exif: Mapping[int, Entry] | None = None,
    gps: Mapping[int, Entry] | None = None,
) -> bytes:
    """A TIFF structure with these directories; `order` is < (Intel) or > (Motorola)."""
    first = dict(image or {})
    for tag, directory in ((0x8769, exif), (0x8825, gps)):
        if directory is not None:
            first[tag] = (LONG, (0,))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    places = {0x8769: 0, 0x8825: 0}
    # Written twice: the first time to learn where each directory will lie.
    for _ in range(2):
        for tag, place in places.items():
            if tag in first:
                first[tag] = (LONG, (place,))
        data = head + _directory(order, first, 8)
        for tag, directory in ((0x8769, exif), (0x8825, gps)):
            if directory is not None:
                places[tag] = len(data)
                data += _directory(order, directory, len(data))
    return data


def _directory(order: str, entries: Mapping[int, Entry], at: int) -> bytes:
    table, values = b"", b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, (kind, value) in sorted(entries.items()):
        data = _bytes(order, kind, value)
        size = (
            8 if kind in (RATIONAL, SRATIONAL) else struct.calcsize("<" + _LETTERS.get(kind, "B"))
        )
        table += struct.pack(f"{order}HHL", tag, kind, len(data) // size)
        if len(data) <= 4:
            table += data.ljust(4, b"\0")
        else:
            table += struct.pack(f"{order}L", behind + len(values))
            values += data + b"\0" * (len(data) & 1)
    return struct.pack(f"{order}H", len(entries)) + table + bytes(4) + values


def _bytes(order: str, kind: int, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if kind in (RATIONAL, SRATIONAL):
        letter = "L" if kind == RATIONAL else "l"
        return b"".join(struct.pack(f"{order}2{letter}", *pair) for pair in value)
    return struct.pack(f"{order}{len(value)}{_LETTERS[kind]}", *value)
