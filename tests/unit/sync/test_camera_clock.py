"""A camera's clock against UTC: given, or shown by its own pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.camera_clock import (
    QUARTER_MS,
    SPREAD_LIMIT_MS,
    ClockOffset,
    estimate,
    parse_offset,
    taken_at,
    times_differ,
)

HOUR = 3_600_000
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
NOON_MS = 1_769_947_200_000


def picture(ahead_s: int, model: str = "TG-6", utc: datetime = NOON) -> dict[str, object]:
    """A picture with both times, whose camera is so many seconds ahead of UTC."""
    there = (utc + timedelta(seconds=ahead_s)).replace(tzinfo=None)
    return {
        "make": "OLYMPUS",
        "model": model,
        "gps_time": utc.isoformat().replace("+00:00", "Z"),
        "camera_time": there.isoformat(),
    }


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("+08:00", 8 * HOUR),
        ("-3:30", -3 * HOUR - HOUR // 2),
        ("+08:00:37", 8 * HOUR + 37_000),
        ("+37", 37_000),
        ("-3600s", -HOUR),
        ("+00:00", 0),
        ("08:00", None),
        ("+99999999", 99_999_999_000),
        ("+8:60", None),
        ("+8h", None),
        ("", None),
    ],
)
def test_an_offset_is_given_as_a_zone_or_in_seconds(text: str, milliseconds: int | None) -> None:
    found = parse_offset(text)
    assert (found and found.offset_ms) == milliseconds


@given(st.integers(-12 * 3600, 14 * 3600))
def test_an_offset_is_a_zone_and_a_drift(seconds: int) -> None:
    found = ClockOffset(seconds * 1000)
    assert found.zone_ms + found.drift_ms == found.offset_ms
    assert found.zone_ms % QUARTER_MS == 0
    assert abs(found.drift_ms) * 2 <= QUARTER_MS


def test_a_clock_on_the_wrong_day_is_in_no_zone() -> None:
    assert (ClockOffset(-22 * HOUR).zone_ms, ClockOffset(-22 * HOUR).drift_ms) == (0, -22 * HOUR)


def test_a_zone_and_a_drift_are_told_apart() -> None:
    (found,) = estimate([picture(8 * 3600 + 37)] * 3).values()
    assert (found.zone_ms, found.drift_ms) == (8 * HOUR, 37_000)


def test_the_median_of_one_make_and_model_is_taken_and_its_spread_is_shown() -> None:
    found = estimate([picture(s) for s in (30, 36, 32)] + [picture(7200, "X100")])
    assert found["OLYMPUS", "TG-6"] == ClockOffset(32_000, 4_000, 3)
    assert found["OLYMPUS", "X100"] == ClockOffset(2 * HOUR, 0, 1)


@pytest.mark.parametrize(("seconds", "agrees"), [((0, 60, 120), True), ((0, 60, 121), False)])
def test_pictures_that_disagree_give_no_offset_to_use(
    seconds: tuple[int, ...], agrees: bool
) -> None:
    (found,) = estimate([picture(s) for s in seconds]).values()
    assert found.agrees is agrees
    assert (found.spread_ms > SPREAD_LIMIT_MS) is not agrees


@pytest.mark.parametrize("lacking", ["make", "gps_time", "camera_time"])
def test_a_picture_without_both_times_and_a_camera_shows_nothing(lacking: str) -> None:
    facts = picture(5)
    facts[lacking] = None
    if lacking == "make":
        facts["model"] = None
    assert estimate([facts]) == {}


def test_the_receivers_time_goes_before_the_cameras() -> None:
    assert taken_at(picture(59), ClockOffset(0)) == (NOON_MS, 1000)
    assert taken_at(picture(999), None) == (NOON_MS, 1000)


def test_two_times_that_tell_of_different_moments_tell_nothing() -> None:
    """A receiver may repeat an old time, and an offset that was given may be wrong."""
    assert taken_at(picture(61), ClockOffset(0)) is None
    assert times_differ(picture(61), ClockOffset(0))
    assert not times_differ(picture(61), ClockOffset(0, 1_000, 3))


def test_the_cameras_time_is_put_right_by_the_offset_and_its_spread_counts() -> None:
    facts = {**picture(8 * 3600), "gps_time": None}
    assert taken_at(facts, ClockOffset(8 * HOUR, 2_000, 3)) == (NOON_MS, 3000)


def test_without_an_offset_only_the_one_that_was_recorded_helps() -> None:
    facts = {**picture(8 * 3600), "gps_time": None}
    assert taken_at(facts, None) is None
    assert taken_at({**facts, "camera_offset": "+08:00"}, None) == (NOON_MS, 1000)
    assert taken_at({"camera_time": None}, ClockOffset(0)) is None
    assert taken_at({"camera_time": "2026-02-31T00:00:00"}, ClockOffset(0)) is None
