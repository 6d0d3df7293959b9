"""Forms for the tests of the exchange, written as tables with bars."""

from __future__ import annotations

import io
import zipfile

from checklists.xlsform.book import Table
from checklists.xlsform.draft import Draft, to_draft
from checklists.xlsform.workbook import read_workbook, write_workbook
from sync.problems import Problem

YES_NO = """\
list_name | name | label::English (en)
yes_no    | yes  | Yes, and it can be counted.
yes_no    | no   | No.
"""
SETTINGS = """\
form_title | form_id    | version | default_language
Ponds      | pond-check | 1       | English (en)
"""
SURVEY = """\
type              | name   | label      | relevant | tapak::pillar | tapak::severity | tapak::weight
begin_group       | ponds  | Ponds      |
select_one yes_no | PND-E1 | Is it so?  |          | environment   | critical        |
image             | photo  | All of it. |          |               |                 | 1
end_group         |
"""


def table(name: str, text: str) -> Table:
    """The lines as rows, the first as headings; an empty text is an empty sheet."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    head, rows = (lines[0], lines[1:]) if lines else ([], [])
    return Table(name, tuple(head), tuple(dict(zip(head, row, strict=False)) for row in rows))


def workbook(survey: str = SURVEY, choices: str = YES_NO, settings: str = SETTINGS) -> bytes:
    return write_workbook(
        [table("survey", survey), table("choices", choices), table("settings", settings)]
    )


def imported(data: bytes) -> Draft:
    return to_draft(*read_workbook(data, "form.xlsx"), "form.xlsx")


def told(draft: Draft) -> list[tuple[str, str, str]]:
    """Where, of which kind and why, for each message; each must say what to do."""
    assert all(one.message and one.remedy for one in draft.messages)
    return [(str(one.place), one.kind, one.reason) for one in draft.messages]


def refusal(data: bytes) -> Problem:
    """The problem that the import of these bytes ends with; anything else is a failure."""
    try:
        imported(data)
    except Problem as exc:
        return exc
    raise AssertionError("the form was imported")


# -- workbooks part by part -----------------------------------------------------------------------

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def sheet(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def cells(number: int, *texts: str) -> str:
    made = (
        f'<c r="{letter}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for letter, text in zip("ABCDEFGH", texts, strict=False)
    )
    return f'<row r="{number}">{"".join(made)}</row>'


def changed(parts: dict[str, bytes | str]) -> bytes:
    """A workbook of ours with some of its parts replaced, or put into it."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as given,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        kept = {name: given.read(name) for name in given.namelist()}
        for name, body in {**kept, **parts}.items():
            made.writestr(name, body)
    return out.getvalue()
