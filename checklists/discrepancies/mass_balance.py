"""R18, R19 and R20: output against ore, shipments against what there was, reagents against output.

The limit of R18 is ore x grade x recovery x (1 + 2 rel), rel the root of the sum of the squares of
the three relative uncertainties (domain brief, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import (
    HUNDRED,
    ZERO,
    Amount,
    amount,
    figure,
    grade,
    measured,
    plain,
    reckoned,
    relative,
    share,
    stated,
    together,
    total,
)
from checklists.discrepancies.operations import Month, Shipment, Stock
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

# -- R18 ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Yield:
    """A month's output and what its ore, with feed bought in, yields; both in t REO."""

    month: str
    out: Amount
    expected: Amount
    bought: bool


def _complete(month: Month) -> bool:
    parts = (month.ore_t, month.grade_pct, month.recovery_pct, month.output_t_reo)
    return all(part is not None for part in parts)


def _yield_of(case: Case, month: Month) -> _Yield | None:
    ore, content, recovery = month.ore_t, month.grade_pct, month.recovery_pct
    if ore is None or content is None or recovery is None or month.output_t_reo is None:
        return None
    assumed = case.settings["R18"]
    value = ore.value * (content.value / HUNDRED) * (recovery.value / HUNDRED)
    rels = [
        Decimal(assumed[f"assumed_{name}_rel"]) if given.rel is None else given.rel
        for given, name in ((ore, "ore"), (content, "grade"), (recovery, "recovery"))
    ]
    made = Amount(value, value * together(*rels))
    bought = month.purchases_t_reo
    expected = made if bought is None else total((made, amount(bought)))
    return _Yield(month.month, amount(month.output_t_reo), expected, bool(bought and bought.value))


@reckoned
def _output(case: Case) -> tuple[Finding, ...]:
    found = months_of(case)
    if isinstance(found, str):
        return (R18.needs(found),)
    usable = lines(*found, _complete)
    if not usable:
        return (R18.needs("ore, grade, recovery and output declared for the same month"),)
    flags: list[Flag] = []
    for line in usable:
        months = [made for month in line.months if (made := _yield_of(case, month)) is not None]
        flags += _beyond_yield(case, line, months)
    return tuple(flags)


def _beyond_yield(case: Case, line: Line, months: Sequence[_Yield]) -> list[Flag]:
    """All months together, since ore of one month may leave in the next; where only a single one
    is beyond the limit, its timing may explain it.
    """
    whole = severity = _grade_yield(case, months)
    if whole is None:
        single = [m for m in months if _grade_yield(case, (m,)) == "critical"]
        if not single:
            return []
        months, severity = (max(single, key=lambda m: (_times(m), m.month)),), "query"
    out, expected = total(m.out for m in months), total(m.expected for m in months)
    limit = expected.value + 2 * expected.sigma
    text = (
        f"{filed(case)}{stated(out, 't REO')} made{line.named} in "
        f"{span(m.month for m in months)}. Declared ore, grade and recovery yield "
        f"{figure(expected.value)} t REO; limit with their uncertainties: {figure(limit)} t REO."
        + (" Feed bought in is counted." if any(m.bought for m in months) else "")
    )
    if whole is None:
        text += " All declared months together fit, so this is a question about that month."
    else:
        text += doubted(severity)
    inputs = {
        "declaration": declared_as(case),
        "process": line.process,
        "months": [m.month for m in months],
        "output_t_reo": plain(out.value),
        "output_rel": plain(relative(out)),
        "expected_t_reo": plain(expected.value),
        "expected_rel": plain(relative(expected)),
        "limit_t_reo": plain(limit),
    }
    threshold = (
        "more than ore x grade x recovery and twice their relative uncertainty; asked from "
        f"{case.settings['R18']['ask_pct']} % above what they yield"
    )
    margin = f"{share(out.value, expected.value)} of what the declared ore yields"
    key = line.process or "all"
    return [R18.flag(case, key, severity or "query", text, inputs, threshold, margin)]


def _grade_yield(case: Case, months: Sequence[_Yield]) -> str | None:
    out, expected = total(m.out for m in months), total(m.expected for m in months)
    if out.value - 2 * out.sigma > expected.value + 2 * expected.sigma:
        return "critical"
    ask = 1 + Decimal(case.settings["R18"]["ask_pct"]) / HUNDRED
    return "query" if out.value > expected.value * ask else None


