"""A limit of kilobits a second, by a clock that moves only when somebody waits."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldkit.pace import Pace


@dataclass
class Clock:
    at: float = 100.0

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.at += seconds


def paced(limit: int | None) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(limit, lambda: clock.at, clock.wait), clock


@given(
    limit=st.integers(1, 100_000),
    sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=20),
)
def test_never_more_passes_than_the_limit_allows(limit: int, sizes: list[int]) -> None:
    """S7"""
    pace, clock = paced(limit)
    began, passed = clock.at, 0
    for size in sizes:
        for piece in pace.slowly(bytes(size)):
            assert passed * 8 <= (clock.at - began) * limit * 1000 * 1.000001 + 1
            passed += len(piece)
    assert passed == sum(sizes)


def test_the_time_that_something_takes_is_that_of_its_bits() -> None:
    pace, clock = paced(64)
    for part in (b"x" * 3_000, iter([b"y" * 50_000, b"z" * 27_000])):
        list(pace.slowly(part))
    pace.take(1)
    assert clock.at - 100 == pytest.approx(80_000 * 8 / 64_000)


def test_time_in_which_nothing_passed_is_not_made_up_for() -> None:
    pace, clock = paced(8)
    pace.take(1000)
    clock.at += 50
    pace.take(1000)
    began = clock.at
    pace.take(1)
    assert clock.at - began == pytest.approx(1.0)


def test_without_a_limit_nothing_waits_and_bytes_stay_as_they_are() -> None:
    pace, clock = paced(None)
    body = b"x" * 10_000_000
    pace.take(10**9)
    assert pace.slowly(body) is body
    assert list(pace.slowly(iter([b"a", b"b"]))) == [b"a", b"b"]
    assert clock.at == 100.0
