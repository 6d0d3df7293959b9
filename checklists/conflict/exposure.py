"""Exposure to conflict: what the events around a place add up to, low, mid and high.

X = sum of type x (1 + log2(1 + deaths)) x 2^(-d/25 km) x 2^(-age/180 d) over events at most 100 km
away and at most 730 days old; the exposure is 100 (1 - e^(-X/2)). Proposed in the project's domain
brief, section 5. An exposure is a reason to look closer and lowers no score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REACH_M = 100_000
DAYS = 730
_HALF_M = 25_000
_HALF_DAYS = 180


class Near(NamedTuple):
    """An event as seen from a place: metres away, and what else counts of it (see Event); its days
    as ordinals (date.toordinal).
    """

    distance_m: float
    radius_m: float
    weight: int
    deaths: int
    day: int
    first: int
    last: int


# Events as rows, with the columns of Near; a place may have thousands around it.
Nears = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """Low, mid and high in thousandths, 0 to 100,000."""

    low: int
    mid: int
    high: int


def nears(events: Sequence[Near]) -> Nears:
    """Events as rows."""
    return np.asarray(events, dtype=np.float64).reshape(-1, len(Near._fields))


def relevant(events: Nears, on: date) -> NDArray[np.bool_]:
    """Which of the events count: at most 100 km away, and their day 0 to 730 days before `on`."""
    age = on.toordinal() - events[:, 4]
    return (events[:, 0] <= REACH_M) & (age >= 0) & (age <= DAYS)


def terms(events: Nears, on: date, doubt_m: float = 0.0) -> Nears:
    """What each event adds to X: a row of low, mid and high.

    Low takes it as far away and as long ago as it may be, high as near and as late; `doubt_m` is
    how far the place itself may be off.
    """
    distance, radius, weight, deaths, day, first, last = events.T
    off, now = radius + doubt_m, on.toordinal()
    away = np.stack((distance + off, distance, np.maximum(distance - off, 0)), axis=1)
    ages = np.stack((now - first, now - day, np.maximum(now - last, 0)), axis=1)
    size = weight / 10 * (1 + np.log2(1 + deaths))
    added: Nears = size[:, None] * np.exp2(-away / _HALF_M - ages / _HALF_DAYS)
    return added


def exposure(added: Nears) -> Exposure:
    """The exposure of a place to the events that add this to X.

    The order of the events changes nothing: the sums are exact before they are rounded once.
    """
    low, mid, high = (math.fsum(column) for column in added.T.tolist())
    return Exposure(_score(low), _score(mid), _score(high))


def _score(x: float) -> int:
    return round(-math.expm1(-x / 2) * 100_000)
