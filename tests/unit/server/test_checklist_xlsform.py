"""`tapak checklist export` and `import`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from tests.unit.checklists.xlsform_forms import SURVEY, imported, workbook

NAME = "logistics-hub"


def run(*words: str, given: bytes | None = None, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["checklist", *words], input=given)
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def test_what_is_exported_is_imported_and_nothing_is_lost(tmp_path: Path) -> None:
    form, draft = str(tmp_path / "form.xlsx"), str(tmp_path / "draft.yaml")
    assert "35 items" in run("export", NAME, "-o", form).stdout
    body = json.loads(run("import", form, "-o", draft, "--json").stdout)
    assert (body["complete"], body["items"], body["messages"]) == (True, 35, [])
    assert "Nothing that is read differs." in run("diff", NAME, draft).stdout


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text("mine", encoding="utf-8")
    words = ("import", "-", "-o", str(draft))
    assert "There is a file at" in run(*words, given=workbook(), code=1).stderr
    assert draft.read_text(encoding="utf-8") == "mine"
    run(*words, "--force", given=workbook())
    assert draft.read_bytes() == imported(workbook()).data


def test_what_has_no_counterpart_is_printed_with_its_cell(tmp_path: Path) -> None:
    form, draft = tmp_path / "form.xlsx", str(tmp_path / "draft.yaml")
    form.write_bytes(workbook(SURVEY.replace("begin_group", "text | why | Why?\nbegin_group", 1)))
    shown = run("import", str(form), "-o", draft).stdout
    assert "Without a counterpart (1):\n  survey!A2: " in shown
    one = json.loads(run("import", str(form), "-o", draft, "--force", "--json").stdout)
    told = next(m for m in one["messages"] if m["kind"] == "left-out")
    assert (told["sheet"], told["row"], told["column"]) == ("survey", 2, "A")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (workbook("type | name\nbegin_group | g"), "survey!A2: The group that begins here"),
        (b"%PDF", "cannot be read as a workbook"),
    ],
    ids=["a group that does not end", "another file"],
)
def test_a_form_that_is_refused_writes_nothing(tmp_path: Path, data: bytes, word: str) -> None:
    draft = tmp_path / "draft.yaml"
    assert word in run("import", "-", "-o", str(draft), given=data, code=1).stderr
    assert not draft.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    draft = str(tmp_path / "none" / "draft.yaml")
    assert "cannot be written" in run("import", "-", "-o", draft, given=workbook(), code=1).stderr
