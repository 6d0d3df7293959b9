"""Where two copies of a log part, found by asking for chain hashes (S3, S12)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.generation import MOST_ASKED, HeldLog, ask_at, narrowed, shared
from sync.log import MAX_LOG_LINES


def chain(own: int, name: str, before: list[bytes]) -> list[bytes]:
    """The hashes of a log that has `before` in common with another, and `own` lines after that."""
    return [*before, *(hashlib.sha256(f"{name}{n}".encode()).digest() for n in range(own))]


def found(here: list[bytes], there: list[bytes]) -> tuple[int, int]:
    """How far both are the same, as a device finds it, and how often it had to ask."""
    known = shared(here, HeldLog("a log", len(there), there[-1].hex() if there else "0" * 64))
    asked = 0
    while not known.known:
        at = ask_at(known)
        assert at == sorted(set(at))
        assert known.same < at[0] <= at[-1] < known.other
        assert len(at) <= MOST_ASKED
        answer = {n: there[n - 1].hex() if n <= len(there) else None for n in at}
        before, known = known, narrowed(known, here, answer)
        assert known.other - known.same < before.other - before.same
        asked += 1
    return known.same, asked


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_the_beginning_that_both_have_is_found_wherever_they_part(
    common: int, mine: int, theirs: int
) -> None:
    """S3: whichever of them is the longer one, or the beginning of the other."""
    both = chain(common, "both", [])
    assert found(chain(mine, "mine", both), chain(theirs, "theirs", both))[0] == common


@pytest.mark.parametrize("common", [0, 1, 7, 99_999, 123_456, MAX_LOG_LINES - 1])
def test_four_requests_do_for_the_longest_log(common: int) -> None:
    """S3, S12"""
    both = chain(common, "both", [])
    here = chain(MAX_LOG_LINES - common, "mine", both)
    there = chain(MAX_LOG_LINES - common, "theirs", both)
    same, asked = found(here, there)
    assert same == common
    assert asked <= 4


@pytest.mark.parametrize("common", [0, 1, 30])
def test_a_head_that_agrees_is_asked_about_no_more(common: int) -> None:
    """S3: what the server has is the beginning of what is here, or nothing at all."""
    both = chain(common, "both", [])
    assert found(chain(5, "mine", both), both) == (common, 0)
    assert shared(both, None).known
