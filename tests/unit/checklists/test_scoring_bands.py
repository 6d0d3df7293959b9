"""Readings against limits (scoring rule 1)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import scoring_world as w
from hypothesis import given
from hypothesis import strategies as st

from checklists.scoring.bands import Bound, band, bound_of, judge_readings
from sync.inspection import Reading

ARSENIC = w.analyte("As", "As")
LEAD = w.analyte("Pb", "Pb")
TABLE = w.limits(As="0.010", Pb="0.010")
values = st.fractions(min_value=-20, max_value=20, max_denominator=1000)
sizes = st.fractions(min_value=0, max_value=5, max_denominator=1000)


def judged(*readings: Reading, analytes: tuple = (ARSENIC, LEAD)):
    return judge_readings(analytes, readings, TABLE)


def test_the_worst_analyte_counts() -> None:
    result = judged(w.reading("As", "0.001"), w.reading("Pb", "0.012"))
    assert (result.value, result.missing) == (300, ())


def test_the_worst_of_several_readings_of_one_analyte_counts() -> None:
    result = judged(w.reading("As", "0.001"), w.reading("As", "0.034"), w.reading("Pb", "0.001"))
    assert result.value == 0


def test_an_analyte_left_out_is_named() -> None:
    assert judged(w.reading("As", "0.001")).missing == ("Pb",)


def test_a_reading_in_another_unit_is_no_reading_and_says_why() -> None:
    result = judged(w.reading("As", "8", unit="µg/L"), w.reading("Pb", "0.001"))
    assert result.missing == ("As",)
    assert "µg/L" in result.rows[0].why


def test_two_ways_of_typing_a_unit_are_one() -> None:
    micro = w.analyte("dust", None, upper=Decimal(50))
    micro = type(micro)("dust", w.text("dust"), "\u00b5g/m³", upper=Decimal(50))
    result = judge_readings((micro,), (w.reading("dust", "20", unit="\u03bcg/m3"),), None)
    assert result.value == 1000


def test_without_an_uncertainty_a_reading_reaches_no_more_than_substantially() -> None:
    result = judged(w.reading("As", "0.001", None), w.reading("Pb", "0.001"))
    assert (result.value, result.measured) == (700, False)


def test_without_an_uncertainty_a_bad_reading_stays_bad() -> None:
    assert judged(w.reading("As", "0.034", None), w.reading("Pb", "0.001")).value == 0


def test_a_book_figure_has_no_uncertainty_by_nature() -> None:
    loss = w.analyte("loss", None, upper=Decimal(10), exact=True)
    result = judge_readings((loss,), (w.reading("loss", "9", None),), None)
    assert (result.value, result.measured) == (1000, True)


def test_a_tolerance_takes_the_size_of_the_deviation() -> None:
    balance = w.analyte("balance", None, upper=Decimal(2), exact=True)
    assert judge_readings((balance,), (w.reading("balance", "-2.5"),), None).value == 300


def test_a_range_of_its_own_keeps_the_sign() -> None:
    drift = w.analyte("drift", None, upper=Decimal(2), lower=Decimal(-5), exact=True)
    assert judge_readings((drift,), (w.reading("drift", "-4"),), None).value == 1000


def test_a_figure_below_zero_by_more_than_its_uncertainty_measures_nothing() -> None:
    assert judged(w.reading("As", "-0.034"), w.reading("Pb", "0.001")).missing == ("As",)
    assert judged(w.reading("As", "-0.0005"), w.reading("Pb", "0.001")).value == 1000


def test_a_negative_uncertainty_makes_a_reading_unusable() -> None:
    assert judged(w.reading("As", "0.011", "-0.005"), w.reading("Pb", "0.001")).missing == ("As",)


def test_an_analyte_that_was_not_asked_for_is_kept_and_not_used() -> None:
    result = judged(w.reading("As", "0.001"), w.reading("Pb", "0.001"), w.reading("Hg", "9"))
    assert result.value == 1000
    assert [r.why for r in result.rows if r.reading.analyte == "Hg"] == [
        "the item does not ask for it"
    ]


def test_an_analyte_without_a_row_in_the_table_has_no_limit() -> None:
    assert bound_of(w.analyte("Hg", "Hg"), TABLE) is None
    assert bound_of(ARSENIC, None) is None


@given(values, sizes, sizes)
def test_more_uncertainty_never_makes_a_band_better(
    v: Fraction, u: Fraction, more: Fraction
) -> None:
    bound = Bound(Fraction(9), Fraction(6), "", False, "")
    assert band(v, u + more, bound) <= band(v, u, bound)


@given(values, values, sizes)
def test_a_higher_value_is_never_better_under_an_upper_limit(
    a: Fraction, b: Fraction, u: Fraction
) -> None:
    bound = Bound(Fraction(9), None, "", False, "")
    assert band(max(a, b), u, bound) <= band(min(a, b), u, bound)


def test_a_limit_is_shown_as_it_is_written_and_may_have_any_number_of_places() -> None:
    for text in ("0.010", "0.01", "0.0100000000000001"):
        bound = bound_of(w.analyte("As", "As"), w.limits(As=text))
        assert bound is not None
        assert bound.text == f"≤ {text} mg/L"
        assert bound.upper == Fraction(text) * 10**12
