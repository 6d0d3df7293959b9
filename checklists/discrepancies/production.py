"""R23 and R25: output against the licensed capacity, power and water against those of peers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding, Flag
from checklists.discrepancies.doubt import (
    HUNDRED,
    ZERO,
    Amount,
    amount,
    figure,
    grade,
    plain,
    reckoned,
    relative,
    share,
    stated,
    together,
    total,
)
from checklists.discrepancies.operations import Licence, Month
from checklists.discrepancies.periods import (
    Line,
    doubted,
    filed,
    lines,
    months_of,
    next_month,
    span,
)
from checklists.discrepancies.rule import Rule, declared_as

_YEAR = 12
MEASURES = {
    "power_kwh_per_t_reo": ("power_kwh", "kWh", "electricity"),
    "water_m3_per_t_reo": ("water_m3", "m³", "water"),
}


# -- R23 ------------------------------------------------------------------------------------------


@reckoned
def _capacity(case: Case) -> tuple[Finding, ...]:
    found = months_of(case)
    if isinstance(found, str):
        return (R23.needs(found),)
    declaration, months = found
    licences = [one for one in declaration.operations.licences or () if one.capacity is not None]
    usable = lines(declaration, months, lambda m: m.output_t_reo is not None)
    if not usable:
        return (R23.needs("a declared monthly output"),)
    findings: list[Finding] = []
    for line in usable:
        covering = [one for one in licences if _covers(one, line.process)]
        if covering:
            findings += _over_capacity(case, line, covering)
        else:
            findings.append(R23.needs(f"a licence with a capacity{line.named}"))
    return tuple(findings)


def _covers(licence: Licence, process: str) -> bool:
    return not process or not licence.scope or process in licence.scope


def _over_capacity(case: Case, line: Line, licences: Sequence[Licence]) -> list[Flag]:
    """The twelve months in a row in which most was made beyond what was licensed."""
    margin = Decimal(case.settings["R23"]["margin_pct"])
    years = []
    for start in line.months:
        year = [m for m in line.months if start.month <= m.month < _year_on(start.month)]
        licensed = max(
            (_licensed(licences, m.month) for m in year), key=lambda a: (a.value, a.sigma)
        )
        made = total(amount(m.output_t_reo) for m in year if m.output_t_reo)
        years.append((made.value - licensed.value * (1 + margin / HUNDRED), made, licensed, year))
    graded = [
        (grade(over, together(made.sigma, licensed.sigma), "major"), over, made, licensed, year)
        for over, made, licensed, year in years
    ]
    flagged = [one for one in graded if one[0] is not None]
    if not flagged:
        return []
    severity, over, made, licensed, year = max(
        flagged, key=lambda one: (one[0] == "major", one[1], one[4][0].month)
    )
    text = (
        f"{filed(case)}{stated(made, 't REO')} made{line.named} in "
        f"{span(m.month for m in year)}, and licences for {stated(licensed, 't REO')} a year: "
        f"{share(made.value, licensed.value)} of it. Limit: "
        f"{figure(HUNDRED + margin)} %.{doubted(severity)}"
    )
    inputs = {
        "declaration": declared_as(case),
        "process": line.process,
        "months": [m.month for m in year],
        "output_t_reo": plain(made.value),
        "licensed_t_reo_per_year": plain(licensed.value),
        "licences": sorted(one.number for one in licences),
        "sigma_t_reo": plain(together(made.sigma, licensed.sigma)),
    }
    threshold = f"more than {figure(HUNDRED + margin)} % of the licensed capacity in a year"
    beyond = f"{figure(over)} t REO beyond the limit"
    key = line.process or "all"
    return [R23.flag(case, key, severity or "query", text, inputs, threshold, beyond)]


def _year_on(month: str) -> str:
    for _ in range(_YEAR):
        month = next_month(month)
    return month


def _licensed(licences: Iterable[Licence], month: str) -> Amount:
    """What the licences that were valid in a month allow together, in t REO per year.

    One that ran out counts in its last month, and its successor from the month after.
    """
    valid = [
        one
        for one in licences
        if one.valid_from[:7] <= month and (not one.valid_to or f"{month}-01" <= one.valid_to)
    ]
    begun = [one for one in valid if one.valid_from <= f"{month}-01"]
    return total(amount(one.capacity) for one in begun or valid if one.capacity is not None)


# -- R25 ------------------------------------------------------------------------------------------


@reckoned
def _intensity(case: Case) -> tuple[Finding, ...]:
    found = months_of(case)
    if isinstance(found, str):
        return (R25.needs(found),)
    if case.imported.peers is None:
        return (R25.needs("the figures of peers, sites with the same process"),)
    findings: list[Finding] = []
    for measure, (member, unit, name) in MEASURES.items():
        peers = sorted(Decimal(value) for value in case.imported.peers.get(measure, ()))
        used, out = _use(found[1], member)
        least = int(case.settings["R25"]["least_peers"])
        if not out.value:
            findings.append(R25.needs(f"{name} and output declared for the same month"))
        elif len(peers) < least:
            findings.append(R25.needs(f"the {name} use of at least {least} peers"))
        else:
            findings += _apart(case, measure, used, out, peers, f"{unit}/t REO of {name}")
    return tuple(findings)


def _use(months: Iterable[Month], member: str) -> tuple[Amount, Amount]:
    both = [m for m in months if getattr(m, member) is not None and m.output_t_reo is not None]
    return (
        total(amount(getattr(m, member)) for m in both),
        total(amount(m.output_t_reo) for m in both if m.output_t_reo),
    )


def _apart(
    case: Case, measure: str, used: Amount, out: Amount, peers: Sequence[Decimal], what: str
) -> list[Flag]:
    middle = _median(peers)
    spread = _median(sorted(abs(value - middle) for value in peers))
    reach = Decimal(case.settings["R25"]["deviations"]) * spread
    value = used.value / out.value
    sigma = value * together(relative(used), relative(out))
    over = abs(value - middle) - reach
    severity = grade(over, sigma, "minor")
    if severity is None:
        return []
    low, high = max(ZERO, middle - reach), middle + reach
    text = (
        f"{filed(case)}{stated(Amount(value, sigma), what)}. That of {len(peers)} peers lies "
        f"between {figure(low)} and {figure(high)}.{doubted(severity)}"
    )
    inputs = {
        "declaration": declared_as(case),
        "measure": measure,
        "value": plain(value),
        "sigma": plain(sigma),
        "peers": len(peers),
        "median": plain(middle),
        "median_absolute_deviation": plain(spread),
    }
    deviations = case.settings["R25"]["deviations"]
    threshold = f"{deviations} median absolute deviations from the median of peers"
    return [
        R25.flag(case, measure, severity, text, inputs, threshold, f"{figure(over)} outside it")
    ]


def _median(values: Sequence[Decimal]) -> Decimal:
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


R23 = Rule(
    "R23",
    "1",
    "operations",
    "More output than is licensed",
    "The declared output of at most twelve months in a row is more than the capacity of the "
    "licences for the process, and the margin. Licences that are valid together add up.",
    (
        "the licence was amended, and the amendment is not declared",
        "another licence covers a part of it",
    ),
    "The licence with its amendments, and the authority's word on the capacity.",
    _capacity,
)

R25 = Rule(
    "R25",
    "1",
    "operations",
    "Power or water use is unlike that of peers",
    "Electricity or water for each tonne of REO lies further from the median of peers than the "
    "threshold allows.",
    (
        "the site makes power of its own that is not metered",
        "water is used again",
        "the peers work other ore",
    ),
    "Meter readings, bills, and the site's own generation.",
    _intensity,
)
