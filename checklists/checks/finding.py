"""A finding about a checklist that loads, and the lines of the file that findings point to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checklists.yaml_lines import Keyed, Listed, Node, Scalar

AMISS, NOTE = "amiss", "note"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is amiss, or worth a note, on a 1-based line of a file, and what to do about it.

    `what` names the kind of finding (docs/authoring.md lists them) and `subject` the item, section,
    language or limit that it is about. `places` are the texts that are missing, where it is that.
    """

    line: int
    rank: str
    what: str
    subject: str
    message: str
    remedy: str
    places: tuple[str, ...] = ()

    def to_json(self, file: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "file": file,
            "line": self.line,
            "rank": self.rank,
            "what": self.what,
            "subject": self.subject,
            "message": self.message,
            "remedy": self.remedy,
        }
        return found | ({"places": list(self.places)} if self.places else {})


class Lines:
    """Where the fields of a file stand; a field that is not there has the line of what lacks it."""

    def __init__(self, root: Node) -> None:
        self._root = root
        sections = _rows(root, "sections")
        self._sections = {_name(row): row for row in sections}
        self._items = {_name(row): row for one in sections for row in _rows(one, "items")}

    def top(self, *path: str) -> int:
        """The line of a field of the file."""
        return _line(self._root, path)

    def section(self, section_id: str, *path: str) -> int:
        """The line of a section, or of a field in it."""
        return _line(self._sections.get(section_id, self._root), path)

    def item(self, item_id: str, *path: str) -> int:
        """The line of an item, or of a field in it; rows of a list go by their id or kind."""
        return _line(self._items.get(item_id, self._root), path)


def counted(numbers: Mapping[str, int]) -> str:
    """Names with their counts, as a sentence lists them: ISL-E1 (4), ISL-E2 (1)."""
    return ", ".join(f"{name} ({count})" for name, count in numbers.items())


def _line(node: Node, path: tuple[str, ...]) -> int:
    line = node.line
    for step in path:
        if isinstance(node, Keyed):
            found = next(((k, v) for k, v in node.entries if k.text == step), None)
            if found is None:
                break
            line, node = found[0].line, found[1]
        elif isinstance(node, Listed):
            row = next((one for one in node.nodes if _name(one) == step), None)
            if row is None:
                break
            line, node = row.line, row
    return line


def _rows(node: Node, field: str) -> tuple[Node, ...]:
    found = node.get(field) if isinstance(node, Keyed) else None
    return found.nodes if isinstance(found, Listed) else ()


def _name(node: Node) -> str:
    for field in ("id", "kind", "what"):
        found = node.get(field) if isinstance(node, Keyed) else None
        if isinstance(found, Scalar):
            return found.text
    return ""
