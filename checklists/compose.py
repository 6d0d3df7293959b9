"""Checklists composed from parts: a recipe names the parts, translations are laid over them.

The result is a whole checklist file (docs/checklist-format.md) that refers to nothing outside
itself; the same sources give the same bytes, and so the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from checklists.conditions import PROCESSES
from checklists.fields import Reader
from checklists.load import read_content
from checklists.model import ObservedItem, Section
from checklists.translations import Translation, lay_over
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, nearest, shown
from checklists.yaml_writer import write_yaml

RECIPE_FORMAT, PART_FORMAT = "tapak-recipe/1", "tapak-part/1"
CHECKLIST_FORMAT = "tapak-checklist/1"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a checklist is composed of; `only` are the item ids to keep, None keeps all.

    `by_process` makes the sections of a part ask only where the facility has declared its process.
    `lines` are the places of the ids in `only`, and `file` where they stand.
    """

    id: str
    version: str
    title: Node
    parts: tuple[str, ...]
    only: tuple[str, ...] | None = None
    by_process: bool = False
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Sections and observations that several checklists share; `process` where it is of one.

    `content` is what its sections and observations mean, in its own languages.
    """

    id: str
    process: str | None
    languages: tuple[str, ...]
    sections: tuple[Keyed, ...]
    observed: tuple[Keyed, ...]
    content: tuple[tuple[Section, ...], tuple[ObservedItem, ...]] = ((), ())


def read_recipe(data: bytes, name: str, known: Sequence[str] | None = None) -> Recipe:
    """A recipe file read; raises `checklist-malformed` with every fault.

    `known` are the parts that there are; one that is not among them is a fault.
    """
    reader = Reader(data, name)
    top = reader.fields(
        reader.root,
        "The recipe",
        ("format", "id", "version", "title", "parts"),
        ("only", "by-process"),
    )
    reader.constant(top.get("format"), "format", RECIPE_FORMAT)
    parts = _words(reader, top.get("parts"), "parts")
    only = _words(reader, top["only"], "only") if "only" in top else None
    recipe = Recipe(
        reader.slug(top.get("id"), "The recipe's id"),
        reader.version(top.get("version"), "version"),
        top.get("title", reader.root),
        tuple(parts),
        None if only is None else tuple(only),
        reader.truth(top.get("by-process"), "by-process"),
        name,
        only or {},
    )
    reader.text(top.get("title"), "The title")
    for one, line in parts.items():
        if known is not None and one and one not in known:
            meant = nearest(one, known)
            every = f"Use one of: {', '.join(known)}."
            reader.faults.add(
                line,
                f"There is no part {shown(one)}.",
                f'Write "{meant}"? {every}' if meant else every,
            )
    reader.faults.raise_if_any()
    return recipe


def read_part(data: bytes, name: str) -> Part:
    """A part file read; raises `checklist-malformed` with every fault.

    Whether what its conditions name is there is seen when the composed file is loaded.
    """
    reader = Reader(data, name)
    top = reader.fields(
        reader.root, "The part", ("format", "id", "languages", "sections", "observed"), ("process",)
    )
    reader.constant(top.get("format"), "format", PART_FORMAT)
    reader.read_languages(top.get("languages"))
    process = None
    if "process" in top:
        process = reader.choice(top["process"], "process", PROCESSES)
    part = Part(
        reader.slug(top.get("id"), "The part's id"),
        process,
        reader.languages,
        _mappings(top.get("sections")),
        _mappings(top.get("observed")),
        read_content(reader, top, is_part=True),
    )
    reader.faults.raise_if_any()
    return part


def compose(
    recipe: Recipe, part: Callable[[str], Part], translations: Iterable[Translation] = ()
) -> bytes:
    """The checklist file that a recipe makes of its parts.

    `part` gives a part by its name and raises `noun-unknown`. Translations of parts that are not
    in it are left out; what is not translated stays without, and falls back to English. An id in
    `only` that none of the parts has is `checklist-malformed`.
    """
    given = list(translations)
    _check_only(recipe, part)
    languages = ["en"]
    drafts: set[str] = set()
    sections: list[Node] = []
    observed: list[Node] = []
    for name in recipe.parts:
        one = part(name)
        mine = [t for t in given if t.part == name]
        drafts |= {t.language for t in mine if not t.reviewed}
        for translation in mine:
            one = lay_over(one, translation)
        languages += [code for code in one.languages if code not in languages]
        sections += _sections(recipe, one)
        observed += one.observed
    fields: list[tuple[str, Node]] = [
        ("format", _word(CHECKLIST_FORMAT)),
        ("id", _word(recipe.id)),
        ("version", _word(recipe.version)),
        ("title", recipe.title),
        ("languages", Listed(0, tuple(_word(code) for code in languages))),
    ]
    if drafts:
        in_order = [code for code in languages if code in drafts]
        fields.append(("drafts", Listed(0, tuple(_word(code) for code in in_order))))
    fields += [("sections", Listed(0, tuple(sections))), ("observed", Listed(0, tuple(observed)))]
    return write_yaml(_mapping(fields))


def several(recipes: Iterable[Recipe], checklist_id: str, version: str, title: Node) -> Recipe:
    """One recipe for a site with several processes: the parts of each, every part once.

    Its sections ask by process. A recipe that keeps only some items brings its parts whole, since
    another one may want the rest.
    """
    parts: dict[str, None] = {}
    for one in recipes:
        parts |= dict.fromkeys(one.parts)
    return Recipe(checklist_id, version, title, tuple(parts), None, by_process=True)


def digest_of(data: bytes) -> str:
    """The name of a composed file: the SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


