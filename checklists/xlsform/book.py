"""A workbook as plain values: sheets of cells that know where they stand, and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sync.problems import Problem, problem

_MAX_MESSAGES = 2_000


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: the sheet, the 1-based row, and the 1-based column (0: the row)."""

    sheet: str
    row: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.sheet}!{letters(self.column)}{self.row}"


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell as it reads, and where it stands.

    `trouble` says why it cannot be taken (a formula, an error value), and is empty otherwise.
    """

    text: str
    place: Place
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet that hold anything, in order; each is its cells by 1-based column."""

    name: str
    rows: tuple[Mapping[int, Cell], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet to be written: its columns in order, and rows that give some of them a text."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Something an author should know about a cell.

    `kind` is `left-out` (has no counterpart), `assumed` (taken, but look at it) or `to-complete`
    (the checklist wants it, and the form does not say). `reason` is a short text to count by.
    """

    place: Place
    kind: str
    reason: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} {self.remedy}".rstrip()


@dataclass(slots=True)
class Messages:
    """The messages about one workbook, in the order in which they were found."""

    found: list[Message] = field(default_factory=list)
    more: int = 0

    def of_kind(self, kind: str) -> list[Message]:
        return [one for one in self.found if one.kind == kind]

    def add(self, place: Place, kind: str, reason: str, message: str, remedy: str) -> None:
        """Note one; past 2,000 of them they are only counted, in `more`."""
        if len(self.found) < _MAX_MESSAGES:
            self.found.append(Message(place, kind, reason, message, remedy))
        else:
            self.more += 1


def malformed(found: Iterable[Message]) -> Problem:
    """The problem `xlsform-malformed`, whose detail lists each message with its cell."""
    given = list(found)
    faults = [
        {
            "at": str(one.place),
            "sheet": one.place.sheet,
            "row": one.place.row,
            "column": letters(one.place.column),
            "reason": one.reason,
            "message": one.message,
            "remedy": one.remedy,
        }
        for one in given
    ]
    return problem("xlsform-malformed", count=len(given), first=str(given[0]), faults=faults)


def fault(place: Place, reason: str, message: str, remedy: str) -> Problem:
    """The problem `xlsform-malformed` for one cell."""
    return malformed([Message(place, "refused", reason, message, remedy)])


def letters(column: int) -> str:
    """A 1-based column as spreadsheets name it: 1 is A, 28 is AB, 0 is nothing."""
    text = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
