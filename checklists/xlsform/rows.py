"""Rows of a form as they are written: texts in every language of the checklist, ranges, units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checklists.model import Text
from checklists.xlsform.book import Table
from checklists.xlsform.languages import heading
from checklists.xlsform.wording import same, word
from sync.problems import problem

Row = dict[str, str]

# pyxform puts "-" where a language lacks a text; the English one with this before it says more.
UNTRANSLATED = "[en] "

_BEFORE = ("list_name", "type", "name")
_TEXTS = ("label", "hint", "guidance_hint")
_BETWEEN = ("relevant", "constraint")
_AFTER = ("required", "appearance", "parameters", "calculation")
# Numerators of units that cannot be under zero; a percentage can (a loss that is a gain).
_NO_LESS = frozenset(
    (
        *("mg", "ug", "µg", "g", "kg", "t", "Bq", "mSv", "uSv", "µSv", "L", "m3", "ha", "h", "d"),
        *("min", "mm", "m", "kWh", "dBA", "people", "lots", "cells", "blasts"),
    )
)


class Writer:
    """Writes rows in the languages of one checklist."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = tuple(languages)

    def texts(self, column: str, text: Text | None, item: str = "") -> Row:
        """The text in the column of each language; `item` is what it is of, for `xlsform-text`."""
        if text is None:
            return {}
        if any("${" in one for one in text.by_language.values()):
            raise problem("xlsform-text", item=item)
        english = text.by_language["en"]
        return {
            f"{column}::{heading(code)}": text.by_language.get(code, UNTRANSLATED + english)
            for code in self._languages
        }

    def unit(self, unit: str) -> Row:
        """The hint that names the unit, and the range that a value in it can be in."""
        if not unit:
            return {}
        return {**self.texts("hint", self._same(unit), f"the unit {unit}"), **self._plausible(unit)}

    def between(self, low: str, high: str = "") -> Row:
        """The constraint that a number is in that range, and what is said when it is not."""
        test = f". >= {low} and . <= {high}" if high else f". >= {low}"
        shown = f"{low}–{high}" if high else f"≥ {low}"
        told = self.texts("constraint_message", word("in-range", shown))
        return {"constraint": test, **told}

    def table(self, name: str, rows: Iterable[Row]) -> Table:
        """The rows as a sheet: its known columns in their order, then the project's own."""
        found = list(rows)
        used = {column for row in found for column, text in row.items() if text}
        wide = [
            f"{text}::{heading(code)}"
            for text in (*_TEXTS, "constraint_message")
            for code in self._languages
        ]
        own = sorted(column for column in used if column.startswith("tapak::"))
        order = (*_BEFORE, *wide, *_BETWEEN, *_AFTER, *own)
        columns = tuple(column for column in order if column in used)
        return Table(name, columns, tuple({c: t for c, t in row.items() if t} for row in found))

    def _plausible(self, unit: str) -> Row:
        if unit == "pH":
            return self.between("0", "14")
        return self.between("0") if unit.partition("/")[0] in _NO_LESS else {}

    def _same(self, text: str) -> Text:
        return Text({**same(text).by_language, **dict.fromkeys(self._languages, text)})
