"""What evidence is worth (scoring rules 3 and 4)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import scoring_world as w

from checklists.model import Piece
from checklists.scoring.evidence import MICRO, dating_of, decayed, prove
from checklists.scoring.inputs import EvidenceFact

DATING = dating_of(w.inputs(w.whole(), []))
TWO_PHOTOS = (Piece("photo", 1, 2),)


def q(fact: EvidenceFact, kind: str = "photo") -> int:
    return prove((Piece(kind, 1),), [fact], DATING).pieces[0].q


@pytest.mark.parametrize(
    ("change", "want", "why"),
    [
        ({}, MICRO, "signed at the source and held"),
        ({"flagged": ("R12",)}, MICRO // 2, "open flag on the record (R12)"),
        ({"signed": False}, MICRO // 2, "not signed at the source"),
        ({"signed": False, "flagged": ("R12",)}, MICRO // 2, "open flag"),
        ({"held": False}, 0, "does not hold it"),
        ({"rejected": "another site"}, 0, "rejected: another site"),
        ({"expires": "2026-11-22"}, 0, "expired on 2026-11-22"),
        ({"expires": w.AS_OF}, MICRO, "held"),
    ],
)
def test_a_file_is_worth_one_half_or_nothing_and_says_why(
    change: dict[str, object], want: int, why: str
) -> None:
    """Rule 3."""
    share = prove(w.PHOTO, [replace(w.fact("a"), **change)], DATING).pieces[0]
    assert share.q == want
    assert why in share.files[0].why


@pytest.mark.parametrize(
    ("kind", "days", "want"),
    [
        ("sample", 180, MICRO),
        ("sample", 181, 996_157),
        ("sample", 540, 250_000),
        ("photo", 365, MICRO),
        ("photo", 730, 500_000),
        ("interview", 730, 500_000),
        ("track", 730, 500_000),
        ("document", 9000, MICRO),
    ],
)
def test_each_kind_ages_at_its_own_pace(kind: str, days: int, want: int) -> None:
    """Rule 4."""
    assert q(w.fact("a", kind, days_old=days), kind) == want


def test_ages_are_whole_days_between_dates_in_utc() -> None:
    first_ms = replace(w.fact("a", "sample", days_old=181))
    last_ms = replace(first_ms, made_at=first_ms.made_at + w.DAY_MS - 1)
    assert q(first_ms, "sample") == q(last_ms, "sample") == 996_157


def test_a_file_dated_after_the_score_counts_as_fresh() -> None:
    assert q(w.fact("a", days_old=-40)) == MICRO


def test_a_piece_is_the_mean_of_as_many_files_as_it_asks_for() -> None:
    one = prove(TWO_PHOTOS, [w.fact("a")], DATING)
    assert one.e == Fraction(1, 2)
    best = prove(TWO_PHOTOS, [w.fact("a"), w.fact("b"), w.fact("c", held=False)], DATING)
    assert best.e == 1


def test_one_picture_attached_twice_is_one_picture() -> None:
    fact = w.fact("a")
    twice = [fact, replace(fact, signed=False)]
    assert prove(TWO_PHOTOS, twice, DATING).e == Fraction(1, 2)


def test_one_file_proves_one_kind_of_piece_only() -> None:
    fact = w.fact("a")
    pieces = (Piece("photo", 1), Piece("document", 1))
    assert prove(pieces, [fact, replace(fact, kind="document")], DATING).e == Fraction(1, 2)


def test_a_file_attached_again_in_a_later_visit_does_not_become_younger() -> None:
    """Rule 4."""
    old, again = w.fact("a", days_old=730), w.fact("a", days_old=0)
    visits = [
        w.visit("v1", w.answer("B-E", evidence=(old,)), at=w.NOW - 730 * w.DAY_MS),
        w.visit("v2", w.answer("B-E", evidence=(again,))),
    ]
    dating = dating_of(w.inputs(w.whole(), visits))
    assert prove(w.PHOTO, [again], dating).e == Fraction(1, 2)


def test_an_item_that_requires_no_evidence_is_allowed_everything() -> None:
    assert prove((), [], DATING).allowance == 1000


def test_a_share_never_grows_with_age() -> None:
    shares = [decayed(MICRO, days, 180) for days in range(0, 4000, 7)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0
