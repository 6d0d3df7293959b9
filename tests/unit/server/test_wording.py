"""How numbers, dates and distances are said on the pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.pages import wording

AT = 1_795_413_900_000  # 2026-11-23 06:05 UTC


def score(**changes: Any) -> dict[str, Any]:
    return {
        "grade": "B",
        "grade_state": "graded",
        "raw": "78.400",
        "capped": "78.400",
        "interval": ["70.200", "83.900"],
        "coverage": "0.938",
    } | changes


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"grade_state": "provisional"}, "B · 78.4 (70–84) · 93 % seen · provisional"),
        ({}, "B · 78.4 (70–84) · 93 % seen"),
        (
            {"grade": None, "grade_state": "withheld"},
            "78.4 (70–84) · 93 % seen · grade withheld",
        ),
        (
            {"grade": None, "grade_state": "none", "raw": None, "capped": None, "interval": None},
            "93 % seen · no grade",
        ),
        ({"capped": "59.000"}, "B · 59.0, capped from 78.4 (70–84) · 93 % seen"),
        (
            {"capped": "71.000", "for_grade": {"raw": "71.000"}},
            "B · 71.0, lowered for the grade from 78.4 (70–84) · 93 % seen",
        ),
        (
            {"capped": "59.000", "for_grade": {"raw": "71.000"}},
            "B · 59.0, capped from 78.4 (70–84) · 93 % seen",
        ),
        ({"interval": None}, "B · 78.4 · 93 % seen"),
    ],
)
def test_a_score_never_stands_bare(changes: dict[str, Any], line: str) -> None:
    assert wording.score_line(score(**changes)) == line


def test_no_score_says_so() -> None:
    assert wording.score_line(None) == "Not assessed yet"


@given(st.decimals(0, 1, places=6), st.decimals(0, 100, places=3), st.decimals(0, 100, places=3))
def test_shortening_never_makes_a_score_look_surer_or_fuller(
    coverage: Decimal, one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))
    seen = int(wording.share(str(coverage)).removesuffix(" %"))
    assert seen <= coverage * 100 < seen + 1
    shown = [int(end) for end in wording.span([str(low), str(high)]).split("–")]
    assert 0 <= shown[0] <= low <= high <= shown[1] <= 100


@pytest.mark.parametrize(
    ("country", "said"),
    [
        ("MY", "23 Nov 2026, 14:05 (UTC+8)"),
        ("MM", "23 Nov 2026, 12:35 (UTC+6:30)"),
        ("TH", "23 Nov 2026, 13:05 (UTC+7)"),
        ("XX", "23 Nov 2026, 06:05 (UTC)"),
    ],
)
def test_a_time_is_said_in_the_countrys_time_with_its_offset(country: str, said: str) -> None:
    assert wording.moment(AT, country) == said


@given(st.integers(-(2**53), 2**53))
def test_any_time_that_a_device_may_claim_can_be_said(at: int) -> None:
    assert wording.moment(at, "MM")
    assert wording.day(at, "MM")
    assert wording.iso(at) is not None


@pytest.mark.parametrize(
    ("value", "accuracy", "said"),
    [
        ("412", "12", "412 m ± 12 m"),
        (411.7, 12.2, "412 m ± 12 m"),
        ("4.55", None, "4.6 m"),
        ("0", "5", "0 m ± 5 m"),
        ("12345.6", None, "12.3 km"),
        (None, None, "—"),
        ("not a number", None, "—"),
        ("NaN", None, "—"),
        ("1e400", None, "—"),
    ],
)
def test_a_distance_stands_with_unit_and_doubt(value: Any, accuracy: Any, said: str) -> None:
    assert wording.metres(value, accuracy) == said


def test_a_position_names_its_hemispheres() -> None:
    assert wording.position("20.450123", "99.88034") == "20.45012° N, 99.88034° E"
    assert wording.position("-6.2", "-0.000001") == "6.20000° S, 0.00000° W"
    assert wording.position(None, "1") == "no position"


@pytest.mark.parametrize(
    ("size", "said"), [(43, "43 bytes"), (412_345, "412 kB"), (2_149_000, "2.1 MB")]
)
def test_a_size_is_said_in_thousands(size: int, said: str) -> None:
    assert wording.size(size) == said


def test_reasons_of_one_kind_are_folded_and_open_flags_come_first() -> None:
    reasons = [
        {"code": "unproven", "text": "A"},
        {"code": "unproven", "text": "B"},
        {"code": "open-flag", "text": "C"},
    ]
    assert wording.by_code(reasons) == [("C", []), ("A", ["B"])]
    assert wording.by_code([*reasons, {"code": "no-visit", "text": "D"}]) == [("D", [])]


def test_a_code_nobody_gave_words_to_is_still_readable() -> None:
    assert wording.label("placer-mine") == "Placer mine"
    assert wording.label(None) == "—"
    assert wording.level_label("does-not-meet", "met-or-not") == "Not met"


def test_two_moments_of_one_day_say_the_day_once() -> None:
    """(L9) The interval in which an entry was written, as the page of entries shows it."""
    assert wording.between(AT, AT + 300_000, "MY") == ("23 Nov 2026, 14:05", "14:10 (UTC+8)")
    assert wording.between(AT, AT + 86_400_000, "MY") == (
        "23 Nov 2026, 14:05 (UTC+8)",
        "24 Nov 2026, 14:05 (UTC+8)",
    )
    assert wording.between(10**17, 10**17)[0] == "a time outside the calendar"


def test_a_path_is_shown_with_its_digests_and_ids_cut_and_nothing_else() -> None:
    digest, device = "77b02160" + "4" * 56, "qmka4x7qtbomdo66bl25gkq43zgq6k4u"
    assert wording.short_path(f"evidence/{digest}/{device}") == "evidence/77b02160…/qmka4x7q…"
    assert wording.short_path(f"device/nonce/{'d0' * 16}") == "device/nonce/d0d0d0d0…"
    named = "answers/ISL-E2/the-well-behind-the-old-store-house"
    assert wording.short_path(named) == named
