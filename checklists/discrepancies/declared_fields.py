"""Reads the fields of a declaration and collects every fault: one message names them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from checklists.discrepancies.operations import Quantity
from sync.inspection import is_decimal
from sync.nearest import nearest

T = TypeVar("T")

LIMIT_ROWS = 10_000
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_HUNDRED = Decimal(100)


class Faults:
    """What is wrong with a document, in the order in which it was read."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, field: str, why: str) -> None:
        self.faults.append(f"{field} {why}")

    def text(self, doc: Mapping[str, Any], key: str, within: str = "") -> str:
        value = doc.get(key)
        if not isinstance(value, str) or not value:
            self.fault(f"{within}{key}", "is missing" if value is None else "is not text")
            return ""
        return value

    def texts(self, doc: Mapping[str, Any], key: str, within: str = "") -> tuple[str, ...]:
        value = doc.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            self.fault(f"{within}{key}", "is not a list of texts")
            return ()
        return tuple(value)

    def day(self, doc: Mapping[str, Any], key: str, within: str = "") -> str:
        value = self.text(doc, key, within)
        try:
            known = not value or date.fromisoformat(value).isoformat() == value
        except ValueError:
            known = False
        if not known:
            self.fault(f"{within}{key}", f"is not a day as YYYY-MM-DD: {value!r}")
        return value

    def unknown(self, given: Mapping[str, Any], known: set[str], within: str = "") -> None:
        """Names every member that is not known; those that begin with x- are the filer's own."""
        for key in given:
            if key not in known and not key.startswith("x-"):
                near = nearest(key, sorted(known))
                self.fault(f"{within}{key}", f"is not known; nearest: {near}")


class Row:
    """One object of a declaration. What is asked for is known; `close` names every other member."""

    def __init__(self, faults: Faults, value: Mapping[str, Any], where: str) -> None:
        self._faults = faults
        self._value = value
        self._within = f"{where}."
        self._known = {"note", "document"}

    def fault(self, key: str, why: str) -> None:
        self._faults.fault(f"{self._within}{key}", why)

    def _has(self, key: str, need: bool) -> bool:
        self._known.add(key)
        if self._value.get(key) is not None:
            return True
        if need:
            self.fault(key, "is missing")
        return False

    def text(self, key: str, need: bool = True) -> str:
        if not self._has(key, need):
            return ""
        return self._faults.text(self._value, key, self._within)

    def texts(self, key: str) -> tuple[str, ...]:
        self._known.add(key)
        return self._faults.texts(self._value, key, self._within)

    def day(self, key: str, need: bool = True) -> str:
        return self._faults.day(self._value, key, self._within) if self._has(key, need) else ""

    def month(self, key: str) -> str:
        value = self.text(key)
        if value and not _MONTH.match(value):
            self.fault(key, f"is not a month as YYYY-MM: {value!r}")
        return value

    def days(self, first: str, last: str, need: bool = False) -> tuple[str, str]:
        """Two days of which the second is not before the first."""
        since, until = self.day(first, need), self.day(last, need)
        if since and until and until < since:
            self.fault(last, f"is before {first}")
        return since, until

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        value = self.text(key)
        if value and value not in known:
            self.fault(key, f"is {value!r}, not one of {', '.join(known)}")
        return value

    def matching(self, key: str, form: re.Pattern[str], what: str, need: bool = True) -> str:
        value = self.text(key, need)
        if value and not form.match(value):
            self.fault(key, f"is {value!r}, not {what}")
        return value

    def yes(self, key: str, otherwise: bool) -> bool:
        if not self._has(key, need=False):
            return otherwise
        value = self._value[key]
        if not isinstance(value, bool):
            self.fault(key, "is neither true nor false")
            return otherwise
        return value

    def whole(self, key: str, least: int = 0, need: bool = True) -> int | None:
        if not self._has(key, need):
            return None
        value = self._value[key]
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
            self.fault(key, f"is {value!r}, not a whole number as text")
            return None
        if int(value) < least:
            self.fault(key, f"is {value}, which is less than {least}")
        return int(value)

    def decimal(self, key: str, need: bool = True, most: Decimal | None = None) -> Decimal | None:
        return self._number(self._value[key], key, most) if self._has(key, need) else None

    def percent(self, key: str, need: bool = False) -> Quantity | None:
        return self.quantity(key, need, _HUNDRED)

    def quantity(
        self, key: str, need: bool = False, most: Decimal | None = None
    ) -> Quantity | None:
        """A number as text, or {"value": …, "rel": …} with its relative standard uncertainty."""
        if not self._has(key, need):
            return None
        given = self._value[key]
        if not isinstance(given, Mapping):
            value = self._number(given, key, most)
            return None if value is None else Quantity(value)
        self._faults.unknown(given, {"value", "rel"}, f"{self._within}{key}.")
        value = self._number(given.get("value"), f"{key}.value", most)
        rel = given.get("rel")
        doubt = None if rel is None else self._number(rel, f"{key}.rel", Decimal(10))
        return None if value is None else Quantity(value, doubt)

    def _number(self, given: Any, key: str, most: Decimal | None) -> Decimal | None:
        if not is_decimal(given):
            self.fault(key, f'is {given!r}, not a decimal number as text, such as "12.5"')
            return None
        value = Decimal(str(given))
        if value < 0:
            self.fault(key, f"is {given}, which is below zero")
        if most is not None and value > most:
            self.fault(key, f"is {given}, which is more than {most}")
        return value

    def digest(self, key: str, need: bool = True) -> str:
        return self.matching(key, _SHA256, "a SHA-256 of 64 hexadecimal digits", need)

    def rows(self, key: str, read: Callable[[Row], T]) -> tuple[T, ...] | None:
        """Each object of a list, read; None where the list is missing."""
        if not self._has(key, need=False):
            return None
        return rows(self._faults, self._value[key], f"{self._within}{key}", read)

    def close(self) -> None:
        self._faults.unknown(self._value, self._known, self._within)


def one(faults: Faults, value: Any, where: str, read: Callable[[Row], T]) -> T | None:
    """An object read by `read`, or None where it is not one."""
    if not isinstance(value, Mapping):
        faults.fault(where, "is not an object")
        return None
    row = Row(faults, value, where)
    made = read(row)
    row.close()
    return made


def rows(faults: Faults, value: Any, where: str, read: Callable[[Row], T]) -> tuple[T, ...] | None:
    """Each object of a list read by `read`, the first named as `where[1]`."""
    if not isinstance(value, list):
        faults.fault(where, "is not a list")
        return None
    if len(value) > LIMIT_ROWS:
        faults.fault(where, f"has more than {LIMIT_ROWS} rows")
        return None
    made = [one(faults, each, f"{where}[{n}]", read) for n, each in enumerate(value, 1)]
    return tuple(each for each in made if each is not None)
