"""What an import has made so far: sections, items and observations as nodes, lines as places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from checklists.xlsform.book import Cell, Messages, Place
from checklists.xlsform.columns import Record
from checklists.yaml_lines import Keyed, Listed, Node, Scalar, shown

_ITEM_ID = re.compile(r"(?=.{2,24}\Z)[A-Z][A-Z0-9]*(-[A-Z0-9]+)*\Z")
_LINE_OF_NOTHING = 1


class Places:
    """Numbers that stand for places in the workbook, as lines stand for places in a file."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._places: list[Place] = []
        self._lines: dict[Place, int] = {}

    def line(self, place: Place) -> int:
        if place not in self._lines:
            self._places.append(place)
            self._lines[place] = len(self._places)
        return self._lines[place]

    def place(self, line: int) -> Place:
        return self._places[line - 1]

    def scalar(self, cell: Cell) -> Scalar:
        return Scalar(self.line(cell.place), cell.text)

    def text(self, record: Record, name: str) -> Keyed | None:
        """The texts of a record as a checklist holds them, by language; None without any."""
        found = record.texts(name)
        if not found:
            return None
        line = self.line(next(iter(found.values())).place)
        for cell in found.values():
            if "${" in cell.text:
                self._messages.add(
                    cell.place,
                    "assumed",
                    "an answer within a text",
                    f"A form puts an answer into {shown(cell.text)}; a checklist shows it as it "
                    "stands.",
                    "Write the text out in the draft.",
                )
        return Keyed(line, tuple((Scalar(line, c), self.scalar(cell)) for c, cell in found.items()))


@dataclass(slots=True)
class Fields:
    """A mapping under way: its fields in the order in which they are set."""

    line: int
    given: dict[str, Node] = field(default_factory=dict)

    def set(self, name: str, node: Node | None) -> None:
        if node is not None:
            self.given[name] = node

    def word(self, name: str, text: str) -> None:
        self.given[name] = Scalar(self.line, text)

    def node(self, order: Iterable[str] = ()) -> Keyed:
        names = [*(n for n in order if n in self.given), *(n for n in self.given if n not in order)]
        return Keyed(self.line, tuple((Scalar(self.line, n), self.given[n]) for n in names))


ITEM_ORDER = (
    "id",
    "pillar",
    "severity",
    "scale",
    "question",
    "look-at",
    "mistakes",
    "levels",
    "evidence",
    "analytes",
    "instances",
    "when",
    "clauses",
)


@dataclass(slots=True)
class MadeItem:
    """An item under way; `whens` are the cells that say when it is asked, outermost first."""

    id: str
    fields: Fields
    whens: list[Cell]
    pieces: dict[str, Fields] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    analytes: list[Fields] = field(default_factory=list)

    def node(self, when: Keyed | None) -> Keyed:
        for kind, piece in self.pieces.items():
            if self.files[kind] > 1 and "at-least" not in piece.given:
                piece.word("at-least", str(self.files[kind]))
        for name, rows in (("evidence", list(self.pieces.values())), ("analytes", self.analytes)):
            if rows:
                self.fields.set(name, listed(rows))
        self.fields.set("when", when)
        return self.fields.node(ITEM_ORDER)


@dataclass(slots=True)
class MadeSection:
    """A section under way; `whens` are the cells that say when all of it is asked."""

    fields: Fields
    whens: list[Cell]
    items: list[MadeItem] = field(default_factory=list)


def listed(rows: Iterable[Fields]) -> Listed:
    given = list(rows)
    return Listed(given[0].line if given else _LINE_OF_NOTHING, tuple(row.node() for row in given))


def item_id(name: str, taken: Iterable[str]) -> str:
    """The id that a question of that name has as an item: the name itself where it can be one."""
    used = set(taken)
    flat = name if _ITEM_ID.match(name) else re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")
    if not flat[:1].isalpha() or len(flat) < 2:
        flat = f"Q-{flat}".rstrip("-") if flat else "QUESTION"
    return _free(flat[:24].rstrip("-"), used, 24)


def slug(name: str, taken: Iterable[str], stand_in: str) -> str:
    """The id of a section or checklist of that name."""
    flat = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return _free((flat if len(flat) > 1 else stand_in)[:40].rstrip("-"), set(taken), 40)


def _free(name: str, taken: set[str], most: int) -> str:
    found, n = name, 1
    while found in taken:
        n += 1
        found = f"{name[: most - len(str(n)) - 1]}-{n}"
    return found
