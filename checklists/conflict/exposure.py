"""Exposure to conflict: what the events around a place add up to, low, mid and high.

X = sum of type x (1 + log2(1 + deaths)) x 2^(-d/25 km) x 2^(-age/180 d) over events at most 100 km
away and at most 730 days old; the exposure is 100 (1 - e^(-X/2)). Proposed in the project's domain
brief, section 5. An exposure is a reason to look closer and lowers no score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

REACH_M = 100_000
DAYS = 730
_HALF_M = 25_000
_HALF_DAYS = 180


@dataclass(frozen=True, slots=True)
class Near:
    """An event as seen from a place: metres away, and what else counts of it (see Event)."""

    distance_m: float
    radius_m: float
    weight: int
    deaths: int
    day: date
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Exposure:
    """Low, mid and high in thousandths, 0 to 100,000."""

    low: int
    mid: int
    high: int


def relevant(near: Near, on: date) -> bool:
    """Whether an event counts: at most 100 km away, and its day 0 to 730 days before `on`."""
    return near.distance_m <= REACH_M and 0 <= (on - near.day).days <= DAYS


def terms(near: Near, on: date, doubt_m: float = 0.0) -> tuple[float, float, float]:
    """What one event adds to X: low, mid and high.

    Low takes it as far away and as long ago as it may be, high as near and as late; `doubt_m` is
    how far the place itself may be off.
    """
    size = near.weight / 10 * (1 + math.log2(1 + near.deaths))
    radius = near.radius_m + doubt_m
    return (
        _term(size, near.distance_m + radius, (on - near.first).days),
        _term(size, near.distance_m, (on - near.day).days),
        _term(size, max(0.0, near.distance_m - radius), max(0, (on - near.last).days)),
    )


def exposure(events: Iterable[Near], on: date, doubt_m: float = 0.0) -> Exposure:
    """The exposure of a place on a day to the relevant of these events.

    The order of the events changes nothing: the sums are exact before they are rounded once.
    """
    each = [terms(near, on, doubt_m) for near in events if relevant(near, on)]
    low, mid, high = (math.fsum(one[n] for one in each) for n in range(3))
    return Exposure(_score(low), _score(mid), _score(high))


def _term(size: float, distance_m: float, age: int) -> float:
    return size * math.pow(2, -distance_m / _HALF_M - age / _HALF_DAYS)


def _score(x: float) -> int:
    return round(-math.expm1(-x / 2) * 100_000)
