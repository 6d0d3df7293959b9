"""YAML bytes as a plain tree of lines and texts, and the list of faults found in a file.

Only the quiet part of YAML is taken: mappings, lists and texts. A scalar stays the text that was
written (`no` is the word no, `0.010` keeps its last zero). Anchors, aliases, merge keys, tags,
tabs and duplicate keys are faults.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from sync.problems import problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_FAULTS = 1_000

# libyaml where it is built in: ten times as quick, and a device loads a checklist at each command.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What an editor does not show, or what ends a line for YAML and not for an editor.
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: the 1-based line, what is wrong there, and what to write instead."""

    line: int
    message: str
    remedy: str


class Faults:
    """The faults of one file, gathered while it is read on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: set[Fault] = set()

    def add(self, line: int, message: str, remedy: str) -> None:
        """Note a fault; past MAX_FAULTS of them the file is given up and the problem raised."""
        self._found.add(Fault(line, message, remedy))
        if len(self._found) >= MAX_FAULTS:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise `checklist-malformed` with every fault, in the order of lines, if there is one."""
        if not self._found:
            return
        found = sorted(self._found)
        first = found[0]
        raise problem(
            "checklist-malformed",
            count=len(found),
            first=f"{self.file}:{first.line}: {first.message} {first.remedy}",
            faults=[
                {"file": self.file, "line": f.line, "message": f.message, "remedy": f.remedy}
                for f in found
            ],
        )


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it was written, and its 1-based line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, and the line it begins on."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A mapping in the order of the file, and the line it begins on."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value at `key`, or None."""
        return next((value for k, value in self.entries if k.text == key), None)


Node = Scalar | Listed | Keyed


def shown(text: str) -> str:
    """A given text in quotes, cut short, for use within a message."""
    flat = INVISIBLE.sub("?", " ".join(text.split()))
    return f'"{flat}"' if len(flat) <= 40 else f'"{flat[:39]}…"'


def nearest(given: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that the given one most resembles, if any does."""
    found = difflib.get_close_matches(given[:64], list(allowed), n=1, cutoff=0.6)
    return found[0] if found else None


def read_yaml(data: bytes, faults: Faults, loader: Any = _LOADER) -> Node:
    """The one document in `data` as a tree; raises `checklist-malformed` where it is not one.

    Faults that leave the tree readable (a duplicate key, an anchor) are only noted in `faults`.
    """
    text = _text(data, faults)
    root: Node | None = None
    try:
        root = _Builder(faults).build(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        _not_yaml(faults, mark.line + 1 if mark else 1, getattr(exc, "problem", None))
    except (ValueError, OverflowError) as exc:  # the parser in Python, on an impossible escape
        _not_yaml(faults, 1, str(exc))
    if root is None:
        faults.add(1, "The file is empty.", "Begin it with: format: tapak-checklist/1")
        faults.raise_if_any()
        raise AssertionError("a fault was just noted")
    return root


def _not_yaml(faults: Faults, line: int, why: str | None) -> None:
    faults.add(
        line,
        f"The file cannot be read on from here ({why or 'not YAML'}).",
        "Check indentation, brackets and quotes on this line and the one before; "
        "text that holds a colon goes in quotes.",
    )
    faults.raise_if_any()


def _text(data: bytes, faults: Faults) -> str:
    if len(data) > MAX_BYTES:
        faults.add(
            1,
            f"The file has {len(data)} bytes; the limit is {MAX_BYTES}.",
            "Split it into several checklists.",
        )
        faults.raise_if_any()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        faults.add(line, "A character here is not UTF-8.", "Save the file as UTF-8.")
        faults.raise_if_any()
        raise
    for number, line_text in enumerate(text.split("\n"), start=1):
        body = line_text.removesuffix("\r")
        if "\t" in body:
            faults.add(number, "The line holds a tab.", "Write spaces in its place.")
        if found := INVISIBLE.search(body):
            faults.add(
                number,
                f"The line holds the invisible character U+{ord(found[0]):04X}.",
                "Delete it, or type the line anew.",
            )
    # Tabs change what the indentation means: faults found behind one would be guesses.
    faults.raise_if_any()
    return text


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    keyed: bool
    nodes: list[Node] = field(default_factory=list)


class _Builder:
    """Builds the tree from parser events, without recursion, so that depth is bounded first."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: list[_Open] = []
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            line = event.start_mark.line + 1 if event.start_mark else 1
            match event:
                case yaml.DocumentStartEvent() if self._root is not None:
                    self._faults.add(
                        line, "A second document begins here.", "Put it into a file of its own."
                    )
                    return self._root
                case yaml.ScalarEvent():
                    self._plainness(event, line)
                    self._scalar(line, event.value)
                case yaml.AliasEvent():
                    self._faults.add(
                        line,
                        f"The alias *{event.anchor} stands for text elsewhere.",
                        "Write the text out here.",
                    )
                    self._add(Scalar(line, ""))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._plainness(event, line)
                    self._start(line, isinstance(event, yaml.MappingStartEvent))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    done = self._open.pop()
                    self._add(self._keyed(done) if done.keyed else _listed(done))
                case _:
                    pass
        return self._root

    def _plainness(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._faults.add(
                line, f"The anchor &{event.anchor} is not used here.", "Delete the anchor."
            )
        if event.tag is not None:
            self._faults.add(
                line, f"The tag {shown(event.tag)} is not used here.", "Delete the tag."
            )

    def _scalar(self, line: int, text: str) -> None:
        if INVISIBLE.search(text) or "\t" in text:
            self._faults.add(
                line,
                "The text holds an escape for an invisible character.",
                "Write the characters as they are to be read.",
            )
        self._add(Scalar(line, text))

    def _start(self, line: int, keyed: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._faults.add(
                line,
                f"The file is nested more than {MAX_DEPTH} levels deep.",
                "Flatten it; a long condition can be split over several items.",
            )
            self._faults.raise_if_any()
        self._open.append(_Open(line, keyed))

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self._root = node

    def _keyed(self, done: _Open) -> Keyed:
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        for key, value in zip(done.nodes[::2], done.nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._faults.add(
                    key.line, "A key is a list or a mapping.", "Write a single word as the key."
                )
            elif key.text == "<<":
                self._faults.add(
                    key.line, "Merge keys (<<) are not used here.", "Write the fields out."
                )
            elif key.text in seen:
                self._faults.add(
                    key.line,
                    f"The key {shown(key.text)} stands twice; first on line {seen[key.text]}.",
                    "Keep one of the two.",
                )
            else:
                seen[key.text] = key.line
                entries.append((key, value))
        return Keyed(done.line, tuple(entries))


def _listed(done: _Open) -> Listed:
    return Listed(done.line, tuple(done.nodes))
