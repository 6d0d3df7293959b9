"""Exposure to conflict: vector V7, an independent reckoning, and what must always hold."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conflict_files import read
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from checklists.conflict import exposure as reckoning
from checklists.conflict.cells import cell_of, cells_within, reach
from checklists.conflict.event import Event
from checklists.conflict.exposure import Exposure, Near, nears, relevant, terms
from sync.place import distances_m

FILE = "data/conflict/ucdp_ged_myanmar_1989-2012.csv"
ON = date(2024, 6, 1)
GEOD = Geod(ellps="WGS84")


def exposure(events: Sequence[Near], on: date, doubt_m: float = 0.0) -> Exposure:
    """As a caller puts it together: of all events, what the relevant ones add."""
    table = nears(events)
    return reckoning.exposure(terms(table[relevant(table, on)], on, doubt_m))


def day_near(km: float, u: float, deaths: int, *days: date) -> Near:
    """An event on a day, with the first and the last that it may have been."""
    return Near(km * 1000, u * 1000, 10, deaths, *(one.toordinal() for one in days))


def near(km: float, radius_km: float, age: int, deaths: int, weight: int = 10) -> Near:
    day = (ON - timedelta(days=age)).toordinal()
    return Near(km * 1000, radius_km * 1000, weight, deaths, day, day, day)


def test_vector_v7() -> None:
    assert exposure([near(10, 1, 30, 3), near(40, 30, 200, 0)], ON) == Exposure(
        63_879, 66_349, 70_378
    )


def test_nothing_near_is_nothing() -> None:
    assert exposure([], ON) == Exposure(0, 0, 0)
    far, old, later = near(100.001, 30, 1, 50), near(1, 1, 731, 50), near(1, 1, -1, 50)
    assert exposure([far, old, later], ON) == Exposure(0, 0, 0)
    edge = exposure([near(100, 30, 730, 50)], ON)
    assert 0 < edge.low < edge.mid < edge.high


def test_a_riot_weighs_less_and_a_protest_nothing() -> None:
    battle, riot = (exposure([near(0, 0, 0, 0, w)], ON).mid for w in (10, 3))
    assert (battle, riot) == (
        round(100_000 * (1 - math.exp(-0.5))), round(100_000 * (1 - math.exp(-0.15))),
    )  # fmt: skip
    assert exposure([near(0, 0, 0, 0, 0)], ON) == Exposure(0, 0, 0)


def test_a_date_known_to_the_month_gives_low_and_high_ages() -> None:
    middle, first, last = date(2024, 5, 15), date(2024, 5, 1), date(2024, 5, 31)
    whole = day_near(0, 0, 0, middle, first, last)
    days = [exposure([day_near(0, 0, 0, d, d, d)], ON).mid for d in (first, middle, last)]
    assert exposure([whole], ON) == Exposure(*days)
    assert days == sorted(days)
    # Of a month that is not over, the last day is no later than the day that is asked about.
    early = exposure([whole], date(2024, 5, 20))
    assert early.high == exposure([near(0, 0, 0, 0)], ON).mid


NEARS = st.builds(
    near, st.floats(0, 120), st.sampled_from((1, 5, 25, 30)), st.integers(-10, 800),
    st.integers(0, 500), st.sampled_from((0, 3, 10)),
)  # fmt: skip


@given(st.lists(NEARS, max_size=6), st.floats(0, 20_000), st.randoms())
def test_low_is_least_doubt_widens_and_order_is_nothing(
    events: list[Near], doubt: float, mixing: Any
) -> None:
    plain, doubtful = exposure(events, ON), exposure(events, ON, doubt)
    assert 0 <= plain.low <= plain.mid <= plain.high <= 100_000
    assert doubtful.low <= plain.low
    assert doubtful.mid == plain.mid
    assert doubtful.high >= plain.high
    mixed = list(events)
    mixing.shuffle(mixed)
    assert exposure(mixed, ON) == plain


PLACES = [
    # latitude, longitude, day: across Myanmar's years and regions, one of them quiet
    (16.80, 96.15, "2008-01-15"),
    (22.93, 97.75, "2011-11-30"),
    (24.00, 97.40, "2012-06-30"),
    (17.35, 97.95, "2010-12-01"),
    (20.15, 92.90, "2012-08-01"),
    (20.45, 99.88, "2001-03-20"),
    (25.38, 97.40, "2011-10-10"),
    (19.68, 97.21, "1997-05-05"),
    (12.45, 98.60, "1999-12-31"),
    (21.97, 96.08, "1993-02-01"),
]


def independent(rows: list[dict[str, str]], lat: float, lon: float, on: date) -> list[float]:
    """The formula once more, over every row of the file, without any of the program's parts."""
    low = mid = high = 0.0
    radius = {"1": 1.0, "2": 25.0, "3": 30.0}
    for row in rows:
        if row["where_prec"] not in radius:
            continue
        end, start = date.fromisoformat(row["date_end"]), date.fromisoformat(row["date_start"])
        age = (on - end).days
        d = GEOD.inv(lon, lat, float(row["longitude"]), float(row["latitude"]))[2] / 1000
        if d > 100 or not 0 <= age <= 730:
            continue
        oldest = (on - start).days if int(row["date_prec"]) >= 4 else age
        u = radius[row["where_prec"]]
        size = 1 + math.log2(1 + int(row["best"]))
        low += size * 2 ** (-(d + u) / 25) * 2 ** (-oldest / 180)
        mid += size * 2 ** (-d / 25) * 2 ** (-age / 180)
        high += size * 2 ** (-max(0.0, d - u) / 25) * 2 ** (-age / 180)
    return [100 * (1 - math.exp(-x / 2)) for x in (low, mid, high)]


def test_exposures_at_ten_places_equal_an_independent_reckoning(shared: Path) -> None:
    data = (shared / FILE).read_bytes()
    with (shared / FILE).open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    events = [e for e in read("ucdp", data) if isinstance(e, Event) and e.lat_e7 is not None]
    places = [(e.lat_e7 / 1e7, (e.lon_e7 or 0) / 1e7) for e in events if e.lat_e7 is not None]
    nonzero = 0
    for lat, lon, day in PLACES:
        on = date.fromisoformat(day)
        metres = distances_m([(lat, lon)] * len(places), places)
        found = exposure(
            [
                Near(
                    d,
                    e.radius_m,
                    e.weight,
                    e.deaths,
                    *(one.toordinal() for one in (e.day, e.first, e.last)),
                )
                for d, e in zip(metres, events, strict=True)
            ],
            on,
        )
        expected = independent(rows, lat, lon, on)
        nonzero += expected[0] > 1
        for thousandths, value in zip((found.low, found.mid, found.high), expected, strict=True):
            assert thousandths == pytest.approx(value * 1000, abs=1)
    assert nonzero >= 8


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 360), st.floats(0, 100_000),
)  # fmt: skip
def test_whatever_is_in_reach_lies_in_the_cells_that_are_looked_at(
    lat: float, lon: float, azimuth: float, metres: float
) -> None:
    there_lon, there_lat, _ = GEOD.fwd(lon, lat, azimuth, metres)
    there = round(there_lat * 1e7), round(there_lon * 1e7)
    looked = reach(lat, lon, 100_000)
    assert cell_of(*there) in looked.cells
    north, east = there[0] - looked.lat_e7, (there[1] - looked.lon_e7) * looked.scale // 1000
    assert north**2 + east**2 <= looked.square


def test_few_cells_are_looked_at() -> None:
    assert len(cells_within(20.0, 97.0, 100_000)) <= 30
    assert len(set(cells_within(20.0, 179.9, 100_000))) <= 30
