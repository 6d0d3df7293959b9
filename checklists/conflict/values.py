"""Fields of a row -> values; what a field is not, in words for whoever repairs the file."""

from __future__ import annotations

import re
from datetime import date, timedelta

_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{1,15})?\Z")
_WHOLE = re.compile(r"(\d{1,12})(?:[.,]0+)?\Z")
_ID = re.compile(r"[\w.:-]{1,40}\Z", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?Z?\Z")
_SPELLED = re.compile(r"(\d{1,2}) ([A-Za-z]{3,9})\.? (\d{4})\Z")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_TEXT = 200


class Fault(Exception):  # noqa: N818 - as Problem: the field's word
    """Why a row is refused."""


def identifier(text: str, column: str) -> str:
    """An event's id."""
    if not _ID.match(text):
        raise Fault(f"{column} {_shown(text)} is not an id")
    return text


def whole(text: str, column: str, most: int) -> int:
    """A whole number from 0 to `most`; "3.0" is one too."""
    found = _WHOLE.match(text)
    if not found or int(found[1]) > most:
        raise Fault(f"{column} {_shown(text)} is not a whole number from 0 to {most}")
    return int(found[1])


def choice(text: str, column: str, least: int, most: int) -> int:
    """A whole number of a short scale."""
    found = _WHOLE.match(text)
    if not found or not least <= int(found[1]) <= most:
        raise Fault(f"{column} {_shown(text)} is not one of {least} to {most}")
    return int(found[1])


def degrees(text: str, column: str, most: int) -> int:
    """Degrees times 10^7, to either side of 0; a decimal comma is one too."""
    if not _NUMBER.match(text):
        raise Fault(f"{column} {_shown(text)} is not a number of degrees")
    value = round(float(text.replace(",", ".")) * 10**7)
    if abs(value) > most * 10**7:
        raise Fault(f"{column} {_shown(text)} is beyond {most} degrees")
    return value


def day(text: str, column: str) -> date:
    """A day written 2024-01-15, at midnight if a time is there, or 15 January 2024."""
    spelled = _SPELLED.match(text)
    try:
        if spelled and (month := spelled[2][:3].lower()) in _MONTHS:
            return date(int(spelled[3]), _MONTHS.index(month) + 1, int(spelled[1]))
        if len(text) == 10 or _MIDNIGHT.match(text[10:]):
            return date.fromisoformat(text[:10])
    except ValueError:
        pass
    raise Fault(f"{column} {_shown(text)} is not a day such as 2024-01-15")


def month_of(some_day: date) -> tuple[date, date]:
    """The first and the last day of the month of a day."""
    first = some_day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first, following - timedelta(days=1)


def words(text: str) -> str:
    """A text as it may be shown: on one line, and not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= _LONGEST_TEXT else f"{clean[: _LONGEST_TEXT - 1]}…"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…") if text else "is empty:"
