"""The sheet survey walked from top to bottom: groups become sections, repeats instances."""

from __future__ import annotations

from dataclasses import dataclass, field

from checklists.xlsform.book import Cell, Messages, fault
from checklists.xlsform.columns import Listing, Record
from checklists.xlsform.form_settings import Heading
from checklists.xlsform.lists import Lists
from checklists.xlsform.made import Fields, MadeItem, MadeSection, Places, slug
from checklists.xlsform.observed import ObservedGroup
from checklists.xlsform.questions import Questions, leave_out, unread
from checklists.xlsform.types import Type, read_type
from checklists.xlsform.when import Subject
from checklists.yaml_lines import Keyed, shown

_MAX_DEPTH = 24


@dataclass(slots=True)
class _Open:
    """A group or repeat whose end has not come yet."""

    record: Record
    what: str  # group, repeat or loop
    role: str
    names: dict[str, Record] = field(default_factory=dict)
    item: MadeItem | None = None  # the last item directly in it: what evidence belongs to
    observed: ObservedGroup | None = None
    held: bool = False  # whether it has an item in it


class Survey:
    """The walk through one survey: what it has made of it stands in the attributes."""

    def __init__(
        self,
        survey: Listing,
        choices: Listing | None,
        heading: Heading,
        places: Places,
        messages: Messages,
    ) -> None:
        self.sections: list[MadeSection] = []
        self.observed: list[Keyed] = []
        self.subjects: dict[str, Subject] = {}
        self.items: dict[str, MadeItem] = {}
        self._survey = survey
        self._heading = heading
        self._places = places
        self._messages = messages
        self._lists = Lists(choices, places, messages)
        self._questions = Questions(self._lists, self.items, self.subjects, places, messages)
        self._root = _Open(Record(heading.place, {}), "group", "")
        self._open: list[_Open] = []
        self._section_of: dict[int, MadeSection] = {}
        self._loose: MadeSection | None = None

    def walk(self) -> None:
        """Walk all rows; raises `xlsform-malformed` for one that cannot be followed."""
        for record in self._survey.records:
            if record.text("disabled").lower() in ("yes", "true", "true()"):
                leave_out(self._messages, record, "a row that is switched off", "")
                continue
            typed = record.cell("type")
            if typed is None:
                leave_out(self._messages, record, "a row without a type", "It has no type.")
                continue
            self._row(record, read_type(typed.text), typed)
        if self._open:
            last = self._open[-1]
            raise fault(
                last.record.place,
                "a group that does not end",
                f"The {last.what} that begins here does not end.",
                f"Add a row of type end_{last.what} after its last question.",
            )
        self._lists.unused()

    def _row(self, record: Record, kind: Type, typed: Cell) -> None:
        if kind.kind == "end":
            self._end(record, kind, typed)
            return
        self._named(record, kind)
        if kind.kind == "begin":
            self._begin(record, kind)
            return
        here = self._open[-1] if self._open else self._root
        role = record.text("tapak::is")
        if here.observed is not None:
            here.observed.row(record, kind, role, self.subjects)
        elif kind.kind in ("choice", "number") and role in ("", "item"):
            self._item(record, kind, here)
        else:
            self._questions.beside(record, kind, role, here.item)

    def _named(self, record: Record, kind: Type) -> None:
        """Hold the row's name against its neighbours: a form has each once in a group."""
        here = self._open[-1] if self._open else self._root
        cell = record.cell("name")
        if cell is None:
            if kind.kind == "none" or (kind.kind == "begin" and kind.what == "group"):
                return
            raise fault(
                record.place,
                "a row without a name",
                "The row has no name.",
                "Give it one, in letters, digits and underscores.",
            )
        before = here.names.setdefault(cell.text.casefold(), record)
        if before is not record:
            first = before.cell("name")
            raise fault(
                cell.place,
                "a name that is there twice",
                f"The name {shown(cell.text)} is there twice in one group; first at "
                f"{first.place if first else before.place}.",
                "Rename one of the two.",
            )

    # -- groups -----------------------------------------------------------------------------------

    def _begin(self, record: Record, kind: Type) -> None:
        role = record.text("tapak::is")
        if len(self._open) >= _MAX_DEPTH:
            raise fault(
                record.place,
                "groups nested too deep",
                f"Groups are nested more than {_MAX_DEPTH} levels deep here.",
                "Take some of them out: a checklist has one level, the section.",
            )
        opened = _Open(record, kind.what, role)
        if role == "observation":
            opened.observed = ObservedGroup(
                record, kind.what == "repeat", self._lists, self._places, self._messages
            )
        self._open.append(opened)
        if role:
            return
        if kind.what == "loop":
            leave_out(self._messages, record, "a loop", "A loop has no counterpart.")
        unread(self._messages, record, ("type", "name", "label", "relevant"))
        if kind.what == "group" and len(self._open) > 1 and (label := record.texts("label")):
            self._messages.add(
                next(iter(label.values())).place,
                "left-out",
                "the title of a group within a group",
                "A section has no sections in it: what is in this group stands in the outer one.",
                "Take the group out of the other one, if it should be a section.",
            )

    def _end(self, record: Record, kind: Type, typed: Cell) -> None:
        if not self._open or self._open[-1].what != kind.what:
            inside = "none is open"
            if self._open:
                last = self._open[-1]
                inside = f"the {last.what} of row {last.record.place.row} is still open"
            raise fault(
                typed.place,
                "an end without its beginning",
                f"A {kind.what} ends here, but {inside}.",
                "Bring each end_… below its own begin_….",
            )
        closed = self._open.pop()
        if closed.observed is not None:
            self.observed.append(closed.observed.node())
            return
        if closed.held and self._open:
            self._open[-1].held = True
        if not closed.held and not closed.role:
            leave_out(
                self._messages,
                closed.record,
                f"a {closed.what} without an item",
                f"Nothing in this {closed.what} has a counterpart.",
            )

    # -- items ------------------------------------------------------------------------------------

    def _item(self, record: Record, kind: Type, here: _Open) -> None:
        repeats = [one for one in self._open if one.what == "repeat"]
        if any(one.what == "loop" for one in self._open):
            leave_out(
                self._messages, record, "a loop", "It is in a loop, which has no counterpart."
            )
            return
        if len(repeats) > 1:
            leave_out(
                self._messages,
                record,
                "a repeat within a repeat",
                "It is in a repeat within a repeat; instances of an item have none of their own.",
            )
            return
        item = self._questions.item(record, kind, bool(repeats))
        if item is None:
            return
        if repeats:
            item.fields.set("instances", self._instances(repeats[0].record))
        section, inner = self._section(record)
        item.whens = [
            *(cell for one in inner if (cell := one.record.cell("relevant"))),
            *item.whens,
        ]
        section.items.append(item)
        here.item = item
        here.held = True

    def _instances(self, record: Record) -> Keyed:
        fields = Fields(self._places.line(record.place))
        fields.set("label", self._places.text(record, "label"))
        least = record.cell("tapak::at-least")
        fields.set("at-least", self._places.scalar(least) if least else None)
        return fields.node()

    def _section(self, record: Record) -> tuple[MadeSection, list[_Open]]:
        """The section that a question here stands in, and what is open within it."""
        at = next((n for n, one in enumerate(self._open) if one.role == "section"), None)
        if at is None and self._open and self._open[0].what == "group" and not self._open[0].role:
            at = 0
        if at is None:
            return self._loose_section(record), self._open
        outer = self._open[at]
        row = outer.record.place.row
        if row not in self._section_of:
            whens = [c for one in self._open[: at + 1] if (c := one.record.cell("relevant"))]
            fields = Fields(self._places.line(outer.record.place))
            name = outer.record.text("tapak::id") or slug(
                outer.record.text("name").removeprefix("section_"), self._ids(), "section"
            )
            own = outer.record.cell("tapak::id")
            fields.set("id", self._places.scalar(own) if own else None)
            if own is None:
                fields.word("id", name)
            fields.set("title", self._places.text(outer.record, "label"))
            self._section_of[row] = MadeSection(fields, whens)
            self.sections.append(self._section_of[row])
        return self._section_of[row], self._open[at + 1 :]

    def _loose_section(self, record: Record) -> MadeSection:
        """The section of the questions that stand in no group: it has the form's title."""
        if self._loose is None:
            place = self._heading.place
            fields = Fields(self._places.line(place))
            fields.word("id", slug("questions", self._ids(), "questions"))
            fields.set("title", self._heading.fields.given.get("title"))
            self._loose = MadeSection(fields, [])
            self.sections.append(self._loose)
            self._messages.add(
                record.place,
                "assumed",
                "questions outside of any group",
                "Questions stand in no group; the draft has a section for them.",
                "Give the section a title of its own.",
            )
        return self._loose

    def _ids(self) -> list[str]:
        ids = (section.fields.given.get("id") for section in self.sections)
        return [getattr(one, "text", "") for one in ids]
