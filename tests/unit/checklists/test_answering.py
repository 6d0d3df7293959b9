"""What an auditor types -> levels, special answers, readings; or what would have fitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists.answering import LEVEL_NAMES, SPECIAL_NAMES, read_answer
from checklists.load import load_checklist
from checklists.model import Item
from checklists.published import checklist_bytes
from fieldkit.capture import find_item
from fieldkit.fixes import fix_value, read_fix
from sync.inspection import is_decimal
from sync.place import parse_fix
from sync.problems import Problem

CHECKLIST = load_checklist(checklist_bytes("rare-earth-site"), "rare-earth-site")
LEVELS = find_item(CHECKLIST, "GEN-G1")
MET = find_item(CHECKLIST, "GEN-S1")
WATER = find_item(CHECKLIST, "GEN-E4")


def _problem(item: Item, *words: str) -> Problem:
    with pytest.raises(Problem) as raised:
        read_answer(item, words)
    return raised.value


@pytest.mark.parametrize(("word", "level"), sorted(LEVEL_NAMES.items()))
def test_every_name_of_a_level_is_understood(word: str, level: str) -> None:
    item = MET if word in ("met", "not-met") else LEVELS
    assert read_answer(item, [word.upper()]) == {"level": level}


@pytest.mark.parametrize(("word", "special"), sorted(SPECIAL_NAMES.items()))
def test_every_special_answer_fits_every_item(word: str, special: str) -> None:
    for item in (LEVELS, MET, WATER):
        assert read_answer(item, [word]) == {"special": special}


@pytest.mark.parametrize(
    ("item", "word"),
    [(LEVELS, "good"), (LEVELS, "met"), (MET, "partially"), (MET, "SM"), (LEVELS, "fully fully")],
)
def test_an_unknown_level_is_told_with_those_that_fit(item: Item, word: str) -> None:
    raised = _problem(item, *word.split())
    assert raised.code == "level-unknown"
    assert ("not-met" if item is MET else "does-not-meet") in raised.remedy


@pytest.mark.parametrize(
    "words",
    [
        ["As=0.008±0.001 mg/L"],
        ["As=0.008±0.001", "mg/L"],
        ["as=0.008+-0.001mg/L"],
        ["As", "=", "0.008", "+/-", "0.001", "mg/L"],
        ["As=0.008 ± 0.001"],
    ],
)
def test_a_reading_is_understood_however_it_is_spaced(words: list[str]) -> None:
    reading = {"analyte": "As", "value": "0.008", "u": "0.001", "unit": "mg/L"}
    assert read_answer(WATER, words) == {"readings": [reading]}


def test_several_readings_make_one_answer_and_keep_their_digits() -> None:
    found = read_answer(WATER, ["As=0.0080", "Pb=0.02±0.010 mg/L", "pH=6.80"])
    assert found == {
        "readings": [
            {"analyte": "As", "value": "0.0080", "unit": "mg/L"},
            {"analyte": "Pb", "value": "0.02", "u": "0.010", "unit": "mg/L"},
            {"analyte": "pH", "value": "6.80", "unit": "pH"},
        ]
    }


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["As=0.008 ug/L"], "is given in mg/L, not in ug/L"),
        (["Az=1"], "nearest: "),
        (["As=0,008"], "not a number with a decimal point"),
        (["As=.5"], "not a number with a decimal point"),
        (["As=<0.001"], "not of the form"),
        (["0.008"], "names no analyte"),
        (["=5"], "not of the form"),
        (["As=1±-1"], "not below zero"),
        (["As=1", "As=2"], "stands in it twice"),
        (["As=1±"], "is given in mg/L"),
    ],
)
def test_a_reading_that_does_not_fit_is_told_with_what_would(words: list[str], why: str) -> None:
    raised = _problem(WATER, *words)
    assert raised.code == "reading-malformed"
    assert why in raised.happened
    assert "As (mg/L)" in raised.remedy


def test_a_reading_for_an_item_of_levels_is_told() -> None:
    assert "answered with a level" in _problem(LEVELS, "As=1").happened


@given(words=st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_whatever_is_typed_is_an_answer_or_a_problem(words: list[str]) -> None:
    for item in (LEVELS, MET, WATER):
        try:
            found = read_answer(item, words)
        except Problem as exc:
            assert exc.code in ("level-unknown", "reading-malformed")
        else:
            assert len(found) == 1
            for one in found.get("readings", []):  # type: ignore[attr-defined]
                assert is_decimal(one["value"])


_NUMBERS = st.one_of(
    st.decimals(-200, 200, places=3).map(str), st.sampled_from(["", "0", "-0", "+5", "x", "1e3"])
)


@given(parts=st.lists(_NUMBERS, max_size=4))
def test_a_typed_fix_is_read_as_the_places_module_reads_it(parts: list[str]) -> None:
    text = ",".join(parts)
    try:
        expected = parse_fix(text)
    except Problem as exc:
        with pytest.raises(Problem) as raised:
            read_fix(text)
        assert raised.value.code == exc.code == "place-malformed"
    else:
        assert read_fix(text) == expected


def test_a_fix_is_kept_without_what_was_not_measured() -> None:
    assert fix_value(read_fix("4.01,101.01")) == {"lat": "4.01", "lon": "101.01", "source": "typed"}
    assert fix_value(None) is None
