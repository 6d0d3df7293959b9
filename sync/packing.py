"""A message made small for the wire, and back, never to more than a limit (S12).

Entries are short lines that repeat each other; LZMA makes a third less of them than gzip does, and
needs no library. It is slow, so what is long travels as gzip: a laptop that comes home with very
many inspections waits for its own packing otherwise. LZMA travels as `Content-Encoding: x-lzma`:
raw LZMA1 with an end marker and these parameters on both ends, so that the memory a stranger's
bytes can ask for is fixed.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Collection

from sync.log import MAX_REQUEST_BYTES
from sync.problems import problem

LZMA, GZIP = "x-lzma", "gzip"
MOST_BY_LZMA = 256 * 1024
WORTH_IT = 200  # bytes; a shorter message gains less than the header that names its packing
_DICTIONARY = 1024**2
_FILTER = {"id": lzma.FILTER_LZMA1, "dict_size": _DICTIONARY, "lc": 1, "lp": 0, "pb": 0}


def pack_for(data: bytes, understood: Collection[str] = (LZMA, GZIP)) -> tuple[str | None, bytes]:
    """The message as it best travels, and the name of its packing; None where it is not packed.

    `understood` are the packings that its reader can undo.
    """
    if len(data) <= WORTH_IT:
        return None, data
    if len(data) <= MOST_BY_LZMA and LZMA in understood:
        return LZMA, pack(data)
    if GZIP in understood:
        return GZIP, gzip.compress(data, 6, mtime=0)
    return None, data


def pack(data: bytes) -> bytes:
    """The message as LZMA."""
    filters = [{**_FILTER, "mode": lzma.MODE_NORMAL, "nice_len": 128, "mf": lzma.MF_BT4}]
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)


def unpack(data: bytes, limit: int = MAX_REQUEST_BYTES) -> bytes:
    """Undo `pack`, never to more than `limit` bytes.

    Raises `request-too-large` and `request-malformed`.
    """
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_FILTER])
    try:
        out = unpacker.decompress(data, limit + 1)
    except lzma.LZMAError as exc:
        raise problem("request-malformed", why="it is not whole LZMA data") from exc
    if len(out) > limit:
        raise problem("request-too-large", limit=limit)
    if not unpacker.eof or unpacker.unused_data:
        raise problem("request-malformed", why="its LZMA data ends at the wrong place")
    return out
