"""What cannot be guessed is taken out of a message, so that what is left packs well, and put back.

Digests, ids and signatures are random: as hexadecimal or base64 they cost up to twice their bytes,
and the text around them repeats itself better without them. Each leaves a mark of one byte; its
bytes stand behind the text, in order. One that came before leaves its number; a time, how much
later it is than the one before; a `seq`, nothing where it is the next one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from sync.problems import Problem, problem

MOST_KNOWN = 256  # values that a mark of two bytes can call again; further ones stay text
_AGAIN, _TIME, _NEXT, _SEQ = b"\x06", b"\x07", b"\x08", b"\x09"
_FIRST_TIME, _LAST_TIME = 10**12, 2 * 10**12 - 1  # UTC milliseconds of 13 digits that begin with 1
_MARKS = re.compile(rb"[\x01-\x09]")
_VALUES = re.compile(
    rb"([A-Za-z0-9+/]{85}[AQgw]==)|([0-9a-f]{64})"
    rb"|([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    rb"|([0-9a-f]{32})|([a-z2-7]{32})"
    rb"|(?<![0-9])(1[0-9]{12})(?![0-9])|(?<=\"seq\":)([1-9][0-9]{0,9})(?=,)"
)
_TIME_GROUP, _SEQ_GROUP = 6, 7
_UUID = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 16))  # the bytes between its hyphens
_SIZES = (64, 32, 16, 16, 20)
_BYTES: tuple[Callable[[bytes], bytes], ...] = (
    binascii.a2b_base64,
    binascii.unhexlify,
    lambda text: binascii.unhexlify(text.replace(b"-", b"")),
    binascii.unhexlify,
    lambda text: base64.b32decode(text.upper()),
)
_TEXT: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: binascii.b2a_base64(raw, newline=False),
    binascii.hexlify,
    lambda raw: b"-".join(binascii.hexlify(raw[a:b]) for a, b in _UUID),
    binascii.hexlify,
    lambda raw: base64.b32encode(raw).lower(),
)


def take_out(data: bytes) -> tuple[bytes, bytes] | None:
    """The text with marks, and the bytes of what was taken out; None where a mark stands in it."""
    if _MARKS.search(data):
        return None
    known: dict[bytes, int] = {}
    tail = bytearray()
    at = seq = 0

    def mark(found: re.Match[bytes]) -> bytes:
        nonlocal at, seq
        text, kind = found.group(), found.lastindex or 0
        if kind == _TIME_GROUP:
            before, at = at, int(text)
            tail.extend(_varint(_zigzag(at - before)))
            return _TIME
        if kind == _SEQ_GROUP:
            before, seq = seq, int(text)
            if seq == before + 1:
                return _NEXT
            tail.extend(_varint(seq))
            return _SEQ
        if text in known:
            return _AGAIN + bytes((known[text],))
        if len(known) == MOST_KNOWN:
            return text
        known[text] = len(known)
        tail.extend(_BYTES[kind - 1](text))
        return bytes((kind,))

    return _VALUES.sub(mark, data), bytes(tail)


def put_back(text: bytes, tail: bytes, limit: int) -> bytes:
    """Undo `take_out`, never to more than `limit` bytes.

    Raises `request-too-large` and `request-malformed`.
    """
    parts: list[bytes] = []
    known: list[bytes] = []
    size = done = used = at = seq = 0
    for found in _MARKS.finditer(text):
        if found.start() < done:  # the number of a value that is called again
            continue
        part, mark = text[done : found.start()], found.group()
        done = found.end()
        if mark == _AGAIN:
            number = text[done : done + 1]
            done += 1
            if not number or number[0] >= len(known):
                raise _malformed("it calls again what was not there")
            value = known[number[0]]
        elif mark == _TIME:
            number_at, used = _read_varint(tail, used)
            at += _unzigzag(number_at)
            if not _FIRST_TIME <= at <= _LAST_TIME:
                raise _malformed("a time in it is none")
            value = b"%d" % at
        elif mark in (_NEXT, _SEQ):
            step, used = (seq + 1, used) if mark == _NEXT else _read_varint(tail, used)
            seq = step
            value = b"%d" % seq
        else:
            kind = mark[0] - 1
            raw = tail[used : used + _SIZES[kind]]
            used += _SIZES[kind]
            if used > len(tail) or len(known) == MOST_KNOWN:
                raise _malformed("what was taken out of it is not all there")
            value = _TEXT[kind](raw)
            known.append(value)
        parts += (part, value)
        size += len(part) + len(value)
        if size > limit:
            raise problem("request-too-large", limit=limit)
    parts.append(text[done:])
    if size + len(parts[-1]) > limit:
        raise problem("request-too-large", limit=limit)
    if used != len(tail):
        raise _malformed("more was taken out of it than it has marks")
    return b"".join(parts)


def _malformed(why: str) -> Problem:
    return problem("request-malformed", why=why)


def _zigzag(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


def _unzigzag(number: int) -> int:
    return -(number + 1) // 2 if number % 2 else number // 2


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for n in range(8):
        if at + n >= len(data):
            break
        number |= (data[at + n] & 127) << 7 * n
        if data[at + n] < 128:
            return number, at + n + 1
    raise _malformed("a number in it does not end")
