"""HEIC files made by hand: boxes around two pictures that were coded once, 64 and 512 pixels wide.

Each shows a black quarter top left and a grey field right of the middle on white, so that every
turn of it looks different. Many of one beside each other make a picture as large as one likes.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

_SETTINGS = {
    64: "AQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMA"
    "kAAAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQA==",
    512: "AQNwAAAAkAAAAAAAWvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAWroCQGEAAQArQgEBA3AAAAMA"
    "kAAAAwAAAwBaoAQCAIBZbqSSmubgIaDAgAAADIAAAAMAhGIAAQAHRAHBcrBiQA==",
}
_CODED = {
    64: "AAAAICgBr1j4gZJf//rn63pb+2C1Xnn7tWvc//H3Vg+/An+A",
    512: "AAABbCgBr1EHQS48UquLQPiBkl//+ufrgPiyOwVuMiRAUF5b+2C1gzz7rsrw6AAfUKYzg3ASIH7IvuaJlP67d8ua"
    "Fg6ngYaPR3WyyJZ0rAB2EG337dl4T91XOl5A1Sd6iT3gAHVbceil6Qev9hNBhCIoAXl5H9kJRWdMpICTA0RMg+Bi"
    "ZHWQf67d8uaFg6ngY5xeVzSzpWADsINvv27Lwn7qudLyLbmQ4oP4gAXmFx+APiu2MZ8i9WF/JOvzvv6PlQAAOeCH"
    "AAAEzRGFomU/rt3y5oWDqeBl1VGqABnGgAyMeg88688WSPZ+KQwFbMgXUbwADqtuPRS9IPX+wmgwhN4R2i9p/K3O"
    "AAIOIeZnf/6XefAAAAMAkv//xCVCQAAM2AAAAwGyXppr/MT6EvVEUa/qV9jl6wRWufufy8mOd+39zWhIqpNM3Nv/"
    "+WPQAA4IAAAH86dQif8rOHag4ZRpojvKAAADAaUAAAMAAAMACPg=",
}


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">L4s", len(body) + 8, kind) + body


def full(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">L", version << 24), *parts)


@dataclass
class Item:
    """One item: its bytes, or those of another by their place; its properties by their number."""

    kind: bytes
    data: bytes
    properties: tuple[int, ...] = ()
    content: bytes = b""
    tiles: int = 0


def heic(
    exif: bytes | None = None,
    *,
    xmp: bytes | None = None,
    turn: int | None = None,
    mirror: int | None = None,
    grid: tuple[int, int] | None = None,
    tile: int = 64,
    brand: bytes = b"heic",
    padding: int = 0,
    claimed: tuple[int, int] | None = None,
) -> bytes:
    """A file of one picture, of a tile or of `grid` (columns, rows) of them.

    `turn` is irot's number of quarter turns to the left, `mirror` imir's axis (0: top is bottom,
    1: left is right). `padding` bytes lie before the EXIF block. `claimed` is a size that a grid
    says it has.
    """
    coded = base64.b64decode(_CODED[tile])
    columns, rows = grid or (1, 1)
    width, height = claimed or (columns * tile, rows * tile)
    properties = [
        box(b"hvcC", base64.b64decode(_SETTINGS[tile])),
        full(b"ispe", 0, struct.pack(">LL", tile, tile)),
        full(b"ispe", 0, struct.pack(">LL", width, height)),
    ]
    main = [3] if grid else [1, 2]
    for kind, value in ((b"irot", turn), (b"imir", mirror)):
        if value is not None:
            properties.append(box(kind, bytes([value])))
            main.append(len(properties))
    if grid:
        shape = struct.pack(">BBBBLL", 0, 1, rows - 1, columns - 1, width, height)
        items = [Item(b"grid", shape, tuple(main), tiles=columns * rows)]
        items += [Item(b"hvc1", coded, (1, 2)) for _ in range(columns * rows)]
    else:
        items = [Item(b"hvc1", coded, tuple(main))]
    if padding:
        items.append(Item(b"free", b"\x55" * padding))
    if exif is not None:
        items.append(
            Item(b"Exif", struct.pack(">L", 6) + b"Exif\0\0" + exif.removeprefix(b"Exif\0\0"))
        )
    if xmp is not None:
        items.append(Item(b"mime", xmp, content=b"application/rdf+xml"))
    return _file(brand, items, properties)


def _file(brand: bytes, items: list[Item], properties: list[bytes]) -> bytes:
    start = box(b"ftyp", brand, b"\0\0\0\0", b"mif1", brand)
    offsets: dict[bytes, int] = {}
    data = b""
    for item in items:
        if item.data not in offsets:
            offsets[item.data] = len(data)
            data += item.data
    # The places are known once the length of everything before them is: it does not depend on them.
    before = len(start) + len(_meta(items, properties, offsets, 0)) + 8
    return start + _meta(items, properties, offsets, before) + box(b"mdat", data)


def _meta(items: list[Item], properties: list[bytes], offsets: dict[bytes, int], at: int) -> bytes:
    numbered = list(enumerate(items, 1))
    places = b"".join(
        struct.pack(">HHHLL", n, 0, 1, at + offsets[i.data], len(i.data)) for n, i in numbered
    )
    names = [
        full(b"infe", 2, struct.pack(">HH4s", n, 0, i.kind), b"\0", i.content and i.content + b"\0")
        for n, i in numbered
    ]
    owned = [(n, i.properties) for n, i in numbered if i.properties]
    links = b"".join(
        struct.pack(">HB", n, len(p)) + bytes(0x80 | one for one in p) for n, p in owned
    )
    references = []
    if items[0].tiles:
        tiles = range(2, 2 + items[0].tiles)
        references.append(box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *tiles)))
    references += [
        box(b"cdsc", struct.pack(">HHH", n, 1, 1))
        for n, i in numbered
        if i.kind in (b"Exif", b"mime")
    ]
    return full(
        b"meta",
        0,
        full(b"hdlr", 0, b"\0\0\0\0", b"pict", bytes(13)),
        full(b"pitm", 0, struct.pack(">H", 1)),
        full(b"iloc", 0, b"\x44\x00", struct.pack(">H", len(items)), places),
        full(b"iinf", 0, struct.pack(">H", len(items)), *names),
        *([full(b"iref", 0, *references)] if references else []),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full(b"ipma", 0, struct.pack(">L", len(owned)), links),
        ),
    )
