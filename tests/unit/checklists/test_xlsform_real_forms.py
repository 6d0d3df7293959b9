"""The example forms of pyxform: what becomes of each, as docs/xlsform.md counts it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sync.problems import Problem
from tests.unit.checklists.xlsform_forms import imported

DOCS = Path(__file__).parents[3] / "docs" / "xlsform.md"
FOLDER = "data/xlsform/XLSForm+pyxform"


def test_each_form_is_imported_or_refused_with_cells_and_the_docs_count_them(shared: Path) -> None:
    """Any exception but a problem of the catalogue ends this test."""
    forms: Counter[str] = Counter()
    made: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for path in sorted((shared / FOLDER).rglob("*.*")):
        try:
            draft = imported(path.read_bytes())
        except Problem as exc:
            assert exc.remedy
            faults = exc.detail.get("faults", [])
            assert all(one["at"] and one["message"] and one["remedy"] for one in faults)
            assert faults or exc.code == "xlsform-unreadable"
            forms[faults[0]["reason"] if faults else exc.detail["why"]] += 1
            left.update(folded(one["reason"]) for one in faults[1:])
            continue
        assert draft.items > 0
        assert all(one.place.row and one.message and one.remedy for one in draft.messages)
        forms["imported"] += 1
        made["items"] += draft.items
        left.update(folded(one.reason) for one in draft.of_kind("left-out"))
    written = [*DOCS.read_text(encoding="utf-8").splitlines(), ""]
    counted = [("forms", forms), ("made", made), ("left out", left)]
    for title, counts in counted:
        at = written.index(f"| {title} | |")
        order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        rows = [f"| {what} | {n} |" for what, n in order]
        assert rows == written[at + 2 : at + 2 + len(rows)], json.dumps(rows, indent=1)
        assert not written[at + 2 + len(rows)].startswith("|")


def folded(reason: str) -> str:
    """The reason, without which column it was."""
    return "a column that has no counterpart" if reason.startswith("the column ") else reason


@pytest.mark.parametrize(
    ("form", "at", "word"),
    [
        ("survey_no_name", "survey!1", "Sheet1"),
        ("extra_sheet_names", "stettings!1", "rename it to settings"),
        ("bad_calc", "survey!A2", "calculation"),
    ],
)
def test_a_malformed_form_is_named_by_its_cell(shared: Path, form: str, at: str, word: str) -> None:
    with pytest.raises(Problem) as caught:
        imported((shared / FOLDER / f"tests/example_xls/{form}.xlsx").read_bytes())
    assert caught.value.code == "xlsform-malformed"
    faults = caught.value.detail["faults"]
    assert any(one["at"] == at and word in one["message"] + one["remedy"] for one in faults)
