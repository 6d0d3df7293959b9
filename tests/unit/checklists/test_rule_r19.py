from __future__ import annotations

from typing import Any

import pytest
from discrepancy_cases import OBSERVED, case, filing, flags, month, needs, only, row, seen

from checklists.discrepancies.case import Case
from checklists.discrepancies.mass_balance import R19


def sent(*masses: Any, observed: dict[str, str] | None = None, **changes: Any) -> Case:
    """12 t in stock and 90 t made since: 102 t REO, so the limit is 104.04; lots of pure oxide."""
    lots = [
        row("shipments", lot=f"lot-{n}", mass_t=mass, reo_pct="100")
        for n, mass in enumerate(masses)
    ]
    declaration = filing(**{"shipments": lots, **changes})
    return case(declaration=declaration, observed=seen({**OBSERVED, **(observed or {})}))


@pytest.mark.parametrize(
    ("masses", "severity"),
    [(("50", "54"), None), (("50", "54.04"), None), (("50", "54.05"), "critical"), ((), None)],
)
def test_more_than_there_was_and_two_percent_is_critical(
    masses: tuple[str, ...], severity: str | None
) -> None:
    found = flags(R19, sent(*masses))
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_the_flag_tells_what_there_was() -> None:
    flag = only(R19, sent("200", "6"))
    assert flag.subject == "operations"
    assert "2 shipments of 206 t REO from 2026-01-01 to 2026-02" in flag.explanation
    assert "there were 102 t REO (stock 12 t, production 90 t, purchases 0 t)" in flag.explanation
    assert flag.inputs["limit_t_reo"] == "104.04"
    assert flag.margin == "102 t REO beyond the limit"


def test_what_weighing_may_explain_is_asked() -> None:
    vague = {"value": "110", "rel": "0.05"}
    assert only(R19, sent(vague)).severity == "query"
    assert only(R19, sent({"value": "110", "rel": "0.02"})).severity == "critical"
    stock = [row("stocks", t={"value": "12", "rel": "0.5"})]
    assert only(R19, sent("110", stocks=stock)).severity == "query"


def test_feed_bought_in_was_there_too() -> None:
    months = [month(purchases_t_reo="20"), month(month="2026-02")]
    assert flags(R19, sent("120", months=months)) == []


def test_a_lot_weighed_at_the_visit_counts_by_that_weight() -> None:
    flag = only(R19, sent("50", observed={"shipped/LOT-0": "150±1"}))
    assert flag.severity == "critical"
    assert "Weighed at the visit: lot-0" in flag.explanation
    assert flags(R19, sent("150", observed={"shipped/lot-0": "60"})) == []


def test_content_counts_and_not_the_mass_of_the_goods() -> None:
    half = [row("shipments", mass_t="200", reo_pct="50")]
    assert flags(R19, sent(shipments=half)) == []


def test_lots_before_the_stock_or_after_the_last_month_do_not_count() -> None:
    lots = [
        row("shipments", lot="old", date="2025-12-31", mass_t="500"),
        row("shipments", lot="new", date="2026-03-01", mass_t="500"),
    ]
    assert flags(R19, sent(shipments=lots)) == []


def test_the_balance_begins_at_a_stock_since_which_every_month_is_declared() -> None:
    stocks = [row("stocks", on="2025-10-01", t="1"), row("stocks")]
    flag = only(R19, sent("200", stocks=stocks))
    assert flag.inputs["since"] == "2026-01-01"
    whole = [month(month=f"2025-{n}") for n in (10, 11, 12)] + [month(), month(month="2026-02")]
    flag = only(R19, sent("500", stocks=stocks, months=whole))
    assert flag.inputs["since"] == "2025-10-01"
    assert flag.inputs["parts_t_reo"] == {"stock": "1", "production": "225", "purchases": "0"}


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R19, case(declaration=None))[0]
    assert "shipments" in needs(R19, sent(shipments=None))[0]
    assert "stock of REO" in needs(R19, sent("1", stocks=[]))[0]
    gap = [month(), month(month="2026-02", output_t_reo=None)]
    assert "output of every month since" in needs(R19, sent("1", months=gap))[0]
    unknown = [row("shipments", reo_pct=None)]
    assert "lot-7" in needs(R19, sent(shipments=unknown))[0]
