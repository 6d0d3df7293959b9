"""Groups that are marked as observations -> what a checklist records without scoring it."""

from __future__ import annotations

from checklists.xlsform.book import Messages
from checklists.xlsform.columns import Record
from checklists.xlsform.lists import Lists
from checklists.xlsform.made import Fields, Places
from checklists.xlsform.questions import leave_out
from checklists.xlsform.types import Type
from checklists.xlsform.when import Subject
from checklists.yaml_lines import Keyed, Node, Scalar
from sync.inspection import SIGNS


class ObservedGroup:
    """An observation under way: a group with its fixed instances, or a repeat without any."""

    def __init__(
        self, record: Record, repeated: bool, lists: Lists, places: Places, messages: Messages
    ) -> None:
        self._lists = lists
        self._places = places
        self._messages = messages
        self._repeated = repeated
        self._what = record.text("tapak::id")
        self._instances: list[tuple[Scalar, Node]] = []
        self._fields = Fields(places.line(record.place))
        own = record.cell("tapak::id")
        self._fields.set("what", places.scalar(own) if own else None)
        self._fields.set("label", places.text(record, "label"))
        unit = record.cell("tapak::unit")
        self._unit = places.scalar(unit) if unit else None

    def row(self, record: Record, kind: Type, role: str, subjects: dict[str, Subject]) -> None:
        """A row of the group; its question is kept for conditions, in `subjects`."""
        question = record.text("name")
        signs = {sign: sign for sign in SIGNS}
        if role == "said":
            subjects[question] = Subject("said", self._what, signs)
        if role in ("said", "name"):
            return
        if role != "observed" or kind.kind not in ("choice", "number"):
            leave_out(
                self._messages,
                record,
                "a question within an observation",
                "An observation holds only what is marked as observed.",
            )
            return
        if kind.kind == "choice":
            self._lists.named(kind.what)
        self._fields.word("type", "sign" if kind.kind == "choice" else "number")
        own = record.cell("tapak::id")
        if self._repeated or own is None:
            return
        text = self._places.text(record, "label")
        if text is not None:
            self._instances.append((self._places.scalar(own), text))
        behind = (("is", question, ""), ("is", question, "unsure"))
        subjects[question] = Subject("observed", f"{self._what}/{own.text}", signs, behind)

    def node(self) -> Keyed:
        self._fields.set("unit", self._unit)
        if not self._repeated:
            self._fields.set("instances", Keyed(self._fields.line, tuple(self._instances)))
        return self._fields.node()
