"""R31, R32 and R33: people at work, what is protected about them, and deaths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import (
    HUNDRED,
    ZERO,
    Amount,
    Measured,
    figure,
    grade,
    measured,
    plain,
    reckoned,
    share,
    total,
)
from checklists.discrepancies.imported import DeathRecord
from checklists.discrepancies.operations import Fatalities, Headcount
from checklists.discrepancies.periods import filed
from checklists.discrepancies.rule import Rule, declared_as, on_file

_FEW = 5  # a count below this could tell of single people
WHOLE = "-"  # a count of the whole site


# -- R31 ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Counted:
    """People seen against people declared: all of them, and those of one shift if stated.

    `named` is False where groups have different names, so that only the totals can be compared.
    """

    seen: Amount
    declared: Decimal
    on_shift: Decimal | None
    groups: tuple[str, ...]
    named: bool


@reckoned
def _headcount(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R31.needs(on_file(case)),)
    declared = declaration.operations.headcount
    if not declared:
        return (R31.needs("a declared headcount"),)
    counts = measured(case, "headcount")
    if not counts:
        return (R31.needs("people counted at the visit (observed/headcount/…)"),)
    return tuple(_differs(case, _compare(declared, counts)))


def _compare(declared: Sequence[Headcount], counts: Mapping[str, Measured]) -> _Counted:
    """The groups that were counted; all where one of them is not declared under that name."""
    names = {row.group.casefold() for row in declared}
    by_group = {name.casefold(): seen for name, seen in counts.items() if name != WHOLE}
    if not by_group:
        return _Counted(counts[WHOLE].amount(), *_people(declared), (), True)
    matched = set(by_group) <= names
    rows = [r for r in declared if r.group.casefold() in by_group] if matched else declared
    seen = total(seen.amount() for seen in by_group.values())
    return _Counted(seen, *_people(rows), tuple(sorted(by_group)), matched)


def _people(rows: Sequence[Headcount]) -> tuple[Decimal, Decimal | None]:
    everybody = sum((Decimal(row.people) for row in rows), ZERO)
    shifts = [(row.people, row.shifts) for row in rows]
    if any(number is None for _, number in shifts):
        return everybody, None
    return everybody, sum((Decimal(people) / (number or 1) for people, number in shifts), ZERO)


def _differs(case: Case, counted: _Counted) -> list[Flag]:
    """More than all who are declared, or fewer than those of one shift."""
    settings = case.settings["R31"]
    seen, margin = counted.seen, Decimal(settings["margin_pct"]) / HUNDRED
    if max(seen.value, counted.declared) < Decimal(settings["least_people"]):
        return []
    more = seen.value - counted.declared * (1 + margin)
    expected = counted.declared if counted.on_shift is None else counted.on_shift
    fewer = expected * (1 - margin) - seen.value
    severity = grade(max(more, fewer), seen.sigma, "major")
    if severity is None:
        return []
    why = ""
    if severity == "query":
        why = " The count is not certain enough, so this is a question."
    elif not counted.named:
        why = " The groups counted are not those declared, so this is a question."
    elif more <= 0 and counted.on_shift is None:
        why = " How many shifts there are is not declared, so this is a question."
    against = counted.declared if more > 0 else expected
    text = (
        f"{filed(case)}{figure(counted.declared)} people"
        + (f", {figure(expected)} of them on one shift" if expected != counted.declared else "")
        + f". Counted on {case.visited_on}: {_number(seen)}. Limit: "
        f"{figure(margin * HUNDRED)} % {'more' if more > 0 else 'fewer'}.{why}"
    )
    inputs: dict[str, Any] = {
        "declaration": declared_as(case),
        "visited_on": case.visited_on,
        "groups": list(counted.groups),
        "declared": plain(counted.declared),
        "on_one_shift": "not declared" if counted.on_shift is None else plain(counted.on_shift),
        "counted": _number(seen),
    }
    threshold = f"more than {figure(margin * HUNDRED)} % off, of {settings['least_people']} or more"
    off = share(abs(seen.value - against), against) if seen.value >= _FEW else "most of them"
    grave = "query" if why else severity
    return [R31.flag(case, "headcount", grave, text, inputs, threshold, f"{off} off")]


def _number(seen: Amount) -> str:
    """A count for reading; one that could tell of single people is not told."""
    if seen.value < _FEW:
        return f"fewer than {_FEW}"
    return figure(seen.value) + (f" ± {figure(2 * seen.sigma)}" if seen.sigma else "")


# -- R32 ------------------------------------------------------------------------------------------


def _protected(_: Case) -> tuple[Finding, ...]:
    """Always the same answer: what is sealed is in no case, and whether there is any must not show
    in what others read.
    """
    return (R32.needs("what only the safeguarding team can open"),)


# -- R33 ------------------------------------------------------------------------------------------


def _deaths(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R33.needs(on_file(case)),)
    declared = declaration.operations.fatalities
    if declared is None:
        return (R33.needs("declared deaths at work"),)
    if case.imported.deaths is None:
        return (R33.needs("independent records of deaths at work"),)
    if declared.number:
        return ()
    found = [one for one in case.imported.deaths if one.number > 0 and _overlaps(one, declared)]
    return tuple(_recorded(case, declared, one) for one in sorted(set(found), key=_order))


def _order(record: DeathRecord) -> tuple[str, str, str, int, bool]:
    return record.first, record.last, record.source, record.number, record.sure


def _overlaps(record: DeathRecord, declared: Fatalities) -> bool:
    return record.first <= declared.until and record.last >= declared.since


def _recorded(case: Case, declared: Fatalities, record: DeathRecord) -> Flag:
    within = declared.since <= record.first and record.last <= declared.until
    when = record.first if record.first == record.last else f"{record.first} to {record.last}"
    text = (
        f"{filed(case)}no death at work from {declared.since} to {declared.until}. "
        f"{shown(record.source)} records {record.number} on {when}."
        + ("" if record.sure else " Whether it was at this site is not certain: a question.")
        + ("" if within else " It may have been outside that time: a question.")
    )
    inputs = {
        "declaration": declared_as(case),
        "from": declared.since,
        "to": declared.until,
        "source": record.source,
        "number": record.number,
        "first": record.first,
        "last": record.last,
        "at_this_site": "certain" if record.sure else "uncertain",
    }
    severity = "critical" if record.sure and within else "query"
    key = f"{record.source} {record.first} {record.last}"
    margin = f"{record.number} recorded, none declared"
    threshold = "an independent record of a death within the time declared as without"
    return R33.flag(case, key, severity, text, inputs, threshold, margin)


R31 = Rule(
    "R31",
    "1",
    "operations",
    "More or fewer people than declared",
    "More people were counted than are declared in all, or fewer than those of one shift, by more "
    "than the margin. Small sites are not judged.",
    (
        "the count fell on a change of shift or a day off",
        "contractors are declared by their own firm",
        "visitors or trainees were counted",
    ),
    "The roster of the day, the gate book and the contractors' lists.",
    _headcount,
)

R32 = Rule(
    "R32",
    "1",
    "operations",
    "Protected labour finding",
    "A verified case of a child at work, kept passports or fee debt. Only the safeguarding team "
    "sees it; the operator is never told by the program.",
    ("papers that prove another age",),
    "The safeguarding team alone works on it; protecting the person comes first.",
    _protected,
)

R33 = Rule(
    "R33",
    "1",
    "operations",
    "No death declared, and one is recorded",
    "No death at work is declared for a time in which an independent record tells of one.",
    (
        "it happened at another site of the same name or firm",
        "the record counts a death that was not at work",
    ),
    "The record's source, and the inquest, hospital or insurance papers.",
    _deaths,
)
