"""Checklist files read into values: every fault is named with file, line and remedy.

The format is described in docs/checklist-format.md. `load_limits` and `load_profile`, which read
the tables that go with a checklist, are offered here too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from checklists.condition_reader import Named, check_cycles, check_named, read_condition
from checklists.fields import Reader
from checklists.item_reader import ITEM_OPTIONAL, ITEM_REQUIRED, read_item
from checklists.load_tables import load_limits, load_profile
from checklists.model import Checklist, Condition, Item, ObservedItem, Section, Text
from checklists.yaml_lines import Keyed, Node, Scalar
from sync.log import check_instance

__all__ = ["load_checklist", "load_limits", "load_profile", "read_content"]

FORMAT = "tapak-checklist/1"
_OBSERVED_TYPES = ("sign", "number")
_NAME = re.compile(r"[\w.-]{1,40}\Z")
_WHAT = re.compile(r"[a-z][a-z0-9-]{1,39}\Z")


def load_checklist(data: bytes, name: str) -> Checklist:
    """The checklist in `data`; `name` is the file's name as faults shall show it.

    Raises `checklist-malformed`, whose detail lists every fault as file, line, message and remedy.
    """
    return read_checklist(Reader(data, name), hashlib.sha256(data).hexdigest())


def read_checklist(reader: Reader, digest: str) -> Checklist:
    """The checklist at the reader's root, under that digest; raises `checklist-malformed`."""
    top = reader.fields(
        reader.root,
        "The checklist",
        ("format", "id", "version", "title", "languages", "sections", "observed"),
        ("drafts",),
    )
    reader.constant(top.get("format"), "format", FORMAT)
    reader.read_languages(top.get("languages"))
    drafts = _drafts(reader, top.get("drafts"))
    checklist_id = reader.slug(top.get("id"), "The checklist's id")
    version = reader.version(top.get("version"), "version")
    title = reader.text(top.get("title"), "The title")
    sections, observed = read_content(reader, top)
    reader.faults.raise_if_any()
    return Checklist(
        checklist_id,
        version,
        title,
        reader.languages,
        sections,
        observed,
        digest,
        drafts,
    )


def read_content(
    reader: Reader, top: Mapping[str, Node], *, is_part: bool = False
) -> tuple[tuple[Section, ...], tuple[ObservedItem, ...]]:
    """The fields `sections` and `observed` of a file; what is wrong in them is noted in the reader.

    A part may be without sections, and its conditions may name what another part has: whether any
    has it is seen once they are composed.
    """
    observed = _observed_items(reader, top.get("observed"))
    content = _Content(reader)
    for node in reader.rows(top.get("sections"), "sections", may_be_empty=is_part):
        content.section(node)
    content.check({one.what: one for one in observed}, is_part)
    return tuple(content.sections), observed


def _drafts(reader: Reader, node: Node | None) -> tuple[str, ...]:
    """The languages that are drafts; English, in which the checklist is written, is never one."""
    known = [code for code in reader.languages if code != "en"]
    found: list[str] = []
    for row in reader.rows(node, "drafts"):
        code = reader.choice(row, "A draft language", known) if known else None
        if code is None and not known:
            reader.fault(row, "drafts names a language that is not listed.", "Delete the line.")
        elif code in found:
            reader.fault(row, f"The language {code} stands twice in drafts.", "Keep one.")
        elif code is not None:
            found.append(code)
    return tuple(found)


