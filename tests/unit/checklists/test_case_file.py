"""A case written to a file and read back is the same; faults are named by where they are."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from discrepancy_cases import case, declared, seen
from test_catalogue import full

from checklists.discrepancies.case import Case
from checklists.discrepancies.case_file import case_bytes, case_to_json, read_case
from checklists.discrepancies.catalogue import evaluate, findings_bytes
from checklists.discrepancies.settings_file import default_settings
from sync.problems import Problem

PAGE = Path(__file__).resolve().parents[3] / "docs/discrepancies.md"


@pytest.mark.parametrize(
    "of", [full(), case(), case(declaration=None, settings=default_settings())]
)
def test_a_case_read_back_is_the_same_and_gives_the_same_findings(of: Case) -> None:
    read = read_case(case_bytes(of))
    for one in fields(Case):
        assert getattr(read, one.name) == getattr(of, one.name), one.name
    assert findings_bytes(evaluate(read)) == findings_bytes(evaluate(of))
    assert case_bytes(read) == case_bytes(of)


def test_the_example_of_the_documentation_can_be_tried() -> None:
    """V9 once more: 120 t REO of ore that yields 57.6 t."""
    (text,) = re.findall(r"```jsonc\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = evaluate(read_case(text.encode()))
    flags = [(f.rule, f.severity) for f in found if hasattr(f, "severity")]
    assert ("R18", "critical") in flags


def changed(**changes: Any) -> bytes:
    doc = case_to_json(case(observed=seen({"survey/heap-1": "5±1"})))
    doc.update(changes)
    return json.dumps(doc).encode()


def with_settings(rule: str, **changes: Any) -> bytes:
    doc = case_to_json(case())
    doc["settings"][rule].update(changes)
    return json.dumps(doc).encode()


SEEN = {"what": "survey", "instance": "x", "value": "5", "uncertainty": None, "unit": ""}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "the file"),
        (b"\xff", "the file"),
        (b"[" * 100_000, "the file"),
        (b"[]", "format"),
        (changed(format="tapak-case/9"), "format"),
        (changed(observation=[]), "observation): it is not known; nearest: declaration, observed"),
        (changed(visited_on=None), "visited_on): it is not text"),
        (changed(observed={}), "observed): it is not a list"),
        (changed(observed=[5]), "observed[1]): it is not an object"),
        (changed(observed=[SEEN]), "observed[1].entry): it is missing"),
        (changed(observed=[{**SEEN, "entry": "", "value": "five"}]), "observed[1].value"),
        (changed(observed=[{**SEEN, "entry": "", "uncertainty": "1e3"}]), "[1].uncertainty"),
        (changed(uses_complete="yes"), "uses_complete): it is not true or false"),
        (changed(clocks=[{"device": "a", "source": "server", "at": 1.5}]), "clocks[1].at"),
        (changed(signs=[]), "signs): it is not an object"),
        (changed(declaration=5), "declaration): it is not an object"),
        (changed(settings=[]), "settings): it is not an object"),
        (changed(settings={"R99": {}}), "settings.R99): it is not known"),
        (changed(settings={"R19": {}}), "settings.R19): its members are not margin_pct"),
        (with_settings("R19", margin_pct=2), "settings.R19.margin_pct): it is not a decimal"),
        (with_settings("R20", bands=[{"process": "x"}]), "settings.R20.bands): its columns"),
        (with_settings("R28", mining="all"), "settings.R28.mining): it is not a list"),
        (changed(ways=[{**dict.fromkeys(("device", "source", "file"), "")}]), "ways[1].times"),
    ],
)
def test_a_fault_is_named_by_where_it_is(data: bytes, says: str) -> None:
    with pytest.raises(Problem) as caught:
        read_case(data)
    assert caught.value.code == "case-malformed"
    assert says in f"{caught.value.happened}"


def test_a_declaration_at_fault_is_told_as_one() -> None:
    with pytest.raises(Problem) as caught:
        read_case(changed(declaration={**declared().document, "filed": "soon"}))
    assert caught.value.code == "declaration-malformed"


def test_a_point_must_have_numbers() -> None:
    fix = {"lat": "north", "lon": "98.1"}
    point = {"label": "the start", "source": "client", "fix": fix}
    with pytest.raises(Problem) as caught:
        read_case(changed(points=[point]))
    assert "points[1].fix.lat" in caught.value.happened
