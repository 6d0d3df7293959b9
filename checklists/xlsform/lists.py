"""The sheet choices: the lists that questions choose from."""

from __future__ import annotations

from dataclasses import dataclass

from checklists.xlsform.book import Messages, fault
from checklists.xlsform.columns import Listing, Record
from checklists.xlsform.made import Places
from checklists.xlsform.types import Type
from checklists.yaml_lines import nearest, shown

_NEAR = 200  # lists among which a name is looked for that may have been meant
_READ = ("list_name", "name", "label")


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a list: its name, and its row."""

    name: str
    record: Record


class Lists:
    """The lists by name; which of them questions used is noted."""

    def __init__(self, choices: Listing | None, places: Places, messages: Messages) -> None:
        self._places = places
        self._messages = messages
        self._lists: dict[str, list[Record]] = {}
        self._used: set[str] = set()
        for record in choices.records if choices else ():
            cell = record.cell("list_name")
            if cell is None:
                messages.add(
                    record.place,
                    "left-out",
                    "a choice of no list",
                    "The row names no list.",
                    "Write the name of its list into the column list_name, or delete the row.",
                )
            else:
                self._lists.setdefault(cell.text, []).append(record)

    def named(self, name: str) -> list[Choice]:
        """The choices of a list; a choice without a name, or one that is there twice, is a fault.

        Raises `xlsform-malformed`.
        """
        found: dict[str, Choice] = {}
        new = name not in self._used
        self._used.add(name)
        for record in self._lists.get(name, ()):
            cell = record.cell("name") or record.cell("value")
            if cell is None:
                raise fault(
                    record.place,
                    "a choice without a name",
                    f"A choice of the list {shown(name)} has no name.",
                    "Write one into the column name.",
                )
            if cell.text in found:
                first = found[cell.text].record.place
                raise fault(
                    cell.place,
                    "a choice that is there twice",
                    f"The list {shown(name)} has the choice {shown(cell.text)} twice; first in row "
                    f"{first.row}.",
                    "Rename one of the two.",
                )
            found[cell.text] = Choice(cell.text, record)
            if new:
                self._unread(record)
        return list(found.values())

    def of(self, record: Record, kind: Type) -> list[Choice] | None:
        """The choices that a question has, or None after a message."""
        typed = record.cell("type")
        place = typed.place if typed else record.place
        if kind.what not in self._lists:
            near = nearest(kind.what, [*self._lists][:_NEAR])
            self._messages.add(
                place,
                "left-out",
                "a list that is not there",
                f"The sheet choices has no list {shown(kind.what)}.",
                f"Write {shown(near)}?" if near else "Add the list to the sheet choices.",
            )
            return None
        if cell := record.cell("choice_filter"):
            self._messages.add(
                cell.place,
                "left-out",
                "choices that depend on another answer",
                "Which choices there are depends on another answer; the levels of an item do not.",
                "Ask one question for each set of choices, with a relevant.",
            )
            return None
        choices = self.named(kind.what)
        if kind.or_other:
            self._messages.add(
                place,
                "left-out",
                "or_other",
                "An answer of one's own (or_other) has no counterpart.",
                "An auditor writes a note beside the level.",
            )
        return choices

    def unused(self) -> None:
        """Say of each list that no question chose from that it has no counterpart."""
        for name, records in self._lists.items():
            if name in self._used:
                continue
            self._messages.add(
                records[0].place,
                "left-out",
                "a list that no item uses",
                f"No item chooses from the list {shown(name)}.",
                "Nothing needs doing if the checklist goes without it.",
            )

    def _unread(self, record: Record) -> None:
        for (field, _), cell in record.cells.items():
            if field in _READ or field == "value":
                continue
            self._messages.add(
                cell.place,
                "left-out",
                f"the column {field} of choices",
                f"What the column {field} says of a choice has no counterpart: {shown(cell.text)}",
                "Nothing needs doing if the checklist goes without it.",
            )
