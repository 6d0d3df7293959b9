from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import case, filing, flags, needs, only, row, seen

from checklists.discrepancies.case import Case
from checklists.discrepancies.shipments import R24


def lot(dy: Any = None, nd: Any = "100", y: Any = None, **observed: str) -> Case:
    """A deposit with Dy/Nd of 0.10, 0.01 one standard deviation, and 30 % Y, 2 % one deviation."""
    contents = {"Dy2O3": dy, "Nd2O3": nd, "Y2O3": y}
    assay = [{"oxide": o, "pct": v} for o, v in contents.items() if v is not None]
    deposit = [
        {"measure": "Dy/Nd", "mean": "0.10", "sd": "0.01"},
        {"measure": "Y%", "mean": "30", "sd": "2"},
    ]
    declaration = filing(deposit=deposit, shipments=[row("shipments", assay=assay)])
    named = {f"assay/lot-7-{k}": v for k, v in observed.items()}
    return case(declaration=declaration, observed=seen(named))


@pytest.mark.parametrize(
    ("dy", "severity"),
    [("10", None), ("13", None), ("13.1", "critical"), ("7", None), ("6.9", "critical")],
)
def test_more_than_three_deviations_are_critical(dy: str, severity: str | None) -> None:
    assert [f.severity for f in flags(R24, lot(dy))] == ([severity] if severity else [])


def test_the_flag_tells_lot_and_deposit() -> None:
    flag = only(R24, lot("20"))
    assert (flag.key, flag.subject) == ("lot-7", "operations")
    assert "ore with Dy/Nd 0.1 ± 0.01 (one standard deviation)" in flag.explanation
    assert "as declared for the lot: 0.2, 10 standard deviations off. Limit: 3." in flag.explanation


def test_an_uncertain_assay_makes_it_a_query() -> None:
    assert only(R24, lot({"value": "14", "rel": "0.02"})).severity == "critical"
    assert only(R24, lot({"value": "14", "rel": "0.05"})).severity == "query"
    assert only(R24, lot("14", {"value": "100", "rel": "0.05"})).severity == "query"


def test_what_was_found_in_the_lot_counts_beside_what_is_declared_for_it() -> None:
    flag = only(R24, lot("10", Dy="20", Nd="100"))
    assert flag.severity == "critical"
    assert "as found in it" in flag.explanation
    assert only(R24, lot("10", Dy="14±1.5", Nd="100")).severity == "query"
    assert flags(R24, lot("10", Dy2O3="10", Nd="100")) == []


def test_a_share_is_judged_by_itself_and_the_worst_mark_is_told() -> None:
    assert flags(R24, lot("10", y="36")) == []
    assert only(R24, lot("10", y="36.1")).severity == "critical"
    flag = only(R24, lot({"value": "14", "rel": "0.1"}, y="40"))
    assert "Y% of lot-7" in flag.explanation
    assert [m["measure"] for m in flag.inputs["marks"]] == ["Dy/Nd", "Y%"]


def test_a_lot_that_is_not_declared_is_judged_by_what_was_found() -> None:
    observed = seen({"assay/heap-3-lot-Dy": "20", "assay/heap-3-lot-Nd": "100"})
    of = case(declaration=lot().declaration, observed=observed)
    assert only(R24, of).key == "heap-3-lot"


def test_a_deposit_without_any_spread_allows_none() -> None:
    deposit = [{"measure": "Dy/Nd", "mean": "0.10", "sd": "0"}]
    same = filing(deposit=deposit, shipments=lot("10").declaration.document["shipments"])  # type: ignore[union-attr]
    assert flags(R24, case(declaration=same, observed=())) == []
    other = filing(deposit=deposit, shipments=lot("11").declaration.document["shipments"])  # type: ignore[union-attr]
    assert "more than allowed off" in only(R24, case(declaration=other, observed=())).explanation


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R24, case(declaration=None))[0]
    assert "declared deposit" in needs(R24, case(declaration=filing(deposit=[])))[0]
    assert "Dy/Nd, Y%" in needs(R24, lot())[0]
    assert "Dy/Nd" in needs(R24, lot("10", "0"))[0]
    assert "Dy/Nd" in needs(R24, lot(**{"-": "3"}))[0]
