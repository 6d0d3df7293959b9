"""A message made small for the wire, and back, never to more than a limit (S12).

Three packings, named as `Content-Encoding` names them:

`gzip` is what everybody can read, and what is long travels as: it is quick.

`x-lzma` is raw LZMA1 with an end marker and fixed parameters, so that the memory a stranger's
bytes can ask for is fixed. It makes a third less of lines that repeat each other than gzip does.

`x-tapak-1` is that, begun long before the message. What cannot be guessed is taken out
(sync.terse); then a primer stands before the text, a message such as there are many, and both are
packed in one. How the primer packs is known to both ends and does not travel: the reader puts it
before what came. So what is in every message costs little, and the packer is used to how messages
go. What was taken out stands behind the end marker. A primer of another wording is another packing
and needs another name.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

from sync.log import MAX_REQUEST_BYTES
from sync.problems import Problem, problem
from sync.session import inflate
from sync.terse import put_back, take_out

TAPAK, LZMA, GZIP = "x-tapak-1", "x-lzma", "gzip"
PACKINGS = (TAPAK, LZMA, GZIP)  # the smallest first
MOST_BY_LZMA = 256 * 1024
WORTH_IT = 200  # bytes; a shorter message gains less by gzip than the header that names it
_DICTIONARY = 1024**2
_FILTER = {"id": lzma.FILTER_LZMA1, "dict_size": _DICTIONARY, "lc": 1, "lp": 0, "pb": 0}
_HEADER_BYTES = len("Content-Encoding: \r\n")


@dataclass(frozen=True, slots=True)
class Primer:
    """What stands before a message: its text, and how it begins when it is packed."""

    text: bytes
    packed: bytes


def _primer(name: str) -> Primer:
    """A primer from its file: whole LZMA data, and behind it how much of it always stays so."""
    kept = files("sync").joinpath("primers", name).read_bytes()
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_FILTER])
    text = unpacker.decompress(kept)
    return Primer(text, kept[: int(unpacker.unused_data)])


REQUEST, ANSWER = _primer("request.lzma"), _primer("answer.lzma")


def pack_for(
    data: bytes, primer: Primer, understood: Collection[str] = PACKINGS
) -> tuple[str | None, bytes]:
    """The message as it best travels, and the name of its packing; None where it is not packed.

    `understood` are the packings that its reader can undo.
    """
    if len(data) <= MOST_BY_LZMA:
        if TAPAK in understood and (primed := pack_primed(data, primer)) is not None:
            worth = len(primed) + _HEADER_BYTES + len(TAPAK) < len(data)
            return (TAPAK, primed) if worth else (None, data)
        if LZMA in understood and len(data) > WORTH_IT:
            return LZMA, pack(data)
    if GZIP in understood and len(data) > WORTH_IT:
        return GZIP, gzip.compress(data, 6, mtime=0)
    return None, data


def unpack_from(
    packing: str | None, data: bytes, primer: Primer, limit: int = MAX_REQUEST_BYTES
) -> bytes:
    """Undo `pack_for`, never to more than `limit` bytes; plain where `packing` is None.

    Raises `request-too-large`, `request-malformed`, and `media-type` for a packing not known here.
    """
    if packing is None or packing == "identity":
        return data
    if packing == TAPAK:
        return unpack_primed(data, primer, limit)
    if packing == LZMA:
        return unpack(data, limit)
    if packing == GZIP:
        return inflate(data, limit)
    raise problem("media-type", given=packing, wanted=f"{', '.join(PACKINGS)} or no encoding")


def pack(data: bytes) -> bytes:
    """The message as LZMA."""
    filters = [{**_FILTER, "mode": lzma.MODE_NORMAL, "nice_len": 128, "mf": lzma.MF_BT4}]
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)


def unpack(data: bytes, limit: int = MAX_REQUEST_BYTES) -> bytes:
    """Undo `pack`, never to more than `limit` bytes.

    Raises `request-too-large` and `request-malformed`.
    """
    out, behind = _unpack(data, limit)
    if behind:
        raise _ends_wrongly()
    return out


def pack_primed(data: bytes, primer: Primer) -> bytes | None:
    """The message as `x-tapak-1`; None where it cannot be."""
    taken = take_out(data)
    if taken is None:
        return None
    text, tail = taken
    packed = pack(primer.text + text)
    # Another version of the library may pack the primer otherwise: then this way is not open.
    if not packed.startswith(primer.packed):
        return None
    return packed[len(primer.packed) :] + tail


def unpack_primed(data: bytes, primer: Primer, limit: int = MAX_REQUEST_BYTES) -> bytes:
    """Undo `pack_primed`, never to more than `limit` bytes.

    Raises `request-too-large` and `request-malformed`.
    """
    out, tail = _unpack(primer.packed + data, limit, primer.text)
    return put_back(out, tail, limit)


def _unpack(data: bytes, limit: int, begin: bytes = b"") -> tuple[bytes, bytes]:
    """What was packed behind `begin`, and what stands behind its end."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_FILTER])
    try:
        out = unpacker.decompress(data, len(begin) + limit + 1)
    except lzma.LZMAError as exc:
        raise problem("request-malformed", why="it is not whole LZMA data") from exc
    if len(out) > len(begin) + limit:
        raise problem("request-too-large", limit=limit)
    if not unpacker.eof:
        raise _ends_wrongly()
    if not out.startswith(begin):
        raise problem("request-malformed", why="it does not begin as its packing says")
    return out[len(begin) :], unpacker.unused_data


def _ends_wrongly() -> Problem:
    return problem("request-malformed", why="its LZMA data ends at the wrong place")
