"""An XLSForm -> a draft of a checklist, and what of the form has no counterpart, cell by cell.

The draft is read by the same reader as every checklist: what it finds is told at the cell from
which it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checklists.fields import Reader
from checklists.load import load_checklist, read_checklist
from checklists.model import Checklist
from checklists.xlsform.book import Message, Messages, Place, Sheet, fault, malformed
from checklists.xlsform.columns import Listing, read_listing
from checklists.xlsform.conditions import with_conditions
from checklists.xlsform.form_settings import FORMAT, Heading, read_heading
from checklists.xlsform.kept import not_kept
from checklists.xlsform.made import Places
from checklists.xlsform.survey import Survey
from checklists.yaml_lines import MAX_BYTES, Keyed, Listed, Scalar, nearest, shown
from checklists.yaml_writer import write_yaml
from sync.problems import Problem, problem

CHECKLIST_FORMAT = "tapak-checklist/1"
MAX_ROWS = 10_000  # of the survey: a draft of 1 MB holds far fewer items
_LACKS = re.compile(r"lacks the field (\S+)\.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as the bytes of a checklist file, and all that is to be told of it.

    `checklist` is None while something is still to be completed. `more` counts messages past those
    that are listed.
    """

    data: bytes
    checklist: Checklist | None
    sections: int
    items: int
    observed: int
    messages: tuple[Message, ...]
    more: int

    def of_kind(self, kind: str) -> list[Message]:
        return [one for one in self.messages if one.kind == kind]


def to_draft(sheets: Mapping[str, Sheet], others: list[str], name: str) -> Draft:
    """The draft that a form makes; `others` are the names of sheets that are not read.

    Raises `xlsform-malformed` where the form cannot be followed, or nothing of it has a
    counterpart.
    """
    messages = Messages()
    for other in others:
        _not_read(other, sheets, messages)
    places = Places(messages)
    heading = read_heading(sheets.get("settings"), places, messages)
    survey = _survey_sheet(sheets, others, heading, messages)
    if len(survey.records) > MAX_ROWS:
        what = f"{len(survey.records)} rows in survey, and at most {MAX_ROWS} are read"
        raise problem("xlsform-too-large", name=name, what=what)
    choices = (
        read_listing(sheets["choices"], heading.language, messages) if "choices" in sheets else None
    )
    walked = Survey(survey, choices, heading, places, messages)
    walked.walk()
    if not any(section.items for section in walked.sections):
        place = survey.records[0].place if survey.records else Place("survey", 1)
        none = Message(
            place,
            "refused",
            "no question that a checklist can hold",
            "No question of this form has a counterpart in a checklist.",
            "A checklist holds choices of two or four levels, and numbers.",
        )
        raise malformed([none, *messages.of_kind("left-out")])
    languages = _languages(survey, choices, heading)
    tree = Keyed(
        1,
        (
            (Scalar(1, "format"), Scalar(1, CHECKLIST_FORMAT)),
            *heading.fields.node().entries,
            (Scalar(1, "languages"), Listed(1, tuple(Scalar(1, code) for code in languages))),
            *(((Scalar(1, "drafts"), heading.drafts),) if heading.drafts else ()),
            (Scalar(1, "sections"), with_conditions(walked, places, messages)),
            (Scalar(1, "observed"), Listed(1, tuple(walked.observed))),
        ),
    )
    return _checked(tree, walked, survey, choices, heading, places, messages, name)


def _not_read(sheet: str, sheets: Mapping[str, Sheet], messages: Messages) -> None:
    plain = sheet.strip().casefold()
    meant = nearest(plain, [one for one in ("survey", "choices", "settings") if one not in sheets])
    remedy = "Only survey, choices and settings are read."
    if plain in sheets:
        remedy = f"Another sheet is named {plain}, and only that one is read. Put both into one."
    elif meant:
        remedy = f"If it is meant to be read, rename it to {meant}."
    messages.add(
        Place(sheet, 1),
        "left-out",
        "a sheet that is not read",
        f"The sheet {shown(sheet)} has no counterpart.",
        remedy,
    )


def _survey_sheet(
    sheets: Mapping[str, Sheet], others: list[str], heading: Heading, messages: Messages
) -> Listing:
    if "survey" not in sheets:
        seen = ", ".join(shown(one) for one in [*sheets, *others][:20]) or "none"
        raise fault(
            Place("survey", 1),
            "no sheet survey",
            f"The workbook has no sheet named survey; it has: {seen}.",
            "Rename the sheet with the questions to survey.",
        )
    survey = read_listing(sheets["survey"], heading.language, messages)
    for needed in ("type", "name"):
        if (needed, "") not in survey.headings:
            raise fault(
                Place("survey", 1),
                f"no column {needed}",
                f"The sheet survey has no column {needed} in its first row.",
                f"Head the column with {needed}.",
            )
    return survey


def _languages(survey: Listing, choices: Listing | None, heading: Heading) -> list[str]:
    written = [*survey.languages, *(choices.languages if choices else ())]
    languages = list(dict.fromkeys([*heading.languages, *written, *heading.title_languages]))
    return languages if "en" in languages else ["en", *languages]


def _checked(
    tree: Keyed,
    walked: Survey,
    survey: Listing,
    choices: Listing | None,
    heading: Heading,
    places: Places,
    messages: Messages,
    name: str,
) -> Draft:
    data = write_yaml(tree)
    if len(data) > MAX_BYTES:
        raise problem("xlsform-too-large", name=name, what=f"a draft of {len(data)} bytes")
    checklist = _read(tree, data, name, heading, places, messages)
    if heading.own:
        _compare(checklist, survey, choices, heading, messages)
    order = {sheet: n for n, sheet in enumerate(("settings", "survey", "choices"))}
    found = sorted(messages.found, key=lambda m: (order.get(m.place.sheet, 9), m.place))
    return Draft(
        data,
        checklist,
        sum(1 for section in walked.sections if section.items),
        sum(len(section.items) for section in walked.sections),
        len(walked.observed),
        tuple(dict.fromkeys(found)),
        messages.more,
    )


def _read(
    tree: Keyed, data: bytes, name: str, heading: Heading, places: Places, messages: Messages
) -> Checklist | None:
    """The checklist, or None after messages of what is to be completed, each at its cell."""
    try:
        read_checklist(Reader(tree, name), "")
    except Problem as exc:
        for one in exc.detail["faults"]:
            lacks = _LACKS.search(one["message"])
            messages.add(
                places.place(one["line"]),
                "to-complete",
                f"{lacks[1]} not given" if lacks else "not as a checklist wants it",
                one["message"],
                one["remedy"],
            )
        return None
    try:
        return load_checklist(data, name)
    except Problem as exc:  # of the file and not of what it says: its lines are no cells
        for one in exc.detail["faults"]:
            at = f"Line {one['line']} of the draft: {one['message']}"
            messages.add(heading.place, "to-complete", "not as a file can be", at, one["remedy"])
        return None


def _compare(
    checklist: Checklist | None,
    survey: Listing,
    choices: Listing | None,
    heading: Heading,
    messages: Messages,
) -> None:
    """Hold a form that the export wrote against what its draft would export."""
    try:
        if checklist is not None:
            not_kept(checklist, survey, choices, messages)
            return
    except Problem as exc:  # a text that was changed so that no form can hold it
        why = exc.happened
    else:
        why = "The draft is not complete."
    messages.add(
        heading.place,
        "assumed",
        "not compared",
        f"The form says {FORMAT}, but what it was changed in is not compared yet. {why}",
        "Complete the form and import it again.",
    )
