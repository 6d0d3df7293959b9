"""Any XLSForm becomes a draft, or is refused: each thing without a counterpart by its cell."""

from __future__ import annotations

import pytest

from checklists.load import load_checklist
from checklists.model import Checklist
from checklists.xlsform.book import Cell, Place, Sheet
from checklists.xlsform.draft import MAX_ROWS, to_draft
from checklists.xlsform.export import to_xlsform
from checklists.xlsform.workbook import write_workbook
from sync.problems import Problem
from tests.unit.checklists.xlsform_forms import (
    SETTINGS,
    SURVEY,
    YES_NO,
    imported,
    refusal,
    table,
    told,
    workbook,
)

LINES = SURVEY.splitlines()
HEAD, GROUP, QUESTION, PHOTO, END = LINES


def with_rows(*rows: str, head: str = HEAD) -> bytes:
    """The small form with further rows behind its photograph: the first is row 5."""
    return workbook("\n".join([head, GROUP, QUESTION, PHOTO, *rows, END]))


def test_a_form_that_says_all_that_a_checklist_needs_is_one() -> None:
    draft = imported(workbook())
    assert told(draft) == [
        ("survey!A3", "assumed", "choices taken as levels in their order"),
        ("survey!A4", "assumed", "evidence taken for the item before it"),
    ]
    checklist = draft.checklist
    assert checklist is not None
    assert (checklist.id, checklist.version, str(checklist.title)) == ("pond-check", "1", "Ponds")
    item = checklist.item("PND-E1")
    assert item is not None
    assert item.levels is not None
    assert {level: str(text) for level, text in item.levels.items()} == {
        "fully": "Yes, and it can be counted.",
        "does-not-meet": "No.",
    }
    assert [(piece.kind, piece.weight) for piece in item.pieces] == [("photo", 1)]
    assert load_checklist(draft.data, "draft.yaml") == checklist


@pytest.mark.parametrize(
    ("row", "at", "reason"),
    [
        ("text | why | Why?", "survey!A5", "a text"),
        ("note | n | Look.", "survey!A5", "a note"),
        ("calculate | c | | 1", "survey!A5", "a calculation"),
        ("select_multiple yes_no | m | Which?", "survey!A5", "a choice of several"),
        ("select_one nowhere | s | So?", "survey!A5", "a list that is not there"),
        ("select_one | s | So?", "survey!A5", "a choice without a list"),
        (
            "select_one_from_file a.csv | s | So?",
            "survey!A5",
            "a choice from a table beside the form",
        ),
        ("geopoint | where | Where?", "survey!A5", "a position"),
        ("date | d | When?", "survey!A5", "a date"),
        ("start | start |", "survey!A5", "what Tapak records by itself"),
        ("tetx | t | Why?", "survey!A5", "a type of question that is not known"),
        (" | nameless | Why?", "survey!B5", "a row without a type"),
        ("begin_group | g | G\nend_group", "survey!A5", "a group without an item"),
        ("image | p | P | ${PND-E1} = 'yes'", "survey!D5", "the column relevant"),
        ("text | t | T | | | | | strange", "survey!H5", "a cell under no heading that is read"),
    ],
)
def test_a_row_without_a_counterpart_is_named_by_its_cell(row: str, at: str, reason: str) -> None:
    head, *others = row.split("\n")
    # A name in a form is there once: the photograph above is one already.
    data = with_rows(head, *others, head=HEAD if "strange" not in row else f"{HEAD} |")
    draft = imported(data)
    assert draft.checklist is not None
    assert (at, "left-out", reason) in told(draft)


def test_a_type_that_is_nearly_one_is_told_which() -> None:
    draft = imported(with_rows("tetx | t | Why?", "select_one yes_know | s | So?"))
    remedies = [one.remedy for one in draft.of_kind("left-out")]
    assert remedies == ["Write text?", 'Write "yes_no"?']


def test_an_answer_within_a_text_is_said() -> None:
    draft = imported(workbook(SURVEY.replace("Is it so?", "Is ${name} so?")))
    assert ("survey!C3", "assumed", "an answer within a text") in told(draft)


def test_what_is_missing_is_told_at_the_cell_it_is_missing_from() -> None:
    bare = "type | name | label\ninteger | depth | How deep?"
    draft = imported(workbook(bare, "", ""))
    assert draft.checklist is None
    wanted = told(draft)
    assert {at for at, kind, _ in wanted if kind == "to-complete"} == {"settings!2", "survey!A2"}
    lacking = {reason for _, kind, reason in wanted if kind == "to-complete"}
    assert {"pillar not given", "severity not given", "unit not given"} <= lacking
    assert ("survey!C1", "assumed", "texts without a language") in wanted
    assert ("survey!A2", "assumed", "questions outside of any group") in wanted
    assert b"How deep?" in draft.data


