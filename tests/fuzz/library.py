"""Each line of each file of the library deleted, doubled, mistyped in turn, and what comes of it.

What must come of it: a message with file, line and remedy; or a file that means something else now,
and is read so. Never another exception, and never a line that is passed over.
"""

from __future__ import annotations

import dataclasses
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from checklists import published
from checklists.check import Library, check
from checklists.compose import RECIPE_FORMAT, compose, read_part, read_recipe
from checklists.discrepancies.settings_file import load_settings
from checklists.load import load_checklist, load_limits, load_profile
from checklists.sheet_words import english_words, read_words
from checklists.translations import read_translation
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, read_yaml
from sync.problems import Problem

ROOT = Path(published.__file__).parent
HOWS = ("deleted", "doubled", "mistyped")
OUTCOMES = ("refused", "amiss or a note", "read as it now stands", "means the same")
_LETTERS = string.ascii_lowercase + string.digits + ":-,{}[]\"'#"


@dataclass(frozen=True, slots=True)
class Changed:
    """A file of the library with one 1-based line changed."""

    path: Path
    line: int
    how: str
    data: bytes

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def __str__(self) -> str:
        return f"{self.name}:{self.line} {self.how}"


def files() -> list[Path]:
    """Every YAML file of the library."""
    return sorted(ROOT.rglob("*.yaml"))


def changes(path: Path) -> Iterator[Changed]:
    """Every change to a file; what is mistyped depends on the file and the line alone."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for at, line in enumerate(lines[:-1]):
        for how in HOWS:
            new = {"deleted": [], "doubled": [line, line]}.get(how)
            if new is None:
                new = [_mistyped(line, random.Random(f"{path.name} {at}"))]
            text = "\n".join([*lines[:at], *new, *lines[at + 1 :]])
            yield Changed(path, at + 1, how, text.encode())


def _mistyped(line: str, chance: random.Random) -> str:
    """The line with one character dropped, doubled, replaced or swapped with the next, so that it
    is another line.
    """
    places = [n for n, c in enumerate(line) if not c.isspace()]
    if not places:
        return line + chance.choice("x:-")
    typed = line
    while typed == line:
        typed = _slip(line, chance.choice(places), chance)
    return typed


def _slip(line: str, at: int, chance: random.Random) -> str:
    what = chance.choice(("drop", "double", "replace", "swap"))
    if what == "drop":
        return line[:at] + line[at + 1 :]
    if what == "double":
        return line[:at] + line[at] + line[at:]
    if what == "replace":
        return line[:at] + chance.choice(_LETTERS) + line[at + 1 :]
    return line[:at] + line[at + 1 : at + 2] + line[at] + line[at + 2 :]


def outcome(changed: Changed) -> str:
    """One of OUTCOMES; AssertionError where it is none, or a message lacks line or remedy."""
    if changed.path.parent.name == "settings":
        return _of_settings(changed)
    try:
        done = check(changed.data, changed.name, _library())
    except Problem as exc:
        assert exc.code == "checklist-malformed", exc.code
        last = changed.data.count(b"\n") + 1
        assert exc.detail["faults"]
        for fault in exc.detail["faults"]:
            assert fault["message"] and fault["remedy"], fault
            inside = fault["file"] == changed.name and 1 <= fault["line"] <= last
            assert inside or fault["file"] == f"{changed.name} (composed)", fault
        return "refused"
    told = {(f.what, f.subject, f.message) for f in done.findings}
    assert all(f.line >= 1 and f.message and f.remedy for f in done.findings)
    if told - _told_before(changed.path):
        return "amiss or a note"
    if _tree(read_yaml(changed.data, Faults("x"))) == _tree_before(changed.path):
        return "means the same"
    assert _meaning(changed.data) != _meaning_before(changed.path), "a change was passed over"
    return "read as it now stands"


def _of_settings(changed: Changed) -> str:
    try:
        found = load_settings(changed.data, changed.name)
    except Problem as exc:
        assert exc.code == "thresholds-malformed", exc.code
        assert re.search(rf"{re.escape(changed.name)}:\d+", str(exc)), exc
        assert exc.remedy
        return "refused"
    before = load_settings(changed.path.read_bytes(), "x")
    same = {k: v for k, v in found.items() if k != "digest"}
    if same != {k: v for k, v in before.items() if k != "digest"}:
        return "read as it now stands"
    trees = (_tree(read_yaml(changed.data, Faults("x"))), _tree_before(changed.path))
    assert trees[0] == trees[1], "a change was passed over"
    return "means the same"


@cache
def _library() -> Library:
    return Library(published.part_names(), published.part, published.translations())


@cache
def _told_before(path: Path) -> set[tuple[str, str, str]]:
    done = check(path.read_bytes(), path.relative_to(ROOT).as_posix(), _library())
    return {(f.what, f.subject, f.message) for f in done.findings}


@cache
def _tree_before(path: Path) -> Any:
    return _tree(read_yaml(path.read_bytes(), Faults("x")))


@cache
def _meaning_before(path: Path) -> Any:
    return _meaning(path.read_bytes())


def _tree(node: Node) -> Any:
    """What is written, without its lines."""
    if isinstance(node, Keyed):
        return tuple((key.text, _tree(value)) for key, value in node.entries)
    if isinstance(node, Listed):
        return [_tree(one) for one in node.nodes]
    assert isinstance(node, Scalar)
    return node.text


def _meaning(data: bytes) -> Any:
    """What the program takes a file to say."""
    root = read_yaml(data, Faults("x"))
    assert isinstance(root, Keyed)
    said = root.get("format")
    assert isinstance(said, Scalar)
    match said.text:
        case "tapak-part/1":
            part = read_part(data, "x")
            return part.id, part.process, part.languages, part.content
        case "tapak-translation/1":
            one = read_translation(data, "x")
            texts = {path: text.text for path, text in one.texts.items()}
            marks = {name: mark.text for name, mark in one.of.items()}
            review = (one.reviewed, one.reviewer, one.date)
            return one.part, one.language, review, texts, marks
        case "tapak-limits/1":
            # Equal numbers may be written with more zeros, and are shown as they are written.
            return repr(dataclasses.replace(load_limits(data, "x"), digest=""))
        case "tapak-profile/1":
            return dataclasses.replace(load_profile(data, "x"), digest="")
        case "tapak-words/1":
            return read_words(data, "x", english_words())
        case form if form == RECIPE_FORMAT:
            recipe = read_recipe(data, "x", published.part_names())
            return compose(recipe, published.part, published.translations())
    return dataclasses.replace(load_checklist(data, "x"), digest="")
