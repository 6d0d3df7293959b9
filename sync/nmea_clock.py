"""A receiver's date and clock: from two-digit years, across midnight and the week's rollover.

GPS counts weeks in ten bits: after 1024 weeks a receiver that is old enough begins anew, and tells
dates 1024 weeks ago. Since 2017 there are 18 leap seconds, so a date before that year cannot be
true of a receiver that knows them; gpsd takes all to know them that do not say otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

WEEKS_1024 = timedelta(weeks=1024)
ROLLED_OVER_BEFORE = datetime(2017, 1, 1, tzinfo=UTC)
_LEAP_SECONDS_SINCE_2017 = 18


class ReceiverClock:
    """What was heard of date and time of day; `rolled_over` counts the times put forward."""

    def __init__(self) -> None:
        self.rolled_over = 0
        self.leap_seconds = _LEAP_SECONDS_SINCE_2017
        self.date: tuple[int, int, int] | None = None  # year, month, day
        self._clock = (0, 0, 0, 0)  # hour, minute, second, microsecond

    def forget(self) -> None:
        """The receiver has lost date and time."""
        self.date = None
        self._clock = (0, 0, 0, 0)

    def is_at(self, text: str) -> bool:
        """Whether a time of day (hhmmss) is the one that was heard last, to the second."""
        return text[:6] == "{:02d}{:02d}{:02d}".format(*self._clock[:3])

    def resolve(self) -> datetime | None:
        """The date and clock that were heard as UTC; None before there was a date."""
        if self.date is None:
            return None
        year, month, day = self.date
        hour, minute, second, micro = self._clock
        try:
            start = datetime(year, month, 1, tzinfo=UTC)
        except ValueError:
            return None
        # Days run on past the month's end after midnight, and seconds to 60 in a leap second.
        at = start + timedelta(
            days=day - 1, hours=hour, minutes=minute, seconds=second, microseconds=micro
        )
        if self.leap_seconds >= _LEAP_SECONDS_SINCE_2017 and at < ROLLED_OVER_BEFORE:
            at += WEEKS_1024
            self.rolled_over += 1
            self.date = (at.year, at.month, at.day)
        return at

    def hear_clock(self, text: str) -> bool:
        """hhmmss or hhmmss.sss; False where it is not one."""
        if len(text) < 6 or not text[:6].isdecimal():
            return False
        hour, rest = int(text[:2]), text[7:] if text[6:7] == "." else ""
        if hour < self._clock[0] and self.date is not None:  # past midnight, until a date comes
            year, month, day = self.date
            self.date = (year, month, day + 1)
        micro = int((rest + "000000")[:6]) if rest.isdecimal() else 0
        self._clock = (hour, int(text[2:4]), int(text[4:6]), micro)
        return True

    def hear_date(self, text: str) -> bool:
        """ddmmyy; the century is this one, or the last from 80 on. False where it is not one."""
        if len(text) != 6 or not text.isdecimal():
            return False
        day, month, year = int(text[:2]), int(text[2:4]), 2000 + int(text[4:])
        if not 1 <= month <= 12 or not 1 <= day <= 31:
            return False
        self.date = (year - 100 if year >= 2080 else year, month, day)
        return True

    def hear_full_date(self, day: int, month: int, year: int) -> bool:
        """A date with its century; False where it is none."""
        if not (1900 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= 31):
            return False
        self.date = (year, month, day)
        return True