def _check_only(recipe: Recipe, part: Callable[[str], Part]) -> None:
    if recipe.only is None:
        return
    sections = [section for name in recipe.parts for section in part(name).content[0]]
    have = [item.id for section in sections for item in section.items]
    faults = Faults(recipe.file or f"the recipe {recipe.id}")
    for one in recipe.only:
        if one not in have:
            meant = nearest(one, have)
            faults.add(
                recipe.lines.get(one, 1),
                f"None of the parts has the item {shown(one)}.",
                f'Write "{meant}"?' if meant else "Delete it, or name the part that has it.",
            )
    faults.raise_if_any()


def _sections(recipe: Recipe, part: Part) -> list[Node]:
    kept: list[Node] = []
    for section in part.sections:
        asked = section
        if recipe.only is not None:
            items = section.get("items")
            rows = items.nodes if isinstance(items, Listed) else ()
            wanted = tuple(row for row in rows if _id(row) in recipe.only)
            if not wanted:
                continue
            asked = _with(section, "items", Listed(0, wanted))
        if recipe.by_process and part.process:
            asked = _with(asked, "when", _when(section.get("when"), part.process))
        kept.append(asked)
    return kept


def _when(own: Node | None, process: str) -> Node:
    asked = _mapping([("process", Listed(0, (_word(process),)))])
    return asked if own is None else _mapping([("all", Listed(0, (asked, own)))])


def _id(node: Node) -> str:
    found = node.get("id") if isinstance(node, Keyed) else None
    return found.text if isinstance(found, Scalar) else ""


def _with(node: Keyed, name: str, value: Node) -> Keyed:
    """The mapping with that field set; a new field stands before `items`."""
    entries = [(k, v) for k, v in node.entries if k.text != name]
    at = next((n for n, (k, _) in enumerate(node.entries) if k.text in (name, "items")), 0)
    entries.insert(at, (_word(name), value))
    return replace(node, entries=tuple(entries))


def _word(text: str) -> Scalar:
    return Scalar(0, text)


def _mapping(fields: Iterable[tuple[str, Node]]) -> Keyed:
    return Keyed(0, tuple((_word(name), value) for name, value in fields))


def _words(reader: Reader, node: Node | None, noun: str) -> dict[str, int]:
    """The words of a list and the lines that they stand on."""
    words: dict[str, int] = {}
    for row in reader.rows(node, noun):
        word = reader.word(row, f"A member of {noun}")
        if word in words:
            reader.fault(row, f"{word} stands twice in {noun}.", "Keep one of the two.")
        words.setdefault(word, row.line)
    return words


def _mappings(node: Node | None) -> tuple[Keyed, ...]:
    rows = node.nodes if isinstance(node, Listed) else ()
    return tuple(row for row in rows if isinstance(row, Keyed))
