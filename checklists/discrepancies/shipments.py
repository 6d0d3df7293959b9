"""R24 and R28: whether a lot is of the declared deposit, and whether its way and origin fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import (
    Amount,
    amount,
    figure,
    grade,
    measured,
    plain,
    reckoned,
    relative,
    stated,
    together,
)
from checklists.discrepancies.imported import RiskArea
from checklists.discrepancies.operations import Operations, Pattern, Shipment
from checklists.discrepancies.periods import doubted, filed
from checklists.discrepancies.rule import Rule, declared_as, on_file

_ELEMENT = re.compile(r"[A-Z][a-z]?")
_ORDER = ("query", "minor", "major", "critical")


# -- R24 ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A mark of a lot against that of the deposit."""

    pattern: Pattern
    by: str
    value: Amount
    over: Decimal
    severity: str


@reckoned
def _of_deposit(case: Case) -> tuple[Finding, ...]:
    if case.declaration is None:
        return (R24.needs(on_file(case)),)
    deposit = case.declaration.operations.deposit
    if not deposit:
        return (R24.needs("the pattern of the declared deposit"),)
    lots = _contents(case, case.declaration.operations)
    flags: list[Flag] = []
    judged = False
    for lot in sorted(lots):
        values = [
            (pattern, by, value)
            for pattern in deposit
            for by, contents in sorted(lots[lot].items())
            if (value := _mark(pattern.measure, contents)) is not None
        ]
        judged |= bool(values)
        flags += _unlike(case, lot, [_held(case, *one) for one in values])
    if not judged:
        named = ", ".join(pattern.measure for pattern in deposit)
        return (R24.needs(f"contents of a lot from which {named} can be reckoned"),)
    return tuple(flags)


def _contents(case: Case, said: Operations) -> dict[str, dict[str, dict[str, Amount]]]:
    """Contents of each lot by element, as declared and as found at the visit (lot-7-Dy)."""
    lots: dict[str, dict[str, dict[str, Amount]]] = {}
    names: dict[str, str] = {}
    for shipment in said.shipments or ():
        if shipment.date <= case.visited_on:
            names[shipment.lot.casefold()] = shipment.lot
            declared = {_element(c.oxide): amount(c.pct) for c in shipment.assay}
            lots[shipment.lot] = {"declared": declared} if declared else {}
    for instance, seen in measured(case, "assay").items():
        lot, _, oxide = instance.rpartition("-")
        if lot and _ELEMENT.match(oxide):
            known = names.get(lot.casefold(), lot)
            lots.setdefault(known, {}).setdefault("found", {})[_element(oxide)] = seen.amount()
    return lots


def _element(oxide: str) -> str:
    """The element of an oxide: Dy of Dy2O3; a name that is none stays as it is."""
    match = _ELEMENT.match(oxide)
    return match[0] if match else oxide


def _mark(measure: str, contents: Mapping[str, Amount]) -> Amount | None:
    """The ratio or share that a measure names, or None where a content is missing."""
    first, _, second = measure.partition("/")
    if not second:
        return contents.get(_element(measure.rstrip("%")))
    over, under = contents.get(_element(first)), contents.get(_element(second))
    if over is None or under is None or not under.value:
        return None
    value = over.value / under.value
    return Amount(value, value * together(relative(over), relative(under)))


def _held(case: Case, pattern: Pattern, by: str, value: Amount) -> _Found | None:
    allowed = Decimal(case.settings["R24"]["sigmas"]) * pattern.sd
    over = abs(value.value - pattern.mean) - allowed
    severity = grade(over, value.sigma, "critical")
    return None if severity is None else _Found(pattern, by, value, over, severity)


def _unlike(case: Case, lot: str, found: Sequence[_Found | None]) -> list[Flag]:
    marks = [one for one in found if one is not None]
    if not marks:
        return []
    worst = max(marks, key=lambda m: (_ORDER.index(m.severity), m.over, m.pattern.measure, m.by))
    pattern, sigmas = worst.pattern, case.settings["R24"]["sigmas"]
    off = abs(worst.value.value - pattern.mean)
    times = f"{figure(off / pattern.sd)} standard deviations" if pattern.sd else "more than allowed"
    how = "as declared for the lot" if worst.by == "declared" else "as found in it"
    text = (
        f"{filed(case)}ore with {pattern.measure} {plain(pattern.mean)} ± {plain(pattern.sd)} (one "
        f"standard deviation). {pattern.measure} of {shown(lot, 40)}, {how}: "
        f"{stated(worst.value, '')}, {times} off. Limit: {sigmas}.{doubted(worst.severity)}"
    )
    inputs = {
        "declaration": declared_as(case),
        "lot": lot,
        "marks": [
            {
                "measure": m.pattern.measure,
                "by": m.by,
                "value": plain(m.value.value),
                "sigma": plain(m.value.sigma),
                "mean": plain(m.pattern.mean),
                "sd": plain(m.pattern.sd),
            }
            for m in sorted(marks, key=lambda m: (m.pattern.measure, m.by))
        ],
    }
    threshold = f"more than {sigmas} standard deviations of the declared deposit"
    margin = f"{figure(worst.over)} beyond it"
    return [R24.flag(case, lot, worst.severity, text, inputs, threshold, margin)]


# -- R28 ------------------------------------------------------------------------------------------


