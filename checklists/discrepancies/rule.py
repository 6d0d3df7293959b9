"""A rule: its fixed texts, and the pure function that judges a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from checklists.discrepancies.case import Case, Finding, Flag, NotEvaluated


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue. Raise `version` when its meaning changes.

    `test` says in one sentence what is compared; `find` answers with flags or not evaluated.
    """

    id: str
    version: str
    subject: str
    title: str
    test: str
    innocent_causes: tuple[str, ...]
    would_settle: str
    find: Callable[[Case], tuple[Finding, ...]]

    def flag(
        self,
        case: Case,
        key: str,
        severity: str,
        explanation: str,
        inputs: Mapping[str, Any],
        threshold: str,
        margin: str,
        evidence: tuple[str, ...] = (),
    ) -> Flag:
        """A flag of this rule; the inputs also name the thresholds file that was used."""
        used = f"{case.settings['id']} {case.settings['version']}"
        return Flag(
            self.id,
            self.version,
            key,
            severity,
            self.subject,
            self.title,
            explanation,
            {**inputs, "thresholds": used},
            threshold,
            margin,
            self.innocent_causes,
            self.would_settle,
            evidence,
        )

    def needs(self, what: str) -> NotEvaluated:
        """This rule could not be run for want of `what`."""
        return NotEvaluated(self.id, self.version, what)


def tenth(metres: float | str) -> Decimal:
    """Metres to the tenth, so that device and server reckon with the same number."""
    return Decimal(f"{float(metres):.1f}")


def metres(value: Decimal | str) -> str:
    """A distance for reading: 4.5 m, 412 m, 12.3 km."""
    number = Decimal(value)
    if abs(number) >= 10_000:
        return f"{number / 1000:.1f} km"
    text = f"{number:.1f}" if abs(number) < 100 else f"{number:.0f}"
    return f"{text.removesuffix('.0')} m"


def duration(milliseconds: int) -> str:
    """A length of time for reading: 45 s, 12 min, 3 h 5 min, 4 days."""
    seconds = abs(milliseconds) // 1000
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days"


def declared_as(case: Case) -> dict[str, str]:
    """Which filing a flag was held against, for its inputs."""
    d = case.declaration
    if d is None:
        return {}
    return {"id": d.id, "digest": d.digest, "filed": d.filed, "speaks_of": d.speaks_of}


def on_file(case: Case) -> str:
    """What a rule needs that finds no declaration."""
    day = f" ({case.visited_on})" if case.visited_on else ""
    return f"a declaration that was on file on the day of the visit{day}"
