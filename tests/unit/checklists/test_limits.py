"""Limits tables and scoring profiles: exact numbers, sources, and every fault named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from checklists.load import load_limits, load_profile
from checklists.model import Ageing
from sync.problems import Problem

LIMITS = """\
format: tapak-limits/1
jurisdiction: example
title: Example (fictional)
version: "1"
fictional: true
limits:
  surface-water/As:
    upper: 0.010
    unit: mg/L
    source: Fictional order
    date: 2026-01-01
  surface-water/pH: {lower: 6.0, upper: 9.0, unit: pH, source: Fictional, date: 2026-02-28}
"""

PROFILE = """\
format: tapak-profile/1
id: default
version: "1"
pillars: {environment: 40, social: 35, governance: 25}
sigma-thousandths: 150
ageing:
  photo: {fresh-days: 365, half-life-days: 365}
  document: none
  sample: {fresh-days: 180, half-life-days: 180}
  interview: {fresh-days: 365, half-life-days: 365}
  track: {fresh-days: 365, half-life-days: 365}
"""


def test_a_limit_keeps_the_very_digits_of_the_file() -> None:
    limits = load_limits(LIMITS.encode(), "l.yaml").limits
    assert str(limits["surface-water/As"].upper) == "0.010"
    assert limits["surface-water/As"].lower is None
    assert limits["surface-water/pH"].lower == Decimal("6.0")
    assert limits["surface-water/pH"].date == "2026-02-28"


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "remedy"),
    [
        ("upper: 0.010", "upper: 1e-2", 8, '"1e-2" is not a decimal', "0.010"),
        ("upper: 0.010", "upper: .010", 8, '".010" is not a decimal', "0.010"),
        ("upper: 0.010", "upper: -0.010", 8, "under zero", "zero or more"),
        ("    upper: 0.010\n", "", 7, "neither upper nor lower", "upper"),
        ("lower: 6.0", "lower: 9.5", 12, "upper is under lower", "Swap"),
        ("2026-01-01", "2026-13-01", 11, "not in the calendar", "Check"),
        ("2026-01-01", "1 Jan 2026", 11, "right form", "YYYY-MM-DD"),
        ("    source: Fictional order\n", "", 8, "lacks the field source", "source"),
        ("    unit: mg/L\n", "    units: mg/L\n", 9, 'no field "units"', 'Write "unit"'),
        ("fictional: true", "fictional: yes", 5, '"yes" is not known', "true, false"),
        ("fictional: true\n", "", 1, "lacks the field fictional", "fictional"),
        ("surface-water/As:", "As:", 7, "right form", "surface-water/As"),
        ("surface-water/pH", "surface-water/As", 12, "stands twice; first on line 7", "one of"),
        ("tapak-limits/1", "tapak-limits/2", 1, '"tapak-limits/2"', "tapak-limits/1"),
        ("limits:", "verified: no\nlimits:", 6, '"no" is not known', "true, false"),
        ("limits:", "verified: true\nlimits:", 6, "verified and fictional", "verified: false"),
    ],
)
def test_each_fault_of_a_limits_table_is_named(
    old: str, new: str, line: int, message: str, remedy: str
) -> None:
    assert old in LIMITS
    with pytest.raises(Problem) as caught:
        load_limits(LIMITS.replace(old, new, 1).encode(), "l.yaml")
    assert caught.value.code == "checklist-malformed"
    found = caught.value.detail["faults"]
    assert [(f["file"], f["line"]) for f in found] == [("l.yaml", line)]
    assert message in found[0]["message"]
    assert remedy in found[0]["remedy"]


@pytest.mark.parametrize(
    ("members", "verified", "caution"),
    [
        ("fictional: true", False, "fictional"),
        ("fictional: true\nverified: false", False, "fictional"),
        ("fictional: false", False, "not verified against the law"),
        ("fictional: false\nverified: false", False, "not verified against the law"),
        ("fictional: false\nverified: true", True, ""),
    ],
)
def test_a_table_is_verified_only_where_it_says_so(
    members: str, verified: bool, caution: str
) -> None:
    table = load_limits(LIMITS.replace("fictional: true", members).encode(), "l.yaml")
    assert (table.verified, table.caution) == (verified, caution)


def test_a_profile_is_read_with_kinds_that_do_not_age_left_out() -> None:
    profile = load_profile(PROFILE.encode(), "p.yaml")
    assert profile.pillar_weights == {"environment": 40, "social": 35, "governance": 25}
    assert profile.sigma_thousandths == 150
    assert profile.ageing["sample"] == Ageing(180, 180)
    assert "document" not in profile.ageing


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("social: 35", "social: 36", 4, "add up to 101"),
        ("social: 35", "sozial: 35", 4, 'no field "sozial"'),
        ("  document: none\n", "", 7, "lacks the field document"),
        ("document: none", "document: never", 8, '"never" is not known'),
        ("half-life-days: 180", "half-life-days: 0", 9, "whole number from 1"),
        ("sigma-thousandths: 150", "sigma-thousandths: 0.15", 5, "does not fit"),
        ("sigma-thousandths: 150", "sigma-thousandths: 0150", 5, "does not fit"),
    ],
)
def test_each_fault_of_a_profile_is_named(old: str, new: str, line: int, message: str) -> None:
    assert old in PROFILE
    with pytest.raises(Problem) as caught:
        load_profile(PROFILE.replace(old, new, 1).encode(), "p.yaml")
    found = caught.value.detail["faults"]
    assert [f["line"] for f in found] == [line]
    assert message in found[0]["message"] + found[0]["remedy"]
