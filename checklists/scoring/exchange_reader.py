"""Members of a JSON document read with their types; every fault says where it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from sync.inspection import KINDS, LEVELS, OUTCOMES, SPECIALS, is_decimal
from sync.log import MAX_INTEGER

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Malformed(Exception):  # noqa: N818 - caught at the module's boundary, never seen by a user
    """Why a document cannot be read, as the end of a sentence."""


class Reader:
    """One JSON object and where it stands, for messages such as "visits[0].at is not a number"."""

    __slots__ = ("_index", "_members", "_name")

    def __init__(self, document: object, name: str, index: int | None = None) -> None:
        self._name, self._index = name, index
        if not isinstance(document, dict):
            raise Malformed(f"{self.where} is not an object")
        self._members: Mapping[str, Any] = document

    @property
    def where(self) -> str:
        return self._name if self._index is None else f"{self._name}[{self._index}]"

    def get(self, key: str) -> Any:
        try:
            return self._members[key]
        except KeyError:
            raise Malformed(f"{self.where} lacks {key}") from None

    def has(self, key: str) -> bool:
        return key in self._members

    def bad(self, key: str, what: str) -> Malformed:
        return Malformed(f"{key} of {self.where} is not {what}")

    def member(self, key: str) -> Reader:
        return Reader(self.get(key), key)

    def optional(self, key: str) -> Reader | None:
        value = self.get(key)
        return None if value is None else Reader(value, key)

    def rows(self, key: str) -> list[Reader]:
        value = self.get(key)
        if not isinstance(value, list):
            raise self.bad(key, "a list")
        return [Reader(one, key, index) for index, one in enumerate(value)]

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or (not value.isascii() and _surrogate(value)):
            raise self.bad(key, "text")
        return value

    def text_or_none(self, key: str) -> str | None:
        return None if self.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.bad(key, "a list of texts")
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.bad(key, f"one of {', '.join(allowed)}")
        return value

    def constant(self, key: str, wanted: str) -> None:
        if self.get(key) != wanted:
            raise self.bad(key, repr(wanted))

    def level(self, key: str) -> str | None:
        return None if self.get(key) is None else self.choice(key, LEVELS)

    def special(self, key: str) -> str | None:
        return None if self.get(key) is None else self.choice(key, SPECIALS)

    def kind(self, key: str) -> str:
        return self.choice(key, KINDS)

    def outcome(self, key: str) -> str:
        return "" if self.get(key) == "" else self.choice(key, OUTCOMES)

    def digest(self, key: str) -> str:
        value = self.text(key)
        if not _DIGEST.match(value):
            raise self.bad(key, "a SHA-256 digest")
        return value

    def decimal(self, key: str) -> str:
        value = self.text(key)
        if not is_decimal(value):
            raise self.bad(key, "a decimal number written as text")
        return value

    def date(self, key: str) -> str:
        value = self.text(key)
        if not _DATE.match(value):
            raise self.bad(key, "a date (YYYY-MM-DD)")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise self.bad(key, "a date of the calendar") from None
        return value

    def integer(self, key: str) -> int:
        return self._whole(key, self.get(key))

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.bad(key, "true or false")
        return value

    def three(self, key: str) -> tuple[int, int, int] | None:
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 3:
            raise self.bad(key, "a list of three numbers")
        low, mid, high = (self._whole(key, one) for one in value)
        return low, mid, high

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        value = self.get(key)
        if not isinstance(value, list):
            raise self.bad(key, "a list")
        for one in value:
            if not isinstance(one, list) or [type(part) for part in one] != [str, str]:
                raise self.bad(key, "a list of pairs of texts")
        return tuple((first, second) for first, second in value)

    def all_texts(self) -> dict[str, str]:
        return {key: self.text(key) for key in self._members}

    def all_counts(self) -> dict[str, int]:
        counts = {key: self.integer(key) for key in self._members}
        if any(not 0 <= count <= 1000 for count in counts.values()):
            raise Malformed(f"{self.where} has a number that is not from 0 to 1000")
        return counts

    def _whole(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_INTEGER:
            raise self.bad(key, "a whole number")
        return value


def _surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
