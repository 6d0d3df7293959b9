"""One line of the error catalogue, and the exception that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One catalogue line: a stable code, its HTTP status, and three sentences with named blanks."""

    code: str
    status: int
    happened: str
    safe: str
    remedy: str


class Problem(Exception):  # noqa: N818 - the field's word, not Python's
    """A catalogue error with its blanks filled in.

    `detail` carries the values of the blanks; `remedy` and the other sentences are plain text.
    """

    def __init__(self, kind: Kind, detail: Mapping[str, Any]) -> None:
        self.kind = kind
        self.code = kind.code
        self.status = kind.status
        self.detail = dict(detail)
        self.happened = kind.happened.format_map(_Blanks(self.detail))
        self.safe = kind.safe.format_map(_Blanks(self.detail))
        self.remedy = kind.remedy.format_map(_Blanks(self.detail))
        super().__init__(f"{self.code}: {self.happened} {self.safe} {self.remedy}")

    def to_json(self) -> dict[str, Any]:
        """The body of an error answer, the same for API, terminal `--json` and pages."""
        return {
            "code": self.code,
            "status": self.status,
            "title": self.happened,
            "safe": self.safe,
            "remedy": self.remedy,
            "detail": self.detail,
        }


class _Blanks(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


KEPT = "What is on this device stays as it was."
NOTHING_STORED = "Nothing of this request was stored."
