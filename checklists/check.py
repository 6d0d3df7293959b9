"""A file of the shared standard checked: what its loader refuses, and what an author should know.

The file says itself what it is (`format`): a checklist, a part, a recipe, a translation, a limits
table, a profile or a sheet's own words. Parts, recipes and translations are held against the
library that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checklists.checks import beside, weights, words
from checklists.checks.finding import AMISS, NOTE, Finding, Lines
from checklists.checks.reach import can_hold
from checklists.compose import (
    CHECKLIST_FORMAT,
    PART_FORMAT,
    RECIPE_FORMAT,
    Part,
    compose,
    read_part,
    read_recipe,
)
from checklists.load import load_checklist
from checklists.load_tables import LIMITS_FORMAT, PROFILE_FORMAT, load_limits, load_profile
from checklists.model import Checklist, Item, Limits, Text
from checklists.sheet_words import WORDS_FORMAT, english_words, read_words
from checklists.translations import (
    TRANSLATION_FORMAT,
    Translation,
    lay_over,
    places,
    read_translation,
)
from checklists.yaml_lines import Faults, Keyed, Node, Scalar, nearest, read_yaml, shown

__all__ = ["AMISS", "NOTE", "Checked", "Finding", "Library", "check"]

FORMATS = (
    CHECKLIST_FORMAT,
    PART_FORMAT,
    RECIPE_FORMAT,
    TRANSLATION_FORMAT,
    LIMITS_FORMAT,
    PROFILE_FORMAT,
    WORDS_FORMAT,
)


@dataclass(frozen=True, slots=True)
class Library:
    """What a file is held against: the parts that there are, and their translations.

    `tables` are the limits whose gaps are told; `others` are checklists that may use a table, too.
    """

    part_names: Sequence[str]
    part: Callable[[str], Part]
    translations: Sequence[Translation]
    tables: Sequence[Limits] = ()
    others: Sequence[Checklist] = ()

    def items(self) -> Iterator[Item]:
        """Every item of the parts and of the other checklists."""
        for name in self.part_names:
            for section in self.part(name).content[0]:
                yield from section.items
        for checklist in self.others:
            yield from (item for _, item in checklist.items())


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, and the file that its lines are of: for a recipe, the one it composes to."""

    kind: str
    file: str
    findings: tuple[Finding, ...]


def check(data: bytes, name: str, library: Library) -> Checked:
    """The findings about a file, in the order of lines; `name` is the file's name as shown.

    Raises `checklist-malformed` with every fault, where the file's loader refuses it.
    """
    faults = Faults(name)
    root = read_yaml(data, faults)
    kind = _kind(root, faults)
    lines = Lines(root)
    match kind:
        case "tapak-part/1":
            found = _part(data, name, lines, library)
        case "tapak-recipe/1":
            found = _recipe(data, name, library)
        case "tapak-translation/1":
            found = _translation(data, name, lines, library)
        case "tapak-limits/1":
            table = load_limits(data, name)
            found = [
                *weights.unused_limits(table, library.items(), lines),
                *weights.verified_unsaid(root, table, lines),
            ]
        case "tapak-profile/1":
            found = list(weights.pillar_weights(load_profile(data, name), lines))
        case "tapak-words/1":
            found = _words(data, name, lines)
        case _:
            found = _checklist(load_checklist(data, name), lines, library.tables)
    file = f"{name} (composed)" if kind == RECIPE_FORMAT else name
    return Checked(kind, file, tuple(sorted(found)))


def _kind(root: Node, faults: Faults) -> str:
    node = root.get("format") if isinstance(root, Keyed) else None
    text = node.text if isinstance(node, Scalar) else ""
    if text not in FORMATS:
        meant = nearest(text, FORMATS) or CHECKLIST_FORMAT
        what = f"format {shown(text)} is not known here." if text else "The file lacks its format."
        faults.add(
            node.line if node else root.line,
            what,
            f"Write: format: {meant}; known are {', '.join(FORMATS)}.",
        )
        faults.raise_if_any()
    return text


def _checklist(checklist: Checklist, lines: Lines, tables: Sequence[Limits]) -> list[Finding]:
    return [
        *_content(checklist, lines),
        *words.missing_translations(checklist, lines),
        *words.drafts(checklist, lines),
        *weights.pillars_without_items(checklist, lines),
        *weights.gaps(checklist, tables, lines),
    ]


