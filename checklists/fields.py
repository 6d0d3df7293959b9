"""Typed values read from YAML nodes; what does not fit becomes a fault with a remedy.

After a fault a reader goes on with a stand-in, so that one reading finds every fault of the file.
The stand-ins never leave the loader: a file with faults yields no checklist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from checklists.model import Text
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, nearest, read_yaml, shown
from sync.inspection import is_decimal

MAX_TEXT = 2_000
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,39}\Z")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,19}\Z")
_WHOLE = re.compile(r"(0|[1-9][0-9]{0,8})\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class Reader:
    """Reads one file: its tree, the faults found so far, and the languages it has listed.

    The file may be given as a tree that was made otherwise; its lines then mean what they meant
    to whoever made it.
    """

    def __init__(self, data: bytes | Node, name: str) -> None:
        self.faults = Faults(name)
        self.root = read_yaml(data, self.faults) if isinstance(data, bytes) else data
        self.languages: tuple[str, ...] = ()  # empty: not listed, or not listed rightly

    def fault(self, node: Node, message: str, remedy: str) -> None:
        self.faults.add(node.line, message, remedy)

    # -- mappings and lists -----------------------------------------------------------------------

    def fields(
        self, node: Node | None, noun: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> dict[str, Node]:
        """The fields of a mapping by name. Unknown and missing ones are faults; a misspelt one is
        read on under the name that was probably meant.
        """
        if node is None:
            return {}
        if not isinstance(node, Keyed):
            known = ", ".join(required or optional)
            self.fault(
                node, f"{noun} is not a mapping of fields.", f"Write it with the fields: {known}."
            )
            return {}
        allowed = (*required, *optional)
        written = {key.text for key, _ in node.entries}
        got: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in allowed:
                got[key.text] = value
                continue
            meant = nearest(key.text, (a for a in allowed if a not in written))
            self.fault(
                key,
                f"{noun} has no field {shown(key.text)}.",
                f'Write "{meant}".' if meant else f"Use one of: {', '.join(allowed)}.",
            )
            if meant:
                got.setdefault(meant, value)
        for name in required:
            if name not in got:
                self.fault(node, f"{noun} lacks the field {name}.", f"Add: {name}: …")
        return got

    def rows(self, node: Node | None, noun: str, *, may_be_empty: bool = False) -> tuple[Node, ...]:
        """The members of a list."""
        if node is None:
            return ()
        if not isinstance(node, Listed):
            self.fault(node, f"{noun} is not a list.", 'Begin each member with "- ".')
            return ()
        if not node.nodes and not may_be_empty:
            self.fault(node, f"{noun} is an empty list.", "Name at least one member.")
        return node.nodes

    def pairs(self, node: Node | None, noun: str) -> tuple[tuple[Scalar, Node], ...]:
        """The entries of a mapping whose keys are names of its own."""
        if node is None:
            return ()
        if not isinstance(node, Keyed) or not node.entries:
            self.fault(node, f"{noun} is not a mapping with something in it.", "Write: name: value")
            return ()
        return node.entries

    # -- scalars ----------------------------------------------------------------------------------

    def word(self, node: Node | None, noun: str) -> str:
        """A short text that is not shown per language: an id, a unit, a source."""
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.fault(node, f"{noun} is not a single text.", "Write one text after the colon.")
            return ""
        if not node.text.strip():
            self.fault(node, f"{noun} is empty.", "Write it after the colon.")
        if len(node.text) > MAX_TEXT:
            self.fault(
                node,
                f"{noun} has {len(node.text)} characters; the limit is {MAX_TEXT}.",
                "Shorten it.",
            )
        return node.text

    def shaped(
        self, node: Node | None, noun: str, shape: re.Pattern[str], remedy: str, stand_in: str = ""
    ) -> str:
        """A text of a given shape; `remedy` describes the shape."""
        text = self.word(node, noun)
        if node is None or shape.match(text):
            return text or stand_in
        if text.strip():
            self.fault(node, f"{noun} {shown(text)} does not have the right form.", remedy)
        return stand_in

    def slug(self, node: Node | None, noun: str) -> str:
        return self.shaped(
            node, noun, _SLUG, "Use 2 to 40 small letters, digits and hyphens, such as rare-earth."
        )

    def version(self, node: Node | None, noun: str) -> str:
        return self.shaped(
            node, noun, _VERSION, "Use up to 20 letters, digits, dots and hyphens, such as 2026.1."
        )

    def constant(self, node: Node | None, noun: str, wanted: str) -> None:
        text = self.word(node, noun)
        if node is not None and text != wanted and text.strip():
            self.fault(node, f"{noun} {shown(text)} is not known here.", f"Write: {wanted}")

    def choice(self, node: Node | None, noun: str, allowed: Sequence[str]) -> str | None:
        """One of the allowed words, or None after a fault."""
        text = self.word(node, noun)
        if node is None or not text.strip():
            return None
        if text in allowed:
            return text
        meant = nearest(text, allowed)
        every = f"Use one of: {', '.join(allowed)}."
        self.fault(
            node,
            f"{noun} {shown(text)} is not known.",
            f'Write "{meant}"? {every}' if meant else every,
        )
        return None

    def truth(self, node: Node | None, noun: str) -> bool:
        return self.choice(node, noun, ("true", "false")) == "true"

    def whole(self, node: Node | None, noun: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.word(node, noun)
        if node is None or not text.strip():
            return low
        if not _WHOLE.match(text) or not low <= int(text) <= high:
            self.fault(
                node,
                f"{noun} {shown(text)} does not fit.",
                f"Write a whole number from {low} to {high}.",
            )
            return low
        return int(text)

    def decimal(self, node: Node | None, noun: str) -> Decimal | None:
        """An exact decimal number, as measured values are written."""
        text = self.word(node, noun)
        if node is None or not text.strip():
            return None
        if not is_decimal(text):
            self.fault(
                node,
                f"{noun} {shown(text)} is not a decimal number.",
                "Write digits with a point, such as 0.010, and no exponent.",
            )
            return None
        return Decimal(text)

    def day(self, node: Node | None, noun: str) -> str:
        """A calendar date, YYYY-MM-DD."""
        text = self.shaped(node, noun, _DATE, "Write it as YYYY-MM-DD, such as 2026-01-31.")
        if node is None or not text:
            return ""
        try:
            date.fromisoformat(text)
        except ValueError:
            self.fault(node, f"{noun} {shown(text)} is not in the calendar.", "Check the date.")
        return text

    # -- texts per language -----------------------------------------------------------------------

    def reviewed(self, top: Mapping[str, Node]) -> tuple[bool, str, str]:
        """Whether a native speaker has reviewed the file, who and when, the last two empty where
        the file does not say: of the fields `reviewed`, `reviewer` and `date`.
        """
        reviewed = self.truth(top.get("reviewed"), "reviewed")
        if reviewed and not ("reviewer" in top and "date" in top):
            self.fault(
                top["reviewed"],
                "A reviewed translation says nothing about its reviewer.",
                "Add reviewer: … and date: …, or write reviewed: false.",
            )
        who = self.word(top.get("reviewer"), "reviewer")
        return reviewed, who, self.day(top.get("date"), "date") if "date" in top else ""

    def read_languages(self, node: Node | None) -> None:
        """Take over the list of languages; every text is then held against it."""
        found: list[str] = []
        sound = True
        for row in self.rows(node, "languages"):
            code = self.shaped(row, "A language", _LANGUAGE, "Use a code such as en or zh-Hant.")
            if code in found:
                self.fault(row, f"The language {code} stands twice.", "Keep one of the two.")
            elif code:
                found.append(code)
            else:
                sound = False
        if found and "en" not in found:
            self.fault(
                node or self.root, "languages lacks en.", "Add en; other languages fall back to it."
            )
            sound = False
        self.languages = tuple(found) if sound else ()

    def text(self, node: Node | None, noun: str) -> Text:
        """A text per language, `en` among them."""
        if isinstance(node, Scalar):
            quoted = node.text if node.text.isprintable() and len(node.text) <= 40 else "…"
            self.fault(
                node,
                f"{noun} is a text without a language.",
                f'Write it per language: {{en: "{quoted}"}}',
            )
            return Text({"en": node.text})
        by_language: dict[str, str] = {}
        for key, value in self.pairs(node, noun):
            if self.languages and key.text not in self.languages:
                meant = nearest(key.text, self.languages)
                listed = ", ".join(self.languages)
                self.fault(
                    key,
                    f"{noun} is given in {shown(key.text)}, which languages does not list.",
                    f'Write "{meant}".' if meant else f"Use one of: {listed}; or list it.",
                )
            by_language[key.text] = self.word(value, f"{noun} ({key.text})").strip()
        if isinstance(node, Keyed) and by_language and "en" not in by_language:
            self.fault(node, f"{noun} lacks its English text.", "Add: en: …")
        return Text({"en": "", **by_language})
