"""Positions of a log as ranges of first and last: what a sign-off covers and leaves out (L7).

A position in an entry may be any number, so that a range is never written out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

Ranges = tuple[tuple[int, int], ...]  # first and last position, ascending, none meets another


def ranges_of(positions: Iterable[int]) -> Ranges:
    """Ascending positions as ranges."""
    found: list[tuple[int, int]] = []
    for n in positions:
        if found and n == found[-1][1] + 1:
            found[-1] = (found[-1][0], n)
        else:
            found.append((n, n))
    return tuple(found)


def count_in(ranges: Ranges) -> int:
    """How many positions they are."""
    return sum(last - first + 1 for first, last in ranges)


def holds(ranges: Ranges, position: int) -> bool:
    """Whether a position is among them."""
    at = bisect_right(ranges, (position, position))
    return (at < len(ranges) and ranges[at][0] == position) or (
        at > 0 and ranges[at - 1][1] >= position
    )


def less(ranges: Ranges, others: Ranges) -> Ranges:
    """The positions of the first that are not among the others."""
    found: list[tuple[int, int]] = []
    at = 0
    for first, last in ranges:
        while at < len(others) and others[at][1] < first:
            at += 1
        n, left = at, first
        while n < len(others) and others[n][0] <= last:
            if others[n][0] > left:
                found.append((left, others[n][0] - 1))
            left = others[n][1] + 1
            n += 1
        if left <= last:
            found.append((left, last))
    return tuple(found)


def together(ranges: Ranges, others: Ranges) -> Ranges:
    """The positions of either."""
    found: list[tuple[int, int]] = []
    for first, last in sorted((*ranges, *others)):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def read_ranges(value: Any, end: int) -> Ranges | None:
    """Ranges as JSON gives them, `[[3, 3], [7, 9]]`, all before the position `end`.

    None where it is anything else: out of order, overlapping, not of this log.
    """
    if not isinstance(value, list):
        return None
    before = 0
    for one in value:
        if not isinstance(one, list) or len(one) != 2 or any(type(n) is not int for n in one):
            return None
        if not before < one[0] <= one[1] < end:
            return None
        before = one[1]
    return tuple((first, last) for first, last in value)