def _content(checklist: Checklist, lines: Lines) -> Iterable[Finding]:
    """What can be said of sections and items wherever they stand."""
    items = {item.id: item for _, item in checklist.items()}
    yield from words.questions(checklist, lines)
    for section in checklist.sections:
        yield from weights.section_weights(section, lines)
        for item in section.items:
            yield from _reach(item, section.id, items, lines)
            yield from words.levels(item, lines)
            yield from words.guidance(item, lines)
            yield from weights.evidence(item, lines)


def _reach(item: Item, section: str, items: Mapping[str, Item], lines: Lines) -> Iterable[Finding]:
    if item.condition is None:
        return
    line = lines.item(item.id, "when")
    if line == lines.item(item.id):
        line = lines.section(section, "when")
    if not can_hold(item.condition, items):
        yield Finding(
            line,
            AMISS,
            "unreachable",
            item.id,
            f"{item.id} is never asked: what its condition wants cannot all be so at once.",
            "Change the item's when, or the when of its section or of the items it looks at.",
        )
    elif not can_hold(item.condition, items, wanted=False):
        yield Finding(
            line,
            NOTE,
            "always-asked",
            item.id,
            f"The condition of {item.id} always holds.",
            "Delete it, or write what it is to tell apart.",
        )


def _part(data: bytes, name: str, lines: Lines, library: Library) -> list[Finding]:
    part = read_part(data, name)
    sections, observed = part.content
    whole = Checklist(part.id, "", Text({"en": part.id}), part.languages, sections, observed, "")
    others = [library.part(one).content for one in library.part_names if one != part.id]
    contents = [part.content, *others]
    items = {item.id: item for content in contents for s in content[0] for item in s.items}
    seen = {one.what: one for content in contents for one in content[1]}
    return [
        *_content(whole, lines),
        *_in_languages(whole, lines),
        *beside.unknown_names(part, items, seen, lines),
        *beside.stale_translations(part, library.translations, lines),
    ]


def _in_languages(whole: Checklist, lines: Lines) -> Iterable[Finding]:
    return words.missing_translations(whole, lines) if len(whole.languages) > 1 else ()


def _recipe(data: bytes, name: str, library: Library) -> list[Finding]:
    recipe = read_recipe(data, name, library.part_names)
    composed = compose(recipe, library.part, library.translations)
    shown_as = f"{name} (composed)"
    lines = Lines(read_yaml(composed, Faults(shown_as)))
    return _checklist(load_checklist(composed, shown_as), lines, library.tables)


def _translation(data: bytes, name: str, lines: Lines, library: Library) -> list[Finding]:
    done = read_translation(data, name)
    if done.part not in library.part_names:
        faults = Faults(name)
        meant = nearest(done.part, library.part_names)
        every = f"Use one of: {', '.join(library.part_names)}."
        faults.add(
            lines.top("part"),
            f"There is no part {shown(done.part)}.",
            f'Write "{meant}"? {every}' if meant else every,
        )
        faults.raise_if_any()
        return []
    part = library.part(done.part)
    lay_over(part, done)
    every_place = places(part)
    missing = ["/".join(path) for path in every_place if path not in done.texts]
    found = _missing(lines, done.language, f"the part {part.id}", missing, len(every_place))
    unmarked = sorted({path[0] for path in done.texts} - set(done.of))
    if unmarked:
        found.append(
            Finding(
                lines.top("texts"),
                NOTE,
                "no-mark",
                done.language,
                f"{len(unmarked)} ids say not of which English they are (of): "
                f"{', '.join(unmarked[:8])}.",
                "Run: tapak checklist stamp FILE.",
            )
        )
    return [*found, *_draft(lines, done.language, done.reviewed)]


def _words(data: bytes, name: str, lines: Lines) -> list[Finding]:
    done = read_words(data, name, english_words())
    missing = [key for key in english_words() if key not in done.words]
    found = _missing(lines, done.language, "the sheet", missing, len(english_words()), "words")
    return [*found, *_draft(lines, done.language, done.reviewed)]


def _missing(
    lines: Lines,
    language: str,
    where: str,
    missing: Sequence[str],
    every: int,
    field: str = "texts",
) -> list[Finding]:
    if not missing:
        return []
    return [
        Finding(
            lines.top(field),
            NOTE,
            "missing-translation",
            language,
            f"{language}: {len(missing)} of {every} {field} of {where} are missing and fall back "
            "to English.",
            "Translate them.",
            tuple(missing),
        )
    ]


def _draft(lines: Lines, language: str, reviewed: bool) -> list[Finding]:
    if reviewed:
        return []
    return [
        Finding(
            lines.top("reviewed"),
            NOTE,
            "draft-language",
            language,
            f"{language}: no native speaker has reviewed it; every page says so.",
            "Have it reviewed, then write reviewed: true, reviewer and date.",
        )
    ]
