from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, month, needs, only

from checklists.discrepancies.case import Case
from checklists.discrepancies.mass_balance import R20


def used(tonnes: Any, reagent: str = "ammonium-sulfate", **changes: Any) -> Case:
    """Reagent for 10 t REO made by in-situ leaching."""
    use = [{"reagent": reagent, "t": tonnes}]
    months = [month(**{"output_t_reo": "10", "reagents": use, **changes})]
    return case(declaration=filing(months=months))


@pytest.mark.parametrize(
    ("tonnes", "severity"),
    [("150", None), ("151", "major"), ("30", None), ("29", "major"), ("0", "major")],
)
def test_use_outside_the_band_is_major(tonnes: str, severity: str | None) -> None:
    assert [f.severity for f in flags(R20, used(tonnes))] == ([severity] if severity else [])


def test_the_flag_tells_use_and_band() -> None:
    flag = only(R20, used("200"))
    assert flag.subject == "operations"
    assert "200 t of ammonium-sulfate and 10 t REO in 2026-01, so 20 t/t REO" in flag.explanation
    assert "band for in-situ-leach is 3 to 15" in flag.explanation
    assert flag.margin == "5 t/t REO outside the band"


def test_what_uncertainty_may_explain_is_asked() -> None:
    assert only(R20, used({"value": "160", "rel": "0.05"})).severity == "query"
    assert only(R20, used({"value": "160", "rel": "0.02"})).severity == "major"
    vague = {"value": "10", "rel": "0.10"}
    assert only(R20, used("24", output_t_reo=vague)).severity == "major"
    assert only(R20, used("28", output_t_reo=vague)).severity == "query"


def test_a_month_without_a_process_is_that_of_the_only_one() -> None:
    assert only(R20, used("200", process=None)).key == "ammonium-sulfate for in-situ-leach"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R20, case(declaration=None))[0]
    for of in (
        used("200", reagent="oxalic-acid"),
        used("200", process="separation"),
        used("200", output_t_reo=None),
        used("200", output_t_reo="0"),
    ):
        assert flags(R20, of) == []
        assert "ammonium-sulfate for in-situ-leach" in needs(R20, of)[0]
