from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, month, needs, only, row

from checklists.discrepancies.case import Case
from checklists.discrepancies.production import R23


def months(*outputs: Any) -> list[dict[str, Any]]:
    """Outputs of months in a row, the last one that of the visit."""
    names = [f"{2024 + n // 12}-{n % 12 + 1:02d}" for n in range(27)][-len(outputs) :]
    return [month(month=name, output_t_reo=out) for name, out in zip(names, outputs, strict=True)]


def made(*outputs: Any, **licence: Any) -> Case:
    """A licence for 100 t REO a year."""
    licences = [row("licences", **{"capacity_t_reo_per_year": "100", **licence})]
    return case(declaration=filing(months=months(*outputs), licences=licences))


@pytest.mark.parametrize(
    ("output", "severity"), [("105", None), ("105.1", "major"), ("12", None), ("900", "major")]
)
def test_more_than_a_twentieth_above_the_licence_is_major(
    output: str, severity: str | None
) -> None:
    assert [f.severity for f in flags(R23, made(output))] == ([severity] if severity else [])


def test_the_flag_tells_output_and_licence() -> None:
    flag = only(R23, made("60", "66"))
    assert flag.subject == "operations"
    assert "126 t REO made (in-situ-leach) in 2026-02 to 2026-03 (2 months)" in flag.explanation
    assert "licences for 100 t REO a year: 126 % of it" in flag.explanation
    assert flag.inputs["licences"] == ["EX-1"]


def test_any_twelve_months_in_a_row_count_and_no_more() -> None:
    assert flags(R23, made(*["8.7"] * 24)) == []
    flag = only(R23, made(*["1"] * 4, *["9"] * 12, *["1"] * 4))
    assert len(flag.inputs["months"]) == 12
    assert flag.inputs["output_t_reo"] == "108"
    assert flags(R23, made("60", *["0"] * 11, "60")) == []


def test_what_uncertainty_may_explain_is_asked() -> None:
    assert only(R23, made({"value": "110", "rel": "0.01"})).severity == "major"
    assert only(R23, made({"value": "110", "rel": "0.05"})).severity == "query"
    vague = {"value": "100", "rel": "0.05"}
    assert only(R23, made("110", capacity_t_reo_per_year=vague)).severity == "query"


def test_licences_that_are_valid_together_add_up_and_successors_do_not() -> None:
    first = row("licences", capacity_t_reo_per_year="100", valid_to="2026-02-14")
    second = row("licences", number="EX-2", capacity_t_reo_per_year="100", valid_from="2026-02-15")
    beside = row("licences", number="EX-2", capacity_t_reo_per_year="100")
    made_150 = months("75", "75")
    after = case(declaration=filing(months=made_150, licences=[first, second]))
    assert only(R23, after).inputs["licensed_t_reo_per_year"] == "100"
    together = case(declaration=filing(months=made_150, licences=[first, beside]))
    assert flags(R23, together) == []


def test_a_licence_for_another_process_covers_nothing() -> None:
    of = made("110", scope=["separation"])
    assert flags(R23, of) == []
    assert "a licence with a capacity (in-situ-leach)" in needs(R23, of)[0]
    assert only(R23, made("110", scope=[])).severity == "major"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R23, case(declaration=None))[0]
    assert "capacity" in needs(R23, made("110", capacity_t_reo_per_year=None))[0]
    assert "capacity" in needs(R23, case(declaration=filing(licences=None)))[0]
    assert "output" in needs(R23, made(None))[0]
