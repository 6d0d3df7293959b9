"""NMEA 0183 sentences in a file's bytes, whatever else stands between them.

A sentence begins with $ and ends with a line; comments, AIS messages and binary bytes between are
passed over. The checksum is the exclusive or of all bytes between $ and *; a sentence without one
is taken, as the standard's first version has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import xor

LONGEST = 110  # longer ones are two that ran into each other, each with a part missing

_LINE_END = re.compile(rb"[\r\n]+")
_ADDRESS = re.compile(rb"\$[A-Z]{5}")
_PLAIN = re.compile(rb"[ -#%-~]+\Z")
_SUM = re.compile(rb"\*([0-9A-Fa-f]{2})\s*\Z")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that may be believed: its address (such as GPRMC) and fields, without the sum.

    `fields[0]` is the address; `count` is how many fields are whole: without a checksum the last
    one may have been cut.
    """

    fields: tuple[str, ...]
    count: int

    def __getitem__(self, index: int) -> str:
        return self.fields[index] if index < self.count else ""

    @property
    def address(self) -> str:
        return self.fields[0]


@dataclass(slots=True)
class Tally:
    """How many sentences a file holds: with a five-letter address, and those that are damaged."""

    sentences: int = 0
    damaged: int = 0
    unchecked: int = 0


def sentences(data: bytes, tally: Tally) -> Iterator[Sentence]:
    """The sentences of a file that can be believed, in order; `tally` is counted on the way."""
    start = 0
    for end in _LINE_END.finditer(data):
        yield from _in_line(data[start : end.start()], tally)
        start = end.end()
    yield from _in_line(data[start:], tally)


def _in_line(line: bytes, tally: Tally) -> Iterator[Sentence]:
    counted = _ADDRESS.match(line) is not None
    tally.sentences += counted
    begin = line.rfind(b"$")  # one that is cut short may be followed by the next in the same line
    if begin < 0 or line.startswith(b"#"):
        return
    found = _believed(line[begin:], tally)
    tally.damaged += counted and (found is None or begin > 0)
    if found is not None:
        yield found


def _believed(line: bytes, tally: Tally) -> Sentence | None:
    body = line[1:]
    if not _PLAIN.match(body) or not body[:1].isalpha():
        return None
    told = _SUM.search(body)
    if told is None:
        if b"*" in body:
            return None
        tally.unchecked += 1
        fields = body.decode("ascii").split(",")
        return Sentence(tuple(fields), len(fields) - 1) if len(fields) > 1 else None
    body = body[: told.start()]
    if reduce(xor, body, 0) != int(told.group(1), 16) or len(line) > LONGEST:
        return None
    fields = body.decode("ascii").split(",")
    return Sentence(tuple(fields), len(fields))


def as_number(text: str) -> Decimal | None:
    """A field as a number; None where it is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**9 else None


def whole_number(text: str) -> int:
    """The number that a text begins with, 0 where it begins with none."""
    digits = ""
    for letter in text.strip():
        if not letter.isdecimal() and not (letter == "-" and not digits):
            break
        digits += letter
    return int(digits) if digits not in ("", "-") else 0
