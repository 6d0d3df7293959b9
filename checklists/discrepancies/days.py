"""The day of a time where the facility is; apart, so that commands start without geometry."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from checklists.discrepancies.systems import OFFICIAL
from sync.inspection import Inspection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def visit_day(inspection: Inspection, country: str) -> date | None:
    """The day on which the visit began, in the standard time of the country; None if unknown.

    For a country that `systems.OFFICIAL` does not list, the day in UTC.
    """
    times = [a.written.at for a in (*inspection.about.heads, *inspection.about.earlier)]
    if not times:
        return None
    return day_of(min(times), OFFICIAL[country].utc_minutes if country in OFFICIAL else 0)


def day_of(at: int, minutes_ahead: int = 0) -> date | None:
    """The day of a time in UTC milliseconds; None where a clock gave a time beyond any calendar."""
    try:
        return (_EPOCH + timedelta(milliseconds=at, minutes=minutes_ahead)).date()
    except OverflowError:
        return None


def day_in(country: str, at: int) -> str:
    """The day (YYYY-MM-DD) of a time in UTC milliseconds, in the standard time of a country that
    `systems.OFFICIAL` lists, else in UTC; empty for a time beyond any calendar.
    """
    day = day_of(at, OFFICIAL[country].utc_minutes if country in OFFICIAL else 0)
    return "" if day is None else day.isoformat()
