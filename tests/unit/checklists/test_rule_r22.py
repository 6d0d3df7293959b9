from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, needs, only, row, seen

from checklists.discrepancies.case import Case
from checklists.discrepancies.residues import R22


def surveyed(*residues: dict[str, Any], **observed: str) -> Case:
    """`heap` is the surveyed volume of heap-1, `density` its density."""
    names = {"heap": "survey/heap-1", "density": "density/heap-1", "other": "survey/heap-2"}
    values = {names[name]: value for name, value in observed.items()}
    declared = list(residues) or [row("residues", m3="1000", t="1500")]
    return case(declaration=filing(residues=declared), observed=seen(values))


@pytest.mark.parametrize(
    ("volume", "severity"),
    [
        ("1150±0", None),
        ("1151±0", "major"),
        ("850±0", None),
        ("849±0", "major"),
        ("1200±49", "major"),
        ("1200±51", "query"),
    ],
)
def test_fifteen_percent_are_allowed_and_what_the_survey_may_explain_is_asked(
    volume: str, severity: str | None
) -> None:
    found = flags(R22, surveyed(heap=volume))
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_a_survey_that_states_no_uncertainty_is_taken_as_ten_percent() -> None:
    assert only(R22, surveyed(heap="1250")).severity == "query"
    flag = only(R22, surveyed(heap="1300"))
    assert flag.severity == "major"
    assert flag.inputs["survey_uncertainty"] == "assumed"
    assert "1,000 m³ in heap-1" in flag.explanation
    assert "1,300 m³ ± 130 m³. They differ by 30 %" in flag.explanation


def test_with_a_measured_density_masses_are_compared() -> None:
    flag = only(R22, surveyed(heap="1000±10", density="2.5±0.1"))
    assert flag.severity == "major"
    assert flag.inputs["unit"] == "t"
    assert "1,000 m³, 2,500 ±" in flag.explanation
    assert only(R22, surveyed(heap="1000±10", density="1.8±0.3")).severity == "query"
    assert only(R22, surveyed(heap="1000±10", density="1.8")).severity == "query"
    assert flags(R22, surveyed(heap="1000±10", density="1.6±0.1")) == []


def test_a_heap_with_several_kinds_is_their_sum_as_last_declared() -> None:
    rows = (
        row("residues", m3="400", on="2026-02-01"),
        row("residues", kind="sludge", m3="600", on="2026-02-01"),
        row("residues", m3="5", on="2025-01-01"),
        row("residues", m3="9", on="2026-03-03"),
    )
    assert flags(R22, surveyed(*rows, heap="1000±1")) == []
    assert only(R22, surveyed(*rows, heap="400±1")).severity == "major"


def test_two_surveys_side_by_side_reach_from_one_to_the_other() -> None:
    of = surveyed(heap="1200±5")
    (first,) = of.observed
    both = replace(of, observed=(first, replace(first, value="1000")))
    assert flags(R22, both) == []
    apart = replace(of, observed=(first, replace(first, value="1300")))
    assert only(R22, apart).severity == "major"
    far = replace(of, observed=(first, replace(first, value="1110", uncertainty="5")))
    assert only(R22, far).severity == "query"


def test_a_declared_uncertainty_is_carried_too() -> None:
    vague = row("residues", m3={"value": "1000", "rel": "0.10"})
    assert only(R22, surveyed(vague, heap="1200±10")).severity == "query"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R22, case(declaration=None))[0]
    assert "surveyed volume" in needs(R22, case(observed=()))[0]
    assert "heap-2" in needs(R22, surveyed(other="5"))[0]
    only_mass = row("residues", m3=None)
    assert "density" in needs(R22, surveyed(only_mass, heap="5"))[0]
    future = row("residues", on="2026-03-03")
    assert "heap-1" in needs(R22, surveyed(future, heap="5"))[0]
