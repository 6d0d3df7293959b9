"""The declared months that a rule works with, and how a flag names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from checklists.discrepancies.case import Case, shown
from checklists.discrepancies.declaration import Declaration
from checklists.discrepancies.operations import Month
from checklists.discrepancies.rule import declared_as, on_file


@dataclass(frozen=True, slots=True)
class Line:
    """The months of one process; the name is empty where the declaration tells none apart."""

    process: str
    months: tuple[Month, ...]

    @property
    def named(self) -> str:
        """The process for a sentence: " (separation)", or nothing."""
        return f" ({shown(self.process)})" if self.process else ""


def months_of(case: Case) -> tuple[Declaration, tuple[Month, ...]] | str:
    """The declaration and its months up to that of the visit, or what is missing."""
    declaration = case.declaration
    if declaration is None:
        return on_file(case)
    if declaration.operations.months is None:
        return "declared monthly figures"
    past = [m for m in declaration.operations.months if m.month <= case.visited_on[:7]]
    if not past:
        return "declared monthly figures up to the month of the visit"
    return declaration, tuple(sorted(past, key=lambda m: (m.month, m.process)))


def process_of(month: Month, declaration: Declaration) -> str:
    """The process that a month is about: the one it names, or the only one of the site."""
    if month.process or len(declaration.processes) != 1:
        return month.process
    return declaration.processes[0]


def lines(
    declaration: Declaration, months: Iterable[Month], usable: Callable[[Month], bool]
) -> list[Line]:
    """The usable months by process, in the order of names; a process without any is left out."""
    found: dict[str, list[Month]] = {}
    for month in months:
        if usable(month):
            found.setdefault(process_of(month, declaration), []).append(month)
    return [Line(process, tuple(found[process])) for process in sorted(found)]


def span(months: Iterable[str]) -> str:
    """The time that months cover, for reading: 2026-01, or 2025-03 to 2026-01 (9 months)."""
    names = sorted(set(months))
    if len(names) == 1:
        return names[0]
    return f"{names[0]} to {names[-1]} ({len(names)} months)"


def next_month(month: str) -> str:
    """The month after one (YYYY-MM)."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"


def filed(case: Case) -> str:
    """How a sentence begins that tells what was declared."""
    return f"Declared on {declared_as(case)['filed']}: "


def doubted(severity: str | None) -> str:
    """What a flag adds where doubt may explain what it tells."""
    certain = severity not in (None, "query")
    return "" if certain else " The uncertainties may explain this, so it is a question."
