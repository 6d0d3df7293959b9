from __future__ import annotations

import pytest
from discrepancy_cases import case, declared, filing, flags, month, needs, only

from checklists.discrepancies.case import Case
from checklists.discrepancies.mass_balance import R18


def q(value: str, rel: str | None = None) -> object:
    return value if rel is None else {"value": value, "rel": rel}


def made(*outputs: object, **changes: object) -> Case:
    """Months of 96,000 t of ore at 0.08 % and 75 % recovery, so 57.6 t REO each, and outputs."""
    base = {
        "ore_t": q("96000", "0.10"),
        "grade_pct": q("0.08", "0.15"),
        "recovery_pct": q("75", "0.10"),
        **changes,
    }
    months = [
        month(month=f"2025-{n:02d}", output_t_reo=o, **base) for n, o in enumerate(outputs, 1)
    ]
    return case(declaration=filing(months=months))


def test_v9_twice_the_yield_is_critical() -> None:
    """V9: 96,000 t x 0.0008 x 0.75 = 57.6 t; 120 is 2.0833 times that; the limit is 1.41231."""
    flag = only(R18, made("120"))
    assert (flag.severity, flag.subject) == ("critical", "operations")
    assert flag.inputs["expected_t_reo"] == "57.6"
    assert flag.inputs["expected_rel"].startswith("0.206155")
    assert flag.inputs["limit_t_reo"].startswith("81.34")
    assert float(flag.inputs["limit_t_reo"]) / 57.6 == pytest.approx(1.41231, abs=5e-6)
    assert flag.margin == "208.3 % of what the declared ore yields"
    assert "120 t REO made (in-situ-leach) in 2025-01" in flag.explanation
    assert "limit with their uncertainties: 81.35 t REO" in flag.explanation


@pytest.mark.parametrize(
    ("output", "severity"),
    [
        ("57.6", None),
        ("63.36", None),
        ("63.37", "query"),
        ("81.34", "query"),
        ("81.36", "critical"),
    ],
)
def test_what_the_uncertainties_may_explain_is_asked(output: str, severity: str | None) -> None:
    assert [f.severity for f in flags(R18, made(output))] == ([severity] if severity else [])


def test_an_uncertain_output_makes_it_a_query() -> None:
    assert only(R18, made(q("120", "0.10"))).severity == "critical"
    flag = only(R18, made(q("120", "0.20")))
    assert flag.severity == "query"
    assert "so it is a question" in flag.explanation


def test_an_uncertainty_that_is_not_stated_is_assumed_and_hides_nothing() -> None:
    bare = {"ore_t": "96000", "grade_pct": "0.08", "recovery_pct": "75"}
    assert only(R18, made("81.36", **bare)).severity == "critical"
    assert only(R18, made("81.34", **bare)).severity == "query"
    vague = {"ore_t": q("96000", "5"), "grade_pct": "0.08", "recovery_pct": "75"}
    assert only(R18, made("120", **vague)).severity == "query"
    exact = {"ore_t": q("96000", "0"), "grade_pct": q("0.08", "0"), "recovery_pct": q("75", "0")}
    assert only(R18, made("57.7", **exact)).severity == "critical"
    assert flags(R18, made("57.6", **exact)) == []


def test_months_count_together_and_one_that_stands_out_is_asked_about() -> None:
    assert only(R18, made("100", "100")).severity == "critical"
    flag = only(R18, made("20", "100", "40"))
    assert flag.severity == "query"
    assert flag.inputs["months"] == ["2025-02"]
    assert "question about that month" in flag.explanation


def test_feed_bought_in_counts_as_ore() -> None:
    assert flags(R18, made("120", purchases_t_reo="60")) == []
    flag = only(R18, made("220", purchases_t_reo="60"))
    assert "Feed bought in is counted" in flag.explanation


def test_each_process_is_held_against_its_own_ore() -> None:
    months = [
        month(process="in-situ-leach", output_t_reo="200"),
        month(process="hard-rock", output_t_reo="1"),
    ]
    flag = only(R18, case(declaration=filing(months=months)))
    assert (flag.key, flag.severity) == ("in-situ-leach", "critical")


def test_without_any_ore_all_output_is_too_much() -> None:
    assert only(R18, made("1", ore_t="0")).severity == "critical"
    assert flags(R18, made("0", ore_t="0")) == []


def test_months_after_the_visit_are_plans() -> None:
    later = filing(months=[month(month="2026-04", output_t_reo="500")])
    assert "up to the month of the visit" in needs(R18, case(declaration=later))[0]


def test_a_missing_input_is_said() -> None:
    assert "on file" in needs(R18, case(declaration=None))[0]
    assert "monthly figures" in needs(R18, case(declaration=declared()))[0]
    without = filing(months=[month(recovery_pct=None)])
    assert "recovery" in needs(R18, case(declaration=without))[0]
