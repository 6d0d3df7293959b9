"""R29: a licence for every process on the day of the visit, and for radiation where it matters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import Amount, amount, measured, plain, reckoned, stated
from checklists.discrepancies.operations import Licence, Operations
from checklists.discrepancies.periods import filed
from checklists.discrepancies.rule import Rule, declared_as, on_file

_WORKING = ("active", "exploring")


@reckoned
def _licensed(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R29.needs(on_file(case)),)
    if not case.visited_on:
        return (R29.needs("the day of the visit"),)
    licences = declaration.operations.licences
    if licences is None:
        return (R29.needs("declared licences"),)
    findings: list[Finding] = []
    if declaration.state in _WORKING:
        if not declaration.processes:
            findings.append(R29.needs("declared processes"))
        for process in sorted(set(declaration.processes)):
            covering = [one for one in licences if process in one.scope]
            findings += _of_process(case, process, covering)
    activities = _activities(case, declaration.operations)
    if activities:
        findings += _radiation(case, activities, [one for one in licences if one.radiation])
    else:
        findings.append(R29.needs("the activity of material or residue (Bq/g)"))
    return tuple(findings)


def _valid(licence: Licence, day: str) -> bool:
    return licence.valid_from <= day and (not licence.valid_to or day <= licence.valid_to)


def _pending(licence: Licence, day: str) -> bool:
    return bool(licence.renewal_applied) and max(licence.renewal_applied, licence.valid_from) <= day


def _standing(licences: Iterable[Licence], day: str) -> tuple[str | None, str]:
    """How bad it is that none of these licences surely holds, and why; None where one does."""
    found = sorted(licences, key=lambda one: (one.valid_from, one.number, one.issuer))
    if any(_valid(one, day) and one.recognised for one in found):
        return None, ""
    for one in found:
        if _valid(one, day):
            return "query", (
                f"{_named(one)} comes from an authority in fact that the law does not recognise"
            )
    for one in found:
        if _pending(one, day):
            return "query", (
                f"{_named(one)} {_when(one, day)}, and its renewal was asked for on "
                f"{one.renewal_applied}"
            )
    if found:
        return "critical", f"{_named(found[-1])} {_when(found[-1], day)}"
    return "critical", "no licence is declared for it"


def _named(licence: Licence) -> str:
    return f"licence {shown(licence.number, 40)} ({shown(licence.issuer, 60)})"


def _when(licence: Licence, day: str) -> str:
    if licence.valid_from > day:
        return f"begins on {licence.valid_from} only"
    return f"ended on {licence.valid_to}"


def _listed(licences: Iterable[Licence]) -> list[dict[str, str]]:
    return [
        {
            "number": one.number,
            "issuer": one.issuer,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "recognised": "yes" if one.recognised else "no",
        }
        for one in sorted(licences, key=lambda one: (one.number, one.issuer))
    ]


def _of_process(case: Case, process: str, licences: Sequence[Licence]) -> list[Flag]:
    severity, why = _standing(licences, case.visited_on)
    if severity is None:
        return []
    text = (
        f"{filed(case)}the process {shown(process, 40)}. On {case.visited_on} {why}. Limit: a "
        "licence for each process, valid on that day."
        + (" This is a question." if severity == "query" else "")
    )
    inputs = {
        "declaration": declared_as(case),
        "visited_on": case.visited_on,
        "process": process,
        "licences": _listed(licences),
    }
    threshold = "a licence for the process that is valid on the day of the visit"
    margin = f"{len(licences)} licences for it, none surely valid"
    return [R29.flag(case, f"process {process}", severity, text, inputs, threshold, margin)]


# -- radiation ------------------------------------------------------------------------------------


def _activities(case: Case, said: Operations) -> list[tuple[str, Amount]]:
    """What is known of activities in Bq/g: measured at the visit, and declared."""
    day = case.visited_on
    found = [
        (f"{shown(name, 40)}, measured at the visit", seen.amount())
        for name, seen in measured(case, "activity").items()
    ]
    found += [
        (f"{shown(r.heap or r.kind, 40)}, as declared", amount(r.activity_bq_g))
        for r in said.residues or ()
        if r.activity_bq_g is not None and r.on <= day
    ]
    found += [
        (f"{shown(s.lot, 40)}, as declared", amount(s.activity_bq_g))
        for s in said.shipments or ()
        if s.activity_bq_g is not None and s.date <= day
    ]
    return sorted(found, key=lambda one: (-one[1].value, one[0]))


def _radiation(
    case: Case, activities: Sequence[tuple[str, Amount]], licences: Sequence[Licence]
) -> list[Flag]:
    limit = Decimal(case.settings["R29"]["activity_bq_g"])
    severity, why = _standing(licences, case.visited_on)
    reaching = [(name, a) for name, a in activities if a.value >= limit]
    if severity is None or not reaching:
        return []
    surely = [(name, a) for name, a in reaching if a.value - 2 * a.sigma >= limit]
    if not surely:
        severity = "query"
    name, worst = (surely or reaching)[0]
    text = (
        f"The activity of {name} is {stated(worst, 'Bq/g')}; from {limit} Bq/g on a radiation "
        f"licence is needed. {filed(case)}{_none_or(licences)}on {case.visited_on} {why}."
        + (" This is a question." if severity == "query" else "")
    )
    inputs = {
        "declaration": declared_as(case),
        "visited_on": case.visited_on,
        "licences": _listed(licences),
        "activities_bq_g": [
            {"of": of, "value": plain(a.value), "sigma": plain(a.sigma)} for of, a in reaching
        ],
    }
    threshold = f"{limit} Bq/g or more, and a radiation licence valid on the day of the visit"
    margin = f"{len(reaching)} at {limit} Bq/g or more"
    return [R29.flag(case, "radiation", severity, text, inputs, threshold, margin)]


def _none_or(licences: Sequence[Licence]) -> str:
    return "a radiation licence; " if licences else "no radiation licence; "


R29 = Rule(
    "R29",
    "1",
    "operations",
    "No licence that covers it",
    "On the day of the visit a declared process has no valid licence, or material of 1 Bq/g or "
    "more is there without a radiation licence. A renewal that was asked for, and a licence that "
    "the law does not recognise, are asked about.",
    (
        "the renewal is with the authority",
        "one licence covers several processes, and its scope was declared in part",
        "the sample was not typical of the material",
    ),
    "The licence, or the authority's register, on the day of the visit; a second sample.",
    _licensed,
)