def _way(case: Case) -> tuple[Finding, ...]:
    if case.declaration is None:
        return (R28.needs(on_file(case)),)
    said = case.declaration.operations
    if said.shipments is None:
        return (R28.needs("declared shipments"),)
    sent = sorted((s for s in said.shipments if s.date <= case.visited_on), key=lambda s: s.lot)
    findings: list[Finding] = []
    unknown = [s for s in sent if not s.origin]
    if unknown:
        findings.append(R28.needs(f"the origin of {_lots(unknown)}"))
    findings += _origins(case, said, [s for s in sent if s.origin])
    if case.imported.areas is None:
        if sent:
            findings.append(R28.needs("a list of conflict-affected and high-risk areas"))
    else:
        findings += _through(case, said, sent, case.imported.areas)
    return tuple(findings)


def _lots(shipments: Sequence[Shipment], most: int = 5) -> str:
    named = ", ".join(shown(s.lot, 40) for s in shipments[:most])
    more = len(shipments) - most
    return f"{named} and {more} more" if more > 0 else named


def _origins(case: Case, said: Operations, sent: Sequence[Shipment]) -> list[Flag]:
    """Countries of origin in which no mine is declared; where no mines are mentioned at all, it is
    asked.
    """
    processes = case.declaration.processes if case.declaration else ()
    mines_here = bool(set(processes) & set(case.settings["R28"]["mining"]))
    countries = {mine.country for mine in said.mines or ()}
    countries |= {case.country} if mines_here else set()
    by_country: dict[str, list[Shipment]] = {}
    for shipment in sent:
        country = shipment.origin[:2]
        if country not in countries:
            by_country.setdefault(country, []).append(shipment)
    return [_origin(case, said, c, by_country[c], countries) for c in sorted(by_country)]


def _origin(
    case: Case, said: Operations, country: str, sent: Sequence[Shipment], known: set[str]
) -> Flag:
    asked = said.mines is None
    text = (
        f"{filed(case)}{len(sent)} shipments of origin {country} ({_lots(sent)}), and "
        + (f"mines in {', '.join(sorted(known))} only." if known else "no mine.")
        + (" Mines elsewhere are not mentioned, so this is a question." if asked else "")
    )
    inputs = {
        "declaration": declared_as(case),
        "origin": country,
        "lots": [s.lot for s in sent],
        "mines_in": sorted(known),
    }
    threshold = "a declared mine in the country of origin"
    margin = f"{len(sent)} shipments"
    severity = "query" if asked else "critical"
    return R28.flag(case, f"origin {country}", severity, text, inputs, threshold, margin)


def _through(
    case: Case, said: Operations, sent: Sequence[Shipment], areas: Sequence[RiskArea]
) -> list[Flag]:
    """Listed areas on the way that the declaration names nowhere as conflict-affected."""
    named = set(said.conflict_area.areas) if said.conflict_area else set()
    found: dict[tuple[str, str], list[Shipment]] = {}
    for shipment in sent:
        way = sorted({shipment.origin, *shipment.transit} - {""})
        for place in way:
            for area in areas:
                open_one = area.since <= shipment.date and not _named(area.area, place, named)
                if open_one and _touches(place, area.area):
                    found.setdefault((place, area.area), []).append(shipment)
    worst: dict[str, list[tuple[str, list[Shipment]]]] = {}
    for (place, area_name), shipments in sorted(found.items()):
        worst.setdefault(place, []).append((area_name, shipments))
    return [_transit(case, place, worst[place], areas) for place in sorted(worst)]


def _touches(place: str, area: str) -> bool:
    """Whether a way through a place may go through a listed area: one may contain the other."""
    return place == area or place[:2] == area or area[:2] == place


def _within(place: str, area: str) -> bool:
    """Whether it surely does."""
    return place == area or place[:2] == area


def _named(area: str, place: str, named: set[str]) -> bool:
    return bool({area, area[:2], place} & named)


def _transit(
    case: Case, place: str, through: Sequence[tuple[str, list[Shipment]]], areas: Sequence[RiskArea]
) -> Flag:
    certain = [one for one in through if _within(place, one[0])]
    area, sent = (certain or through)[0]
    sources = sorted({a.source for a in areas if a.area == area})
    text = (
        f"{filed(case)}the way of {_lots(sent)} through {place}, and no conflict-affected area "
        f"there. {area} is on a list of such areas ({', '.join(shown(s) for s in sources)})."
        + (
            ""
            if certain
            else f" Whether the way goes through that part of {place} is not declared: a question."
        )
    )
    inputs = {
        "declaration": declared_as(case),
        "place": place,
        "listed": sorted({name for name, _ in through}),
        "lots": sorted({s.lot for _, some in through for s in some}),
    }
    threshold = "a listed area on the way that is not declared as conflict-affected"
    margin = f"{len(inputs['lots'])} shipments"
    severity = "critical" if certain else "query"
    return R28.flag(case, f"way {place}", severity, text, inputs, threshold, margin)


R24 = Rule(
    "R24",
    "1",
    "operations",
    "A lot is unlike the declared deposit",
    "The pattern of elements in a lot, as declared for it or found in it, is more than three "
    "standard deviations from that of the declared deposit.",
    (
        "lots of several deposits were blended, and that is disclosed elsewhere",
        "contents were given for elements in one place and for oxides in the other",
        "another part of the deposit is mined now",
    ),
    "A second assay by another laboratory, and assays of the ore face.",
    _of_deposit,
)

R28 = Rule(
    "R28",
    "1",
    "operations",
    "Way or origin of a lot does not fit",
    "A lot comes from a country in which no mine is declared, or its way leads through a listed "
    "conflict-affected or high-risk area that is not declared.",
    (
        "goods were exported again from a country in which nothing is mined",
        "the list is out of date, or the way avoids the listed part",
    ),
    "Certificates of origin, customs and transport papers of the lot.",
    _way,
)
