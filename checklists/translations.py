"""Translations of a part: one file for each language, laid over the texts of the part.

A translation is a draft until a native speaker has reviewed it; which languages are drafts stands
in the composed checklist and is shown. Each item's translation may say of which English it is
(`of`), so that a translation of a text that changed since is noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checklists.fields import Reader
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, nearest

if TYPE_CHECKING:
    from checklists.compose import Part

TRANSLATION_FORMAT = "tapak-translation/1"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
_ID = re.compile(r"  ([A-Za-z][A-Za-z0-9-]*):(?: ?(\{)|\Z)")


@dataclass(frozen=True, slots=True)
class Translation:
    """The texts of one part in one language, by where they belong.

    `texts` maps (item, section or observation id, field, …) to the text; `of` maps an id to the
    mark of the English it was made from. `reviewer` and `date` are empty where it does not say.
    """

    part: str
    language: str
    reviewed: bool
    texts: dict[tuple[str, ...], Scalar]
    of: dict[str, Scalar]
    file: str
    reviewer: str = ""
    date: str = ""


def read_translation(data: bytes, name: str) -> Translation:
    """A translation file read; raises `checklist-malformed` with every fault."""
    reader = Reader(data, name)
    top = reader.fields(
        reader.root,
        "The translation",
        ("format", "part", "language", "reviewed", "texts"),
        ("reviewer", "date"),
    )
    reader.constant(top.get("format"), "format", TRANSLATION_FORMAT)
    language = reader.shaped(
        top.get("language"), "language", _LANGUAGE, "Use a code such as ms or zh-Hant."
    )
    reviewed, reviewer, date = reader.reviewed(top)
    texts: dict[tuple[str, ...], Scalar] = {}
    of: dict[str, Scalar] = {}
    for key, value in reader.pairs(top.get("texts"), "texts"):
        for path, text in _leaves(reader, value, (key.text,)):
            if path[1:] == ("of",):
                of[key.text] = text
            else:
                texts[path] = text
    part = reader.slug(top.get("part"), "part")
    reader.faults.raise_if_any()
    return Translation(part, language, reviewed, texts, of, name, reviewer, date)


def _leaves(
    reader: Reader, node: Node, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    if isinstance(node, Keyed):
        for key, value in node.entries:
            yield from _leaves(reader, value, (*path, key.text))
    elif isinstance(node, Scalar):
        reader.word(node, "/".join(path))
        yield path, node
    else:
        reader.fault(node, f"{'/'.join(path)} is a list.", "Name each text by what it is of.")


def lay_over(part: Part, translation: Translation) -> Part:
    """The part with the translation's texts beside its own.

    Raises `checklist-malformed` naming each text that belongs nowhere in the part, or whose English
    is no longer the one it was made from.
    """
    faults = Faults(translation.file)
    left = dict(translation.texts)

    def add(path: tuple[str, ...], text: Keyed) -> Keyed:
        found = left.pop(path, None)
        if found is None:
            return text
        entries = [(k, v) for k, v in text.entries if k.text != translation.language]
        entries.append((Scalar(0, translation.language), found))
        return replace(text, entries=tuple(entries))

    for one in (*_items(part), *part.sections, *part.observed):
        mark = translation.of.get(_name(one))
        if mark is not None and mark.text != english_mark(one):
            faults.add(
                mark.line,
                f"The English of {_name(one)} changed since it was translated.",
                f"Look at its texts again, then write: of: {english_mark(one)}",
            )
    done = replace(
        part,
        languages=tuple(dict.fromkeys((*part.languages, translation.language))),
        sections=tuple(_section(one, add) for one in part.sections),
        observed=tuple(_texts(one, (_name(one),), add) for one in part.observed),
    )
    known = ["/".join(path) for path in places(part)]
    for path, text in left.items():
        meant = nearest("/".join(path), known)
        faults.add(
            text.line,
            f"The part {part.id} has no text {'/'.join(path)}.",
            f"Write it under {meant}." if meant else "Delete it.",
        )
    faults.raise_if_any()
    return done


def english_texts(part: Part) -> dict[tuple[str, ...], str]:
    """The English texts of the part by where they stand, in the order of its file."""
    found: dict[tuple[str, ...], str] = {}

    def note(path: tuple[str, ...], text: Keyed) -> Keyed:
        found[path] = _english(text)
        return text

    for section in part.sections:
        _section(section, note)
    for one in part.observed:
        _texts(one, (_name(one),), note)
    return found


def places(part: Part) -> list[tuple[str, ...]]:
    """Where the part has texts, in the order of its file: what a full translation fills."""
    return list(english_texts(part))


def english_mark(node: Keyed) -> str:
    """Eight digits that stand for the English texts of an item, section title or observation."""
    texts: list[tuple[tuple[str, ...], str]] = []

    def note(path: tuple[str, ...], text: Keyed) -> Keyed:
        texts.append((path, _english(text)))
        return text

    _texts(_without_items(node), (), note)
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:8]


def stamped(data: bytes, part: Part) -> bytes:
    """The bytes of a translation file with `of` beneath each id of the part that has none.

    A mark that stands there is left alone, also where it is out of date: whoever writes a new one
    says that the texts were looked at again. Ids stand at the beginning of a line, indented by two.
    """
    marks = {
        _name(one): english_mark(one) for one in (*_items(part), *part.sections, *part.observed)
    }
    done: list[str] = []
    lines = data.decode().split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        found = _ID.match(line)
        mark = marks.get(found[1]) if found else None
        if found is None or mark is None or "{of:" in line or following.startswith("    of:"):
            done.append(line)
        elif found[2]:
            done.append(f"  {found[1]}: {{of: {mark}, {line[found.end() :]}")
        else:
            done += [line, f"    of: {mark}"]
    return "\n".join(done).encode()


_Add = Callable[[tuple[str, ...], Keyed], Keyed]


def _section(section: Keyed, add: _Add) -> Keyed:
    bare = _texts(_without_items(section), (_name(section),), add)
    items = section.get("items")
    rows = items.nodes if isinstance(items, Listed) else ()
    done = tuple(_texts(row, (_name(row),), add) if isinstance(row, Keyed) else row for row in rows)
    entries = [*bare.entries]
    at = next((n for n, (k, _) in enumerate(section.entries) if k.text == "items"), len(entries))
    entries.insert(at, (Scalar(0, "items"), Listed(0, done)))
    return replace(section, entries=tuple(entries))


def _texts(node: Keyed, path: tuple[str, ...], add: _Add) -> Keyed:
    """The node with each text in it passed through `add`; a text is a mapping that has `en`."""
    if node.get("en") is not None:
        return add(path, node)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if isinstance(value, Keyed):
            entries.append((key, _texts(value, (*path, key.text), add)))
        elif isinstance(value, Listed):
            rows = tuple(
                _texts(row, (*path, key.text, _name(row)), add) if isinstance(row, Keyed) else row
                for row in value.nodes
            )
            entries.append((key, replace(value, nodes=rows)))
        else:
            entries.append((key, value))
    return replace(node, entries=tuple(entries))


def _items(part: Part) -> Iterator[Keyed]:
    for section in part.sections:
        items = section.get("items")
        if isinstance(items, Listed):
            yield from (row for row in items.nodes if isinstance(row, Keyed))


def _english(text: Keyed) -> str:
    found = text.get("en")
    return found.text if isinstance(found, Scalar) else ""


def _without_items(node: Keyed) -> Keyed:
    return replace(node, entries=tuple((k, v) for k, v in node.entries if k.text != "items"))


def _name(node: Node) -> str:
    """What tells a row from its neighbours: an id, a kind of evidence, what is observed."""
    for field in ("id", "kind", "what"):
        found = node.get(field) if isinstance(node, Keyed) else None
        if isinstance(found, Scalar):
            return found.text
    return ""
