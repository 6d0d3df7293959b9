"""A figure and its floor: what is measured, and beside what, in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One measured figure, its floor in the same run, and their ratio."""

    name: str
    value: float
    unit: str
    floor: float
    floor_name: str
    ratio: float


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second, when `work` does `count`."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def beside(
    name: str,
    unit: str,
    work: Callable[[], float],
    floor_name: str,
    floor: Callable[[], float],
    rounds: int = ROUNDS,
) -> Figure:
    """Measure work and floor in turn, so that a machine that slows down slows both; medians."""
    pairs = [(work(), floor()) for _ in range(rounds)]
    value = statistics.median(v for v, _ in pairs)
    ground = statistics.median(f for _, f in pairs)
    ratio = statistics.median(v / f for v, f in pairs)
    return Figure(name, round(value, 1), unit, round(ground, 1), floor_name, round(ratio, 3))


def once(name: str, unit: str, value: float, floor_name: str, floor: float) -> Figure:
    """A figure that is the same every time, such as bytes on a wire."""
    ratio = round(value / floor, 3)
    return Figure(name, round(value, 1), unit, round(floor, 1), floor_name, ratio)
