"""The sheet settings -> what a checklist says of itself, and the language of unmarked texts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checklists.xlsform.book import Messages, Place, Sheet
from checklists.xlsform.columns import Record, read_listing
from checklists.xlsform.languages import code_of
from checklists.xlsform.made import Fields, Places, slug
from checklists.yaml_lines import Keyed, Listed, Scalar, shown

FORMAT = "tapak-xlsform/1"
_TITLE = re.compile(r"tapak::title \(([a-z]{2,3}(?:-[a-z0-9]{2,8})?)\)\Z")
_READ = ("form_title", "form_id", "version", "default_language")
_OWN = ("tapak::format", "tapak::languages", "tapak::drafts")


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a draft; `language` is that of texts without one, None where not said.

    `own` forms were written by the export, so that what came back can be held against it.
    """

    fields: Fields
    place: Place
    language: str | None
    languages: tuple[str, ...]
    title_languages: tuple[str, ...]
    drafts: Listed | None
    own: bool


def read_heading(sheet: Sheet | None, places: Places, messages: Messages) -> Heading:
    """What the settings say; a form without them lacks id, version and title."""
    listing = read_listing(sheet, None, messages) if sheet else None
    empty = Record(Place("settings", 2), {})
    record = listing.records[0] if listing and listing.records else empty
    fields = Fields(places.line(record.place))
    language = _language(record, messages)
    title = _title(record, language or "en", places)
    _id(record, fields, messages)
    version = record.cell("version")
    fields.set("version", places.scalar(version) if version else None)
    fields.set("title", title)
    _left_out(listing.records if listing else (), messages)
    drafts = record.cell("tapak::drafts")
    languages = record.text("tapak::languages").split()
    return Heading(
        fields,
        record.place,
        language,
        tuple(languages),
        tuple(key.text for key, _ in title.entries) if title else (),
        _words(drafts.text.split(), places.line(drafts.place)) if drafts else None,
        record.text("tapak::format") == FORMAT,
    )


def _language(record: Record, messages: Messages) -> str | None:
    cell = record.cell("default_language")
    if cell is None:
        return None
    code = code_of(cell.text)
    if code is None:
        messages.add(
            cell.place,
            "left-out",
            "a language that is not known",
            f"The language {shown(cell.text)} has no code that is known.",
            "Write the code behind it, as in Bahasa Melayu (ms).",
        )
    return code


def _title(record: Record, language: str, places: Places) -> Keyed | None:
    found = {language: cell} if (cell := record.cell("form_title")) else {}
    for (field, _), cell in record.cells.items():
        if match := _TITLE.match(field):
            # Headings are read in small letters; a code is written as the list of languages has it.
            listed = record.text("tapak::languages").split()
            code = next((one for one in listed if one.lower() == match[1]), match[1])
            found[code] = cell
    if not found:
        return None
    line = places.line(next(iter(found.values())).place)
    return Keyed(line, tuple((Scalar(line, code), places.scalar(c)) for code, c in found.items()))


def _id(record: Record, fields: Fields, messages: Messages) -> None:
    cell = record.cell("form_id")
    if cell is None:
        return
    made = slug(cell.text, (), "form")
    fields.word("id", made)
    if made != cell.text:
        messages.add(
            cell.place,
            "assumed",
            "an id made of a name",
            f"As a checklist, {shown(cell.text)} has the id {made}.",
            "Write another id into the draft if you wish.",
        )


def _left_out(records: tuple[Record, ...], messages: Messages) -> None:
    for number, record in enumerate(records):
        for (field, _), cell in record.cells.items():
            known = field in _READ or field in _OWN or _TITLE.match(field)
            if known and not number:
                continue
            messages.add(
                cell.place,
                "left-out",
                "a setting without a counterpart" if not number else "settings in a second row",
                f"The setting {field} has no counterpart in a checklist.",
                "Nothing is lost that a checklist could ask.",
            )


def _words(words: list[str], line: int) -> Listed:
    return Listed(line, tuple(Scalar(line, word) for word in words))
