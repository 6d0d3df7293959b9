"""Questions of a form -> items of a draft, their readings and their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checklists.xlsform import names
from checklists.xlsform.book import Cell, Messages, Place
from checklists.xlsform.columns import Record
from checklists.xlsform.lists import Choice, Lists
from checklists.xlsform.made import Fields, MadeItem, Places, item_id
from checklists.xlsform.types import Type
from checklists.xlsform.when import Subject, Test
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, read_yaml, shown
from sync.inspection import LEVELS, SPECIALS
from sync.problems import Problem

MET_OR_NOT = (LEVELS[0], LEVELS[-1])
_OWN_ITEM = ("pillar", "severity", "scale")
_OWN_READING = ("unit", "limit-from", "upper", "lower", "exact")
_ITEM_COLUMNS = ("type", "name", "label", "hint", "guidance_hint", "relevant")
_GENERATED = ("reason", "second", "name", "uncertainty", "process", "exposure")


class Questions:
    """Makes items of questions; what they are called is kept for conditions, in `subjects`."""

    def __init__(
        self,
        lists: Lists,
        items: dict[str, MadeItem],
        subjects: dict[str, Subject],
        places: Places,
        messages: Messages,
    ) -> None:
        self._lists = lists
        self._items = items
        self._subjects = subjects
        self._places = places
        self._messages = messages
        self._of_question: dict[str, MadeItem] = {}

    # -- items ------------------------------------------------------------------------------------

    def item(self, record: Record, kind: Type, repeated: bool) -> MadeItem | None:
        """The item that a question is, or None after a message why there is none."""
        choices: list[Choice] = []
        values: dict[str, str] = {}
        levels: dict[str, Choice] = {}
        scale = record.text("tapak::scale")
        if kind.kind == "choice":
            found = self._lists.of(record, kind)
            if found is None:
                return None
            choices = found
            specials = [one for one in choices if one.name in SPECIALS]
            rest = [one for one in choices if one.name not in SPECIALS]
            values = {one.name: one.name for one in specials}
            if scale != "readings":
                chosen = self._levels(record, rest)
                if chosen is None:
                    return None
                levels = chosen
                values |= {choice.name: level for level, choice in levels.items()}
                scale = scale or ("levels" if len(levels) > 2 else "met-or-not")
            else:
                values |= {level: level for level in LEVELS}
        item = self._start(record, scale if kind.kind == "choice" else "readings")
        if levels:
            item.fields.set("levels", self._level_node(record, levels))
        if kind.kind == "number":
            item.analytes.append(self._analyte(record, "value"))
        self._subject(record, item, values, scale == "readings")
        if record.text("tapak::is") == "":
            unread(
                self._messages,
                record,
                (
                    *_ITEM_COLUMNS,
                    *(f"tapak::{one}" for one in (*_OWN_ITEM, *_OWN_READING)),
                    "tapak::clauses",
                    "tapak::id",
                ),
            )
        return item

    def _start(self, record: Record, scale: str) -> MadeItem:
        line = self._places.line(record.place)
        name = record.cell("name") or Cell("", record.place)
        made = item_id(name.text, self._items)
        if made != name.text:
            self._messages.add(
                name.place,
                "assumed",
                "an id made of a name",
                f"As an item, the question {shown(name.text)} has the id {made}.",
                "Write another id into the draft if you wish.",
            )
        fields = Fields(line)
        fields.set("id", Scalar(self._places.line(name.place), made))
        for field in ("pillar", "severity"):
            cell = record.cell(f"tapak::{field}")
            fields.set(field, self._places.scalar(cell) if cell else None)
        own = record.cell("tapak::scale")
        fields.set("scale", self._places.scalar(own) if own else Scalar(line, scale))
        fields.set("question", self._places.text(record, "label"))
        fields.set("look-at", self._places.text(record, "hint"))
        fields.set("mistakes", self._places.text(record, "guidance_hint"))
        fields.set("clauses", self._clauses(record.cell("tapak::clauses")))
        relevant = record.cell("relevant")
        item = MadeItem(made, fields, [relevant] if relevant else [])
        self._items[made] = item
        self._of_question[name.text] = item
        return item

    def _subject(
        self, record: Record, item: MadeItem, values: dict[str, str], readings: bool
    ) -> None:
        question = record.text("name")
        if question in self._subjects:  # in another group: a reference to it would be a guess
            del self._subjects[question]
            return
        behind: list[Test] = [("is", question, ""), *(("is", question, h) for h in names.HIDING)]
        if readings:
            behind.append(("is", question, names.READINGS))
        self._subjects[question] = Subject("answer", item.id, values, tuple(behind))

    def _levels(self, record: Record, choices: list[Choice]) -> dict[str, Choice] | None:
        """Which choice is which level; None after a message."""
        by_name = {one.name: one for one in choices}
        if set(by_name) <= set(LEVELS):
            return {level: by_name[level] for level in LEVELS if level in by_name}
        if len(choices) not in (2, 4):
            leave_out(
                self._messages,
                record,
                "a list of neither two nor four choices",
                f"Its list has {len(choices)} choices; a scale has four levels, or two.",
            )
            return None
        wanted = LEVELS if len(choices) == 4 else MET_OR_NOT
        told = ", ".join(f"{c.name} as {level}" for c, level in zip(choices, wanted, strict=True))
        typed = record.cell("type")
        self._messages.add(
            typed.place if typed else record.place,
            "assumed",
            "choices taken as levels in their order",
            f"The choices were taken in their order, the best first: {told}.",
            "Swap the texts in the draft where the first is not the best.",
        )
        return dict(zip(wanted, choices, strict=True))

    def _level_node(self, record: Record, levels: dict[str, Choice]) -> Keyed:
        line = self._places.line(record.place)
        entries: list[tuple[Scalar, Node]] = []
        for level, choice in levels.items():
            text = self._places.text(choice.record, "label")
            if text is not None:
                entries.append((Scalar(self._places.line(choice.record.place), level), text))
        return Keyed(line, tuple(entries))

    def _clauses(self, cell: Cell | None) -> Node | None:
        """The list in the cell, in the notation of a checklist file."""
        if cell is None:
            return None
        line = self._places.line(cell.place)
        faults = Faults("clauses")
        try:
            node = read_yaml(cell.text.encode(), faults)
            faults.raise_if_any()
        except Problem as exc:
            for one in exc.detail["faults"]:
                self._left(cell.place, "clauses that cannot be read", one["message"], one["remedy"])
            return None
        return at_line(node, line)

    # -- what stands beside an item ---------------------------------------------------------------

    def beside(self, record: Record, kind: Type, role: str, item: MadeItem | None) -> None:
        """A question that is no item: a reading, evidence, or what a form needs and nobody else."""
        question = record.text("name")
        if role == "process":
            behind: tuple[Test, ...] = (("is", question, ""),)
            values = {one.name: one.name for one in self._lists.named(names.PROCESS)}
            self._subjects[question] = Subject("process", "", values, behind)
        elif role == "exposure":
            self._subjects[question] = Subject("exposure", "", {}, (("is", question, ""),))
        if role in _GENERATED:
            return
        named = record.cell("tapak::of")
        if named is not None:
            item = self._items.get(named.text) or self._of_question.get(named.text)
            if item is None:
                self._left(
                    named.place,
                    "evidence that belongs to no item",
                    f"{shown(named.text)} is no item above this row.",
                    "Write the name of an item above it.",
                )
                return
        if kind.kind == "number" and role == "reading" and item is not None:
            item.analytes.append(self._analyte(record, ""))
        elif kind.kind == "file" and role in ("", "evidence"):
            self._evidence(record, kind, role, item)
        elif kind.kind == "none":
            reason = kind.what.partition(":")[0]
            leave_out(self._messages, record, reason, f"This is {kind.what}.", kind.remedy)
        else:
            leave_out(
                self._messages,
                record,
                "a row that says to be what it cannot be here",
                f"A row of this type cannot be {shown(role)} here.",
            )

    def _analyte(self, record: Record, stand_in: str) -> Fields:
        fields = Fields(self._places.line(record.place))
        own = record.cell("tapak::id")
        if own is not None:
            fields.set("id", self._places.scalar(own))
        else:
            flat = re.sub(r"[^A-Za-z0-9.-]+", "-", record.text("name")).strip("-.")[:32]
            fields.word("id", flat if flat[:1].isalpha() and not stand_in else stand_in or "value")
        fields.set("label", self._places.text(record, "label"))
        for name in _OWN_READING:
            cell = record.cell(f"tapak::{name}")
            fields.set(name, self._places.scalar(cell) if cell else None)
        return fields

    def _evidence(self, record: Record, kind: Type, role: str, item: MadeItem | None) -> None:
        if item is None:
            leave_out(
                self._messages,
                record,
                "evidence that belongs to no item",
                "It is evidence, and no item stands before it.",
                "Put it behind its item, or name the item in a column tapak::of.",
            )
            return
        stated = record.cell("tapak::kind")
        what = stated.text if stated else kind.what
        item.files[what] = item.files.get(what, 0) + 1
        if not role:
            unread(
                self._messages,
                record,
                (
                    "type",
                    "name",
                    "label",
                    "tapak::of",
                    "tapak::kind",
                    "tapak::weight",
                    "tapak::at-least",
                ),
            )
        if what in item.pieces:
            return
        if not role and record.cell("tapak::of") is None:
            self._messages.add(
                record.place,
                "assumed",
                "evidence taken for the item before it",
                f"It was taken as evidence ({what}) for the item {item.id}.",
                "Move it in the draft if it belongs to another one.",
            )
        fields = Fields(self._places.line(record.place))
        fields.set("kind", self._places.scalar(stated) if stated else Scalar(fields.line, what))
        for name in ("weight", "at-least"):
            cell = record.cell(f"tapak::{name}")
            fields.set(name, self._places.scalar(cell) if cell else None)
        fields.set("hint", self._places.text(record, "hint" if role else "label"))
        item.pieces[what] = fields

    def _left(self, place: Place, reason: str, message: str, remedy: str) -> None:
        self._messages.add(place, "left-out", reason, message, remedy)


def at_line(node: Node, line: int) -> Node:
    """The node with that line on all of it."""
    if isinstance(node, Scalar):
        return Scalar(line, node.text)
    if isinstance(node, Listed):
        return Listed(line, tuple(at_line(one, line) for one in node.nodes))
    return Keyed(line, tuple((Scalar(line, k.text), at_line(v, line)) for k, v in node.entries))


def leave_out(
    messages: Messages, record: Record, reason: str, message: str, remedy: str = ""
) -> None:
    """Say that a row has no counterpart, at the cell of its type."""
    typed = record.cell("type")
    what = f" ({shown(typed.text)})" if typed else ""
    messages.add(
        typed.place if typed else record.place,
        "left-out",
        reason,
        f"The row{what} has no counterpart. {message}".rstrip(),
        remedy or "Nothing needs doing if the checklist goes without it.",
    )


def unread(messages: Messages, record: Record, read: Iterable[str]) -> None:
    """Say of each other cell of the row that its column has no counterpart."""
    known = frozenset(read)
    for (field, _), cell in record.cells.items():
        if field in known:
            continue
        messages.add(
            cell.place,
            "left-out",
            f"the column {field}",
            f"What the column {field} says here has no counterpart: {shown(cell.text)}",
            "Nothing needs doing if the checklist goes without it.",
        )