def _times(month: _Yield) -> Decimal:
    ideal = month.expected.value
    return month.out.value / ideal if ideal else Decimal("Infinity")


# -- R19 ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Balance:
    """What there was from a day on, by its parts, and the lots that left; all in t REO."""

    since: str
    until: str
    parts: Mapping[str, Amount]
    lots: tuple[str, ...]
    weighed: tuple[str, ...]
    shipped: Amount


@reckoned
def _shipped(case: Case) -> tuple[Finding, ...]:
    balance = _balance(case)
    if isinstance(balance, str):
        return (R19.needs(balance),)
    available = sum((part.value for part in balance.parts.values()), ZERO)
    margin = Decimal(case.settings["R19"]["margin_pct"])
    limit = available * (1 + margin / HUNDRED)
    sigma = together(balance.shipped.sigma, *(part.sigma for part in balance.parts.values()))
    severity = grade(balance.shipped.value - limit, sigma, "critical")
    if severity is None:
        return ()
    parts = ", ".join(f"{name} {stated(part, 't')}" for name, part in balance.parts.items())
    text = (
        f"{filed(case)}{len(balance.lots)} shipments of {stated(balance.shipped, 't REO')} from "
        f"{balance.since} to {balance.until}; there were {figure(available)} t REO ({parts}). "
        f"Limit: {figure(limit)} t REO."
        + (f" Weighed at the visit: {_named(balance.weighed)}." if balance.weighed else "")
        + doubted(severity)
    )
    inputs = {
        "declaration": declared_as(case),
        "since": balance.since,
        "until": balance.until,
        "lots": list(balance.lots),
        "weighed_at_the_visit": list(balance.weighed),
        "shipped_t_reo": plain(balance.shipped.value),
        "available_t_reo": plain(available),
        "parts_t_reo": {name: plain(part.value) for name, part in balance.parts.items()},
        "sigma_t_reo": plain(sigma),
        "limit_t_reo": plain(limit),
    }
    threshold = f"more than opening stock, production and purchases, and {margin} %"
    over = f"{figure(balance.shipped.value - limit)} t REO beyond the limit"
    return (R19.flag(case, "balance", severity, text, inputs, threshold, over),)


def _balance(case: Case) -> _Balance | str:
    found = months_of(case)
    if isinstance(found, str):
        return found
    declaration, months = found
    said = declaration.operations
    if said.shipments is None:
        return "declared shipments"
    opening = _opening(case, said.stocks or (), months)
    if opening is None:
        return "a declared stock of REO, and the output of every month since"
    counted = [m for m in months if m.month >= opening.on[:7]]
    until = counted[-1].month
    sent = [s for s in said.shipments if opening.on <= s.date and s.date[:7] <= until]
    sent = [s for s in sent if s.date <= case.visited_on]
    unknown = [s.lot for s in sent if s.reo_pct is None]
    if unknown:
        return f"the content of REO in the shipments {_named(unknown)}"
    weights = {name.casefold(): seen for name, seen in measured(case, "shipped").items()}
    masses = [(s, weights.get(s.lot.casefold())) for s in sent]
    return _Balance(
        opening.on,
        until,
        {
            "stock": amount(opening.t),
            "production": total(amount(m.output_t_reo) for m in counted if m.output_t_reo),
            "purchases": total(amount(m.purchases_t_reo) for m in counted if m.purchases_t_reo),
        },
        tuple(sorted(s.lot for s in sent)),
        tuple(sorted(s.lot for s, seen in masses if seen is not None)),
        total(
            _content(s, amount(s.mass_t) if seen is None else seen.amount()) for s, seen in masses
        ),
    )


def _opening(case: Case, stocks: Iterable[Stock], months: Sequence[Month]) -> Stock | None:
    """The earliest stock of REO since which the output of every month is declared."""
    known = {m.month for m in months if m.output_t_reo is not None}
    incomplete = {m.month for m in months if m.output_t_reo is None}
    last = months[-1].month
    for stock in sorted(stocks, key=lambda s: s.on):
        if stock.material.casefold() != "reo" or stock.on > case.visited_on:
            continue
        month = stock.on[:7]
        while month in known and month not in incomplete and month < last:
            month = next_month(month)
        if month == last and month in known and month not in incomplete:
            return stock
    return None


