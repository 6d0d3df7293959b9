"""A table of comma-separated values of any size, row by row, in a bounded piece of memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from operator import itemgetter

from checklists.conflict.event import Rejected
from sync.problems import problem

LONGEST_LINE = 1_000_000  # characters
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t"

Fields = tuple[str, ...]


class Table:
    """A table whose header was looked at: `rows` gives the named columns of each row, trimmed.

    UTF-8 and UTF-16 are read, with or without a byte order mark; columns may be parted by commas,
    semicolons or tabs and stand in any order; others may be there. Raises `conflict-header`.
    """

    def __init__(
        self, stream: io.BufferedIOBase, columns: Sequence[str], used: Sequence[str], name: str
    ) -> None:
        self.name = name
        begun = stream.read(4)
        source = io.BufferedReader(_Again(begun, stream), 1 << 16)
        self._text = io.TextIOWrapper(source, _encoding(begun), errors="replace", newline="")
        first = self._line()
        if first.lower().startswith("sep="):
            first = self._line()
        self._delimiter = max(_DELIMITERS, key=first.count)
        header = next(csv.reader([first], delimiter=self._delimiter), [])
        names = [one.strip().lower() for one in header]
        _check(names, columns, name)
        self._width = len(names)
        self._pick = itemgetter(*(names.index(one) for one in used))

    def rows(self) -> Iterator[tuple[int, Fields] | Rejected]:
        """Each row with its number, where the header is row 1, or why it is none.

        A row with nothing in it is passed over. Raises `conflict-file` where a line has no end.
        """
        reader = csv.reader(iter(self._line, ""), delimiter=self._delimiter, strict=True)
        number = 1
        while True:
            number += 1
            try:
                row = next(reader, None)
            except csv.Error as exc:
                yield Rejected(number, f"it cannot be cut into fields: {exc}")
                continue
            if row is None:
                return
            if not any(row):
                continue
            if len(row) == self._width:
                yield number, tuple(one.strip() for one in self._pick(row))
            else:
                yield Rejected(number, f"it has {len(row)} fields, not {self._width}")

    def _line(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            why = f"a line has more than {LONGEST_LINE} characters"
            raise problem("conflict-file", name=self.name, why=why)
        return line


class _Again(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, begun: bytes, stream: io.BufferedIOBase) -> None:
        self._begun = begun
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._begun or self._stream.read(len(buffer))
        self._begun = b""
        buffer[: len(data)] = data
        return len(data)


def _encoding(begun: bytes) -> str:
    for mark, encoding in _BOMS:
        if begun.startswith(mark):
            return encoding
    if len(begun) == 4 and begun[1] == begun[3] == 0:
        return "utf-16-le"
    if len(begun) == 4 and begun[0] == begun[2] == 0:
        return "utf-16-be"
    return "utf-8"


def _check(names: Sequence[str], columns: Sequence[str], name: str) -> None:
    missing = [one for one in columns if one not in names]
    twice = sorted({one for one in columns if names.count(one) > 1})
    if missing:
        why = f"{len(missing)} of {len(columns)} columns are missing: {', '.join(missing[:8])}"
        why += " and others" if len(missing) > 8 else ""
        raise problem("conflict-header", name=name, why=why)
    if twice:
        raise problem("conflict-header", name=name, why=f"columns stand twice: {', '.join(twice)}")
