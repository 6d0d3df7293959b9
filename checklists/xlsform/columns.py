"""A sheet read by its headings: records whose cells are found by what their column means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checklists.xlsform.book import Cell, Messages, Place, Sheet
from checklists.xlsform.languages import code_of
from checklists.xlsform.rows import UNTRANSLATED
from checklists.yaml_lines import INVISIBLE, shown

TEXTS = ("label", "hint", "guidance_hint")
_TRANSLATED = (*TEXTS, "constraint_message", "required_message", "image", "audio", "video")
_ALIASES = {
    "caption": "label",
    "relevance": "relevant",
    "bind::relevant": "relevant",
    "command": "type",
    "tag": "name",
    "big-image": "image",
    "set_form_title": "form_title",
    "set_form_id": "form_id",
    "id_string": "form_id",
}
_OF_TWO = ("media", "bind", "body", "control", "instance", "tapak")
Key = tuple[str, str]  # what a column means, and the code of its language or nothing


@dataclass(frozen=True, slots=True)
class Record:
    """A row by what its cells mean, at its first cell; cells without text are not in it."""

    place: Place
    cells: Mapping[Key, Cell]

    def cell(self, field: str) -> Cell | None:
        return self.cells.get((field, ""))

    def text(self, field: str) -> str:
        """The text of a cell that is not per language, or nothing."""
        found = self.cell(field)
        return found.text if found else ""

    def texts(self, field: str) -> dict[str, Cell]:
        """The texts of a field by language, without those that only say they are not translated."""
        found = {code: cell for (name, code), cell in self.cells.items() if name == field and code}
        english = found["en"].text if "en" in found else ""
        return {c: cell for c, cell in found.items() if cell.text != UNTRANSLATED + english}


@dataclass(frozen=True, slots=True)
class Listing:
    """A sheet: what its columns mean, by their number, and its records."""

    name: str
    headings: Mapping[Key, Cell]
    records: tuple[Record, ...]

    @property
    def languages(self) -> list[str]:
        """The languages of its texts, in the order of its columns."""
        return list(dict.fromkeys(code for field, code in self.headings if field in TEXTS and code))


def read_listing(sheet: Sheet, default: str | None, messages: Messages) -> Listing:
    """The records of a sheet whose first row is its headings.

    `default` is the language of texts whose heading names none; None where the form does not say.
    """
    rows = iter(sheet.rows)
    headings: dict[Key, Cell] = {}
    meanings: dict[int, Key | None] = {}  # None: what its heading says was told already
    for column, cell in sorted(next(rows, {}).items()):
        key = meanings[column] = _meaning(cell, default, messages)
        if key is None:
            continue
        if key in headings:
            meanings[column] = None
            said = f"Another column, {headings[key].place}, means the same as {shown(cell.text)}."
            messages.add(cell.place, "left-out", "a column that is there twice", said, "Keep one.")
        else:
            headings[key] = cell
    return Listing(sheet.name, headings, tuple(_records(rows, meanings, messages)))


def _records(
    rows: Iterator[Mapping[int, Cell]],
    meanings: Mapping[int, Key | None],
    messages: Messages,
) -> Iterator[Record]:
    for cells in rows:
        first = next(iter(cells.values())).place
        found: dict[Key, Cell] = {}
        for column, cell in cells.items():
            if column not in meanings:
                _no_heading(cell, messages)
                continue
            key = meanings[column]
            clean = Cell("", cell.place) if key is None else _clean(cell, messages)
            if key is not None and clean.text:
                found[key] = clean
        if found:
            yield Record(first, found)


def _no_heading(cell: Cell, messages: Messages) -> None:
    messages.add(
        cell.place,
        "left-out",
        "a cell under no heading that is read",
        f"The cell {shown(cell.text)} is under no heading that is read.",
        "Give its column a heading, or delete it.",
    )


def _clean(cell: Cell, messages: Messages) -> Cell:
    """The cell without what a checklist cannot hold, said so."""
    if cell.trouble:
        messages.add(
            cell.place,
            "left-out",
            "a cell that holds a formula, an error or too much",
            f"The cell holds {cell.trouble}.",
            "Put the value itself in its place (paste as values).",
        )
        return Cell("", cell.place)
    text = cell.text.replace("\r\n", "\n").replace("_x000D_", "")
    bad = INVISIBLE.search(text)
    if bad is not None or "\t" in text:
        mark = "a tab" if bad is None else f"the invisible character U+{ord(bad[0]):04X}"
        messages.add(
            cell.place,
            "assumed",
            "an invisible character",
            f"The cell holds {mark}; the draft goes without it.",
            "Look whether the text still reads right.",
        )
        text = INVISIBLE.sub("", text.replace("\t", " ")).strip()
    return Cell(text, cell.place)


def _meaning(cell: Cell, default: str | None, messages: Messages) -> Key | None:
    if cell.trouble or not cell.text:
        _clean(cell, messages)
        return None
    parts = [part.strip() for part in cell.text.split("::")]
    if len(parts) == 1 and ":" in cell.text:
        before, _, after = cell.text.partition(":")
        if _plain(before) in _TRANSLATED:
            parts = [before.strip(), after.strip()]
    if _plain(parts[0]) in _OF_TWO and len(parts) > 1:
        joined = f"{_plain(parts[0])}::{parts[1].strip().lower()}"
        parts = [parts[1] if joined.startswith("media::") else joined, *parts[2:]]
    field = _plain(parts[0]) if "::" not in parts[0] else parts[0]
    field = _ALIASES.get(field, field)
    if field not in _TRANSLATED:
        return "::".join([field, *(part.lower() for part in parts[1:])]), ""
    if len(parts) == 1:
        if default is None:
            messages.add(
                cell.place,
                "assumed",
                "texts without a language",
                f"The column {shown(cell.text)} names no language; it was taken as English.",
                "If they are in another one, head it as in label::Bahasa Melayu (ms).",
            )
        return field, default or "en"
    code = code_of(parts[1])
    if code is None:
        messages.add(
            cell.place,
            "left-out",
            "a language that is not known",
            f"The language {shown(parts[1])} has no code that is known.",
            "Write the code behind it, as in label::Bahasa Melayu (ms).",
        )
        return None
    return field, code


def _plain(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip().lower())
