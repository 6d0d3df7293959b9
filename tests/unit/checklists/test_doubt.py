"""More doubt never makes a rule more severe, and what is filed later never takes a flag away."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from discrepancy_cases import case, filing, month, row, seen
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.discrepancies.case import FLAG_SEVERITIES, Case, Flag
from checklists.discrepancies.catalogue import RULES, evaluate, findings_bytes
from checklists.discrepancies.declaration import in_force, read_declaration
from checklists.discrepancies.doubt import Amount, figure, grade, plain, stated

DECLARED = tuple(rule for rule in RULES if rule.id >= "R17")


def numbers(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


_REL = numbers("0", "0.01", "0.05", "0.1", "0.2", "0.5", "1")


@st.composite
def quantity(draw: st.DrawFn, *values: str) -> dict[str, str]:
    return {"value": draw(numbers(*values)), "rel": draw(_REL)}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, str]]:
    """A filing in which every number has an uncertainty, and what was observed; any may be off."""
    months = [
        month(
            month=f"2026-0{n}",
            ore_t=draw(quantity("0", "40000", "80000", "90000")),
            grade_pct=draw(quantity("0.05", "0.08")),
            recovery_pct=draw(quantity("40", "75", "100")),
            output_t_reo=draw(quantity("1", "45", "55", "60", "80", "200", "700")),
            purchases_t_reo=draw(quantity("0", "20")),
            water_m3=draw(quantity("9000", "21000", "90000")),
            power_kwh=draw(quantity("9000", "90000", "900000")),
            reagents=[{"reagent": "ammonium-sulfate", "t": draw(quantity("0", "315", "900"))}],
            residues=[{"kind": "WLP", "t": draw(quantity("0", "100", "150", "170", "400"))}],
        )
        for n in (1, 2)
    ]
    changes = {
        "months": months,
        "stocks": [row("stocks", t=draw(quantity("0", "12")))],
        "residues": [
            row(
                "residues",
                t=draw(quantity("200", "240")),
                m3=draw(quantity("100", "160")),
                activity_bq_g=draw(quantity("0", "0.9", "1", "1.2")),
            )
        ],
        "shipments": [
            row(
                "shipments",
                mass_t=draw(quantity("50", "110", "250")),
                reo_pct=draw(quantity("50", "92")),
                assay=[
                    {"oxide": "Dy", "pct": draw(quantity("3", "4", "6"))},
                    {"oxide": "Nd", "pct": draw(quantity("15", "21"))},
                ],
            )
        ],
        "licences": [row("licences", capacity_t_reo_per_year=draw(numbers("80", "100", "600")))],
        "headcount": [row("headcount", people=draw(numbers("19", "20", "64")))],
    }
    observed = {
        "survey/heap-1": draw(numbers("100±5", "160±0", "185±1", "190±9", "300±20")),
        "headcount/own-staff": draw(numbers("30±1", "64±0", "81±0", "90±4")),
        "assay/lot-7-Dy": draw(numbers("3±0.1", "5±0.1", "9±1")),
        "assay/lot-7-Nd": draw(numbers("21±1", "15±0")),
        "activity/heap-1": draw(numbers("0.3±0", "1±0", "1.2±0.1", "3±0.5")),
    }
    if draw(st.booleans()):
        observed["density/heap-1"] = draw(numbers("1.5±0.1", "2.4±0.2"))
    if draw(st.booleans()):
        observed["shipped/lot-7"] = draw(numbers("60±1", "180±20"))
    return changes, observed


def grown(value: Any, factor: Decimal) -> Any:
    """The same filing with every relative uncertainty larger."""
    if isinstance(value, dict):
        if "rel" in value:
            rel = Decimal(value["rel"]) * factor + Decimal("0.01")
            return {**value, "rel": f"{min(rel, Decimal(10)):f}"}
        return {key: grown(inner, factor) for key, inner in value.items()}
    return [grown(inner, factor) for inner in value] if isinstance(value, list) else value


def wider(value: str, factor: Decimal) -> str:
    number, _, u = value.partition("±")
    return f"{number}±{Decimal(u) * factor + Decimal('0.5'):f}"


def judged(changes: dict[str, Any], observed: dict[str, str]) -> Case:
    return case(declaration=filing(**changes), observed=seen(observed))


def ranks(of: Case) -> dict[str, int]:
    """The worst severity of each rule: 0 for none, then query, minor, major, critical."""
    return {
        rule.id: max(
            (FLAG_SEVERITIES.index(f.severity) + 1 for f in rule.find(of) if isinstance(f, Flag)),
            default=0,
        )
        for rule in DECLARED
    }


@settings(max_examples=60)
@given(worlds(), st.sampled_from(["1", "1.5", "4"]), st.booleans(), st.booleans())
def test_growing_uncertainty_never_raises_severity(
    world: tuple[dict[str, Any], dict[str, str]], factor: str, declared: bool, measured: bool
) -> None:
    changes, observed = world
    before = ranks(judged(changes, observed))
    more = Decimal(factor)
    after = ranks(
        judged(
            grown(deepcopy(changes), more) if declared else changes,
            {k: wider(v, more) for k, v in observed.items()} if measured else observed,
        )
    )
    assert {rule: (before[rule], after[rule]) for rule in after if after[rule] > before[rule]} == {}


@settings(max_examples=25)
@given(worlds(), st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.booleans())
def test_what_is_filed_after_the_visit_removes_no_flag_whatever_it_speaks_of(
    world: tuple[dict[str, Any], dict[str, str]], speaks_of: date, empty: bool
) -> None:
    changes, observed = world
    on_file = filing(**changes)
    answer = {"months": [], "shipments": []} if empty else {}
    late = filing(speaks_of=speaks_of.isoformat(), filed="2026-03-03", **answer)
    visit = date(2026, 3, 2)
    before = evaluate(case(declaration=in_force([on_file], visit), observed=seen(observed)))
    after = evaluate(case(declaration=in_force([late, on_file], visit), observed=seen(observed)))
    assert findings_bytes(before) == findings_bytes(after)


@settings(max_examples=15)
@given(worlds(), st.integers(3, 20))
def test_the_callers_arithmetic_changes_nothing(
    world: tuple[dict[str, Any], dict[str, str]], precision: int
) -> None:
    of = judged(*world)
    with localcontext(Context(prec=precision)):
        there = [f for rule in DECLARED for f in rule.find(of)]
    assert findings_bytes(there) == findings_bytes([f for r in DECLARED for f in r.find(of)])


def test_rows_in_another_order_give_the_same_bytes() -> None:
    """The digest of the filing is another, the findings about it are the same."""
    doc = dict(filing().document)
    doc["months"] = [month(output_t_reo="120"), month(month="2026-02", output_t_reo="150")]
    doc["shipments"] = [row("shipments", lot=f"lot-{n}", mass_t="90") for n in (1, 2)]
    turned = {k: v[::-1] if isinstance(v, list) and k != "rings" else v for k, v in doc.items()}
    one, other = read_declaration(doc), read_declaration(turned)
    same = replace(other, id=one.id, digest=one.digest)
    assert one.digest != other.digest
    assert findings_bytes(evaluate(case(declaration=one))) == findings_bytes(
        evaluate(case(declaration=same))
    )


@pytest.mark.parametrize(
    ("excess", "sigma", "severity"),
    [("0", "0", None), ("-1", "5", None), ("1", "0.5", "query"), ("1", "0.49", "major")],
)
def test_what_two_standard_uncertainties_explain_is_asked(
    excess: str, sigma: str, severity: str | None
) -> None:
    assert grade(Decimal(excess), Decimal(sigma), "major") == severity


def test_numbers_read_well() -> None:
    given = ("0", "96000", "57.6", "0.46783625", "2.08333", "1234567.8", "0.000001234", "-3.5")
    assert [figure(Decimal(one)) for one in given] == [
        *("0", "96,000", "57.6", "0.4678", "2.083", "1,234,568", "0.000001", "-3.5")
    ]
    assert plain(Decimal(1) / Decimal(3)) == "0.333333333333"
    assert plain(Decimal("120.00")) == "120"
    assert plain(Decimal("1E+3")) == "1000"
    assert stated(Amount(Decimal(120), Decimal(6)), "t") == "120 ± 12 t"
    assert stated(Amount(Decimal(120)), "t") == "120 t"
