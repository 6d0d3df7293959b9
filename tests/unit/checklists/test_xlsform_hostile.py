"""Workbooks that no honest spreadsheet wrote: a draft or a problem of the catalogue, at a cell."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from checklists.xlsform.workbook import write_workbook
from sync.problems import Problem
from tests.unit.checklists.xlsform_forms import (
    SHEET,
    SURVEY,
    YES_NO,
    cells,
    changed,
    imported,
    sheet,
    table,
    told,
    workbook,
)

HEAD = cells(1, "type", "name", "label")


def test_macros_are_passed_over() -> None:
    draft = imported(changed({"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 1_000}))
    assert draft.checklist is not None


def test_a_formula_an_error_and_too_long_a_text_are_named_by_their_cells() -> None:
    rows = [
        HEAD,
        cells(2, "integer", "n", "How many?"),
        '<row r="3"><c r="A3" t="str"><f>1+1</f><v>2</v></c></row>',
        '<row r="4"><c r="B4" t="e"><v>#REF!</v></c></row>',
        cells(5, "integer", "long", "x" * 32_768),
    ]
    found = told(imported(changed({SHEET: sheet("".join(rows))})))
    reason = "a cell that holds a formula, an error or too much"
    for at in ("survey!A3", "survey!B4", "survey!C5"):
        assert (at, "left-out", reason) in found


def test_bytes_changed_at_random_end_in_a_draft_or_a_problem() -> None:
    """Anything else that the import raises ends this test."""
    dice = random.Random(20261130)
    with zipfile.ZipFile(io.BytesIO(workbook())) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    refused = 0
    for _ in range(60):
        name = dice.choice(sorted(parts))
        body = bytearray(parts[name])
        for _ in range(dice.choice((1, 1, 4))):
            at = dice.randrange(len(body))
            if dice.random() < 0.5:
                body[at] = dice.randrange(256)
            else:
                del body[at : at + dice.choice((1, 30))]
        try:
            imported(changed({name: bytes(body)}))
        except Problem as exc:
            assert exc.remedy
            refused += 1
    assert 10 < refused < 60


CELLS = [
    (at, row, column)
    for at, text in (("survey", SURVEY), ("choices", YES_NO))
    for row, line in enumerate(text.splitlines())
    for column, cell in enumerate(line.split("|"))
    if cell.strip()
]


@pytest.mark.parametrize("change", ["emptied", "mistyped", "doubled"])
def test_each_cell_changed_in_turn_is_told_or_kept(change: str) -> None:
    """A changed form is refused at a cell, or told of at one, or makes another draft."""
    before = imported(workbook())
    for at, row, column in CELLS:
        texts = {"survey": SURVEY, "choices": YES_NO}
        lines = [line.split("|") for line in texts[at].splitlines()]
        if change == "doubled":
            lines.insert(row, lines[row])
        else:
            lines[row][column] = "" if change == "emptied" else lines[row][column].strip() + "x"
        texts[at] = "\n".join("|".join(line) for line in lines)
        data = write_workbook([table(name, text) for name, text in texts.items()])
        try:
            after = imported(data)
        except Problem as exc:
            assert all(one["at"] for one in exc.detail["faults"]), (at, row, column)
            continue
        assert after.data != before.data or told(after) != told(before), (at, row, column)