def _content(shipment: Shipment, mass: Amount) -> Amount:
    """What a lot of this mass holds, in t REO."""
    assert shipment.reo_pct is not None  # noqa: S101 - lots without it were named before
    content = amount(shipment.reo_pct)
    value = mass.value * content.value / HUNDRED
    return Amount(value, value * together(relative(mass), relative(content)))


def _named(names: Sequence[str], most: int = 5) -> str:
    told = ", ".join(shown(name, 40) for name in sorted(names)[:most])
    more = len(names) - most
    return f"{told} and {more} more" if more > 0 else told


# -- R20 ------------------------------------------------------------------------------------------


@reckoned
def _reagents(case: Case) -> tuple[Finding, ...]:
    found = months_of(case)
    if isinstance(found, str):
        return (R20.needs(found),)
    declaration, months = found
    bands = {(b["process"], b["reagent"]): b for b in case.settings["R20"]["bands"]}
    flags: list[Flag] = []
    judged = False
    for line in lines(declaration, months, lambda m: m.output_t_reo is not None):
        for process, reagent in sorted(bands):
            used = [(m, a) for m in line.months for a in m.reagents if a.name == reagent]
            out = total(amount(m.output_t_reo) for m, _ in used if m.output_t_reo)
            if process == line.process and out.value > 0:
                judged = True
                use = total(amount(a.t) for _, a in used)
                when = span(m.month for m, _ in used)
                flags += _outside_band(case, bands[process, reagent], use, out, when)
    if not judged:
        known = ", ".join(f"{reagent} for {process}" for process, reagent in sorted(bands))
        return (R20.needs(f"output and reagents declared for the same month ({known})"),)
    return tuple(flags)


def _outside_band(
    case: Case, band: Mapping[str, str], use: Amount, out: Amount, when: str
) -> list[Flag]:
    least, most = Decimal(band["least"]), Decimal(band["most"])
    ratio = use.value / out.value
    sigma = ratio * together(relative(use), relative(out))
    severity = grade(max(ratio - most, least - ratio), sigma, "major")
    if severity is None:
        return []
    name = f"{band['reagent']} for {band['process']}"
    text = (
        f"{filed(case)}{stated(use, 't')} of {band['reagent']} and {stated(out, 't REO')} in "
        f"{when}, so {stated(Amount(ratio, sigma), 't/t REO')}. The band for {band['process']} is "
        f"{band['least']} to {band['most']}.{doubted(severity)}"
    )
    inputs = {
        "declaration": declared_as(case),
        "process": band["process"],
        "reagent": band["reagent"],
        "months": when,
        "reagent_t": plain(use.value),
        "output_t_reo": plain(out.value),
        "ratio": plain(ratio),
        "sigma": plain(sigma),
    }
    threshold = f"{band['least']} to {band['most']} t of {name} for each t REO"
    over = f"{figure(max(ratio - most, least - ratio))} t/t REO outside the band"
    return [R20.flag(case, name, severity, text, inputs, threshold, over)]


R18 = Rule(
    "R18",
    "1",
    "operations",
    "More output than the declared ore yields",
    "The declared output is more than declared ore, grade and recovery yield, beyond twice their "
    "combined uncertainty. All months count together; one that stands out alone is asked about.",
    (
        "material from stock was worked up",
        "feed of others was treated and not declared as bought",
        "the grade of the ore changed within the month",
    ),
    "Weighbridge tickets and assays of the ore, stock records, and the papers of feed bought in.",
    _output,
)

R19 = Rule(
    "R19",
    "1",
    "operations",
    "More shipped than there was",
    "Shipments hold more REO than the declared opening stock, production and purchases since that "
    "day, and the margin. A lot weighed at the visit counts by that weight.",
    (
        "moisture: goods were weighed wet and declared dry, or the other way round",
        "timing: goods left at the turn of a month",
        "an older stock was not declared",
    ),
    "The stock book and the weighbridge and loading papers of each lot.",
    _shipped,
)

R20 = Rule(
    "R20",
    "1",
    "operations",
    "Reagent use does not fit the output",
    "Tonnes of reagent for each tonne of REO lie outside the band of the process.",
    (
        "reagent is recycled",
        "another reagent is used beside it, such as magnesium sulfate",
        "reagent was bought for stock and declared as used",
    ),
    "The reagent stock book, purchase papers and a look at the store.",
    _reagents,
)
