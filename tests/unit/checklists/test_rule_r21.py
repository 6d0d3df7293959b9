from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, month, needs, only, row

from checklists.discrepancies.case import Case
from checklists.discrepancies.residues import R21


def arose(kind: str, tonnes: Any, output: Any = "1500", approved: Any = None) -> Case:
    months = [month(output_t_reo=output, residues=[{"kind": kind, "t": tonnes}])]
    residues = [] if approved is None else [row("residues", kind=kind, approved_ratio=approved)]
    return case(declaration=filing(months=months, residues=residues))


def test_v10_less_than_half_of_the_residue_is_major() -> None:
    """V10: 1,500 t REO leave 4,275 t WLP; 2,000 declared are 0.4678 of that."""
    flag = only(R21, arose("WLP", "2000"))
    assert (flag.severity, flag.subject) == ("major", "operations")
    assert flag.inputs["of_approved"].startswith("0.46783")
    assert "it would be 4,275 t: the residue is 0.4678 of that" in flag.explanation
    assert flag.margin == "53.22 % off"


@pytest.mark.parametrize(
    ("tonnes", "severity"),
    [("2992.5", None), ("2992", "major"), ("5557.5", None), ("5558", "major"), ("0", "major")],
)
def test_thirty_percent_either_way_are_allowed(tonnes: str, severity: str | None) -> None:
    assert [f.severity for f in flags(R21, arose("WLP", tonnes))] == (
        [severity] if severity else []
    )


def test_what_uncertainty_may_explain_is_asked() -> None:
    assert only(R21, arose("WLP", {"value": "2500", "rel": "0.05"})).severity == "major"
    assert only(R21, arose("WLP", {"value": "2500", "rel": "0.15"})).severity == "query"
    assert only(R21, arose("WLP", "2500", {"value": "1500", "rel": "0.15"})).severity == "query"


def test_a_ratio_declared_as_approved_counts_where_the_thresholds_name_none() -> None:
    assert flags(R21, arose("precipitate", "600", approved="0.4")) == []
    flag = only(R21, arose("precipitate", "300", approved="0.4"))
    assert flag.severity == "major"
    assert "(as declared)" in flag.explanation
    vague = {"value": "0.4", "rel": "0.4"}
    assert only(R21, arose("precipitate", "300", approved=vague)).severity == "query"


def test_where_two_ratios_may_be_meant_what_fits_one_is_asked() -> None:
    fits_declared = arose("WLP", "2000", approved="1.33")
    flag = only(R21, fits_declared)
    assert flag.severity == "query"
    assert "By another ratio that may be meant it fits" in flag.explanation
    assert only(R21, arose("WLP", "20", approved="1.33")).severity == "major"


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R21, case(declaration=None))[0]
    assert "approved ratio, and output, for the residue slag" in needs(R21, arose("slag", "5"))[0]
    assert "slag" in needs(R21, arose("slag", "5", approved="0"))[0]
    assert "residue WLP" in needs(R21, arose("WLP", "5", output="0"))[0]
    without = case(declaration=filing(months=[month(residues=[])]))
    assert "residue declared for the same month" in needs(R21, without)[0]
