"""The conditions of a form put to the sections and items of its draft, once all are known."""

from __future__ import annotations

from collections.abc import Sequence

from checklists.xlsform.book import Cell, Messages
from checklists.xlsform.made import Places
from checklists.xlsform.survey import Survey
from checklists.xlsform.when import both, read_when
from checklists.xlsform.xpath import NotUnderstood
from checklists.yaml_lines import MAX_DEPTH, Keyed, Listed, Node, Scalar, shown

_MAX_DEPTH = MAX_DEPTH - 5  # what an item stands in: sections and items, each a list
_SECTION_ORDER = ("id", "title", "when", "items")


def with_conditions(survey: Survey, places: Places, messages: Messages) -> Listed:
    """The sections as nodes, with their items and with what says when they are asked."""
    sections: list[Keyed] = []
    for section in survey.sections:
        if not section.items:
            continue
        line = section.fields.line
        section.fields.set("when", _when(section.whens, survey, line, places, messages))
        items = tuple(
            item.node(_when(item.whens, survey, item.fields.line, places, messages))
            for item in section.items
        )
        section.fields.set("items", Listed(line, items))
        sections.append(section.fields.node(_SECTION_ORDER))
    return Listed(1, tuple(sections))


def _when(
    cells: Sequence[Cell], survey: Survey, line: int, places: Places, messages: Messages
) -> Keyed | None:
    found: list[Keyed] = []
    for cell in cells:
        try:
            read = read_when(cell.text, survey.subjects, places.line(cell.place))
        except NotUnderstood as exc:
            messages.add(
                cell.place,
                "left-out",
                "a condition that a checklist cannot hold",
                f"The condition {shown(cell.text)} has no counterpart: {exc}.",
                "The draft asks always; give it a condition of answers, signs or processes.",
            )
            continue
        joined = both([*found, read.node], line)
        if joined is not None and _depth(joined) > _MAX_DEPTH:
            messages.add(
                cell.place,
                "left-out",
                "a condition that a checklist cannot hold",
                f"The condition {shown(cell.text)} is nested deeper than a checklist can be.",
                "Take brackets out of it, or ask in fewer groups within groups.",
            )
            continue
        found.append(read.node)
        if read.asks_more:
            messages.add(
                cell.place,
                "assumed",
                "a condition that asks more often",
                "The form hides this while what it looks at is not answered; a checklist asks it "
                "until an answer says that it does not apply.",
                "Nothing needs doing if that is meant.",
            )
    return both(found, places.line(cells[0].place)) if found else None


def _depth(node: Node) -> int:
    if isinstance(node, Scalar):
        return 0
    inner = node.nodes if isinstance(node, Listed) else [value for _, value in node.entries]
    return 1 + max((_depth(one) for one in inner), default=0)