class _Content:
    """The sections read so far, and what has to be held against the whole of them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.sections: list[Section] = []
        self._items: dict[str, Item] = {}
        self._lines: dict[str, int] = {}
        self._named: list[Named] = []
        self._whens: dict[str, Node] = {}

    def section(self, node: Node) -> None:
        reader = self._reader
        noun = _noun("The section", node)
        got = reader.fields(node, noun, ("id", "title", "items"), ("when",))
        section_id = reader.slug(got.get("id"), f"{noun}: id")
        if section_id in (s.id for s in self.sections):
            reader.fault(node, f"The section {section_id} stands twice.", "Rename one of the two.")
        title = reader.text(got.get("title"), f"{noun}: title")
        when = read_condition(reader, got.get("when"), self._named)
        items: list[Item] = []
        for row in reader.rows(got.get("items"), f"{noun}: items"):
            item = self._item(row, when, got.get("when"))
            if item is not None:
                items.append(item)
        self.sections.append(Section(section_id, title, tuple(items)))

    def _item(
        self, node: Node, section_when: Condition | None, section_node: Node | None
    ) -> Item | None:
        reader = self._reader
        noun = _noun("The item", node)
        got = reader.fields(node, noun, ITEM_REQUIRED, ITEM_OPTIONAL)
        own = read_condition(reader, got.get("when"), self._named)
        item = read_item(reader, node, noun, got, _both(section_when, own))
        if item is None:
            return None
        if item.id in self._items:
            first = self._lines[item.id]
            reader.fault(
                got["id"],
                f"The item id {item.id} stands twice; first on line {first}.",
                "Give one of the two another id.",
            )
            return None
        self._items[item.id] = item
        self._lines[item.id] = got["id"].line
        self._whens[item.id] = got.get("when") or section_node or node
        return item

    def check(self, observed: dict[str, ObservedItem], is_part: bool) -> None:
        named = self._named
        if is_part:
            known = {*self._items, *observed}
            named = [one for one in named if one.subject.partition("/")[0] in known]
        check_named(self._reader, named, self._items, observed)
        check_cycles(self._reader, self._items, self._whens)


def _both(first: Condition | None, second: Condition | None) -> Condition | None:
    """An item of a section with a condition applies when both the section and the item do."""
    if first is None or second is None:
        return first or second
    return Condition("all", args=(first, second))


def _noun(kind: str, node: Node) -> str:
    found = node.get("id") if isinstance(node, Keyed) else None
    if isinstance(found, Scalar) and _NAME.match(found.text):
        return f"{kind} {found.text}"
    return kind


# -- unscored observations ------------------------------------------------------------------------


def _observed_items(reader: Reader, node: Node | None) -> tuple[ObservedItem, ...]:
    found: dict[str, ObservedItem] = {}
    for row in reader.rows(node, "observed", may_be_empty=True):
        got = reader.fields(
            row, "The observation", ("what", "label", "type"), ("unit", "instances")
        )
        what = reader.shaped(
            got.get("what"), "what", _WHAT, "Use small letters, digits and hyphens: headcount."
        )
        noun = f"The observation {what}"
        if what and what in found:
            reader.fault(row, f"{noun} stands twice.", "Join the two, or rename one.")
        label = reader.text(got.get("label"), f"{noun}: label")
        kind = reader.choice(got.get("type"), f"{noun}: type", _OBSERVED_TYPES)
        unit = reader.word(got.get("unit"), f"{noun}: unit")
        if kind == "number" and "unit" not in got:
            reader.fault(row, f"{noun} is a number without a unit.", "Add: unit: …")
        if kind == "sign" and "unit" in got:
            reader.fault(got["unit"], f"{noun} is a sign and has no unit.", "Delete the line.")
        instances = _instances(reader, got.get("instances"), noun)
        found.setdefault(what, ObservedItem(what, label, kind or "sign", unit, instances))
    return tuple(found.values())


def _instances(reader: Reader, node: Node | None, noun: str) -> dict[str, Text] | None:
    if node is None:
        return None
    found: dict[str, Text] = {}
    for key, value in reader.pairs(node, f"{noun}: instances"):
        why = check_instance(key.text)
        if why is not None:
            reader.fault(
                key, f"An instance of {noun[4:]} cannot be part of a path: {why}.", "Rename it."
            )
        found[key.text] = reader.text(value, f"{noun}: {key.text}")
    return found