@pytest.mark.parametrize(
    ("survey", "at", "reason"),
    [
        ("", "survey!1", "no column type"),
        ("name | label\nx | X", "survey!1", "no column type"),
        ("type | label\ntext | X", "survey!1", "no column name"),
        (f"{HEAD}\ntext | t | T", "survey!A2", "no question that a checklist can hold"),
        (f"{HEAD}\n{GROUP}\n{QUESTION}", "survey!A2", "a group that does not end"),
        (f"{HEAD}\n{QUESTION}\n{END}", "survey!A3", "an end without its beginning"),
        (f"{HEAD}\n{GROUP}\nend_repeat", "survey!A3", "an end without its beginning"),
        (f"{HEAD}\nselect_one yes_no | | So?", "survey!A2", "a row without a name"),
        (f"{HEAD}\n{QUESTION}\n{QUESTION}", "survey!B3", "a name that is there twice"),
        (
            "\n".join([HEAD, *(f"begin_group | g{n} | G" for n in range(30))]),
            "survey!A26",
            "groups nested too deep",
        ),
    ],
)
def test_a_form_that_cannot_be_followed_is_refused_by_its_cell(
    survey: str, at: str, reason: str
) -> None:
    found = refusal(workbook(survey))
    assert found.code == "xlsform-malformed"
    first = found.detail["faults"][0]
    assert (first["at"], first["reason"]) == (at, reason)
    assert first["message"]
    assert first["remedy"]


@pytest.mark.parametrize(
    ("choices", "at", "reason"),
    [
        ("yes_no | yes | Yes.\nyes_no | yes | No.", "choices!B3", "a choice that is there twice"),
        ("yes_no | yes | Yes.\nyes_no | | No.", "choices!A3", "a choice without a name"),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused_by_its_cell(
    choices: str, at: str, reason: str
) -> None:
    found = refusal(workbook(choices=f"{YES_NO.splitlines()[0]}\n{choices}"))
    first = found.detail["faults"][0]
    assert (first["at"], first["reason"]) == (at, reason)


def test_a_workbook_without_a_survey_names_the_sheets_it_has() -> None:
    found = refusal(write_workbook([table("Surwey", SURVEY), table("settings", SETTINGS)]))
    assert found.detail["faults"][0]["at"] == "survey!1"
    assert '"Surwey"' in found.detail["faults"][0]["message"]


def test_a_sheet_that_is_there_twice_is_said() -> None:
    data = write_workbook(
        [table("survey", SURVEY), table("Survey ", SURVEY), table("choices", YES_NO)]
    )
    assert ("Survey !1", "left-out", "a sheet that is not read") in told(imported(data))


def test_a_survey_of_too_many_rows_is_refused() -> None:
    def row(number: int, *texts: str) -> dict[int, Cell]:
        return {n: Cell(t, Place("survey", number, n)) for n, t in enumerate(texts, start=1)}

    rows = [row(1, "type", "name"), *(row(n, "note", f"n{n}") for n in range(2, MAX_ROWS + 3))]
    with pytest.raises(Problem) as caught:
        to_draft({"survey": Sheet("survey", tuple(rows))}, [], "form.xlsx")
    assert caught.value.code == "xlsform-too-large"


# -- a form of ours that somebody changed ---------------------------------------------------------


def our_form(old: str, new: str) -> bytes:
    """The form that a checklist makes, with one text in it replaced."""
    checklist = imported(workbook()).checklist
    assert isinstance(checklist, Checklist)
    tables = [
        type(one)(
            one.name,
            one.columns,
            tuple({c: text.replace(old, new) for c, text in row.items()} for row in one.rows),
        )
        for one in to_xlsform(checklist)
    ]
    return write_workbook(tables)


def test_a_text_that_was_changed_in_our_form_is_in_the_draft_and_nothing_is_said() -> None:
    draft = imported(our_form("Is it so?", "Is it still so?"))
    assert told(draft) == []
    assert draft.checklist is not None
    item = draft.checklist.item("PND-E1")
    assert item is not None
    assert str(item.question) == "Is it still so?"


def test_what_was_changed_in_our_form_and_is_not_read_is_said_at_its_cell() -> None:
    draft = imported(our_form("Does not apply here", "Not for us"))
    assert [(kind, reason) for _, kind, reason in told(draft)] == [
        ("left-out", "a cell that was changed")
    ]
    assert draft.messages[0].place.sheet == "choices"
    assert "Not for us" not in draft.messages[0].message  # it reads the fixed word again
    assert "Does not apply here" in draft.messages[0].message


def test_a_reference_written_into_our_form_does_not_end_the_import() -> None:
    draft = imported(our_form("Is it so?", "Is ${PND-E1} so?"))
    assert "not compared" in {reason for _, _, reason in told(draft)}
