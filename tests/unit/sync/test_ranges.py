"""Positions as ranges: what a sign-off covers and leaves out (L7)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.log import MAX_INTEGER
from sync.ranges import Ranges, count_in, holds, less, ranges_of, read_ranges, together

POSITIONS = st.sets(st.integers(1, 30))


def of(positions: set[int]) -> Ranges:
    return ranges_of(sorted(positions))


@given(POSITIONS, POSITIONS)
def test_ranges_are_the_positions_that_they_stand_for(some: set[int], others: set[int]) -> None:
    """L7: held against sets of the same positions."""
    a, b = of(some), of(others)
    assert count_in(a) == len(some)
    assert {n for n in range(32) if holds(a, n)} == some
    assert less(a, b) == of(some - others)
    assert together(a, b) == of(some | others)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(a))


@given(POSITIONS)
def test_ranges_are_read_as_they_are_written(some: set[int]) -> None:
    assert read_ranges([list(one) for one in of(some)], 31) == of(some)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "3",
        3,
        [3],
        [[3]],
        [[3, 3, 3]],
        [[0, 1]],
        [[-2, -1]],
        [[3, 2]],
        [[2, 3], [3, 4]],
        [[4, 5], [2, 3]],
        [[2, 3], [2, 3]],
        [[1, 9]],
        [[1, MAX_INTEGER]],
        [[1.0, 2]],
        [[True, 2]],
        [["1", "2"]],
        [[None, 2]],
        [[[1, 1], 2]],
    ],
)
def test_what_is_no_list_of_ranges_before_the_end_is_not_read(value: Any) -> None:
    assert read_ranges(value, 9) is None


def test_a_range_of_any_length_is_never_written_out() -> None:
    """L7: a hostile entry may name as many positions as there are integers."""
    whole: Ranges = ((1, MAX_INTEGER),)
    hole: Ranges = ((5, MAX_INTEGER - 5),)
    assert count_in(less(whole, hole)) == 9
    assert together(less(whole, hole), hole) == whole
    assert holds(hole, 2**40) and not holds(less(whole, hole), 2**40)
