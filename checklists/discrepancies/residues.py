"""R21 and R22: residue against output by the approved ratio, and heaps as surveyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import (
    HUNDRED,
    Amount,
    Measured,
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
from checklists.discrepancies.operations import Residue
from checklists.discrepancies.periods import doubted, filed, lines, months_of, span
from checklists.discrepancies.rule import Rule, declared_as, on_file

_ORDER = ("query", "minor", "major", "critical")


# -- R21 ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Approved:
    """Tonnes of a kind of residue for a tonne of REO, and who says so."""

    ratio: Amount
    by: str


@reckoned
def _generated(case: Case) -> tuple[Finding, ...]:
    found = months_of(case)
    if isinstance(found, str):
        return (R21.needs(found),)
    declaration, months = found
    flags: list[Flag] = []
    unknown: set[str] = set()
    judged = False
    for line in lines(declaration, months, lambda m: m.output_t_reo is not None):
        for kind in sorted({a.name for m in line.months for a in m.residues}):
            those = [(m, a) for m in line.months for a in m.residues if a.name == kind]
            out = total(amount(m.output_t_reo) for m, _ in those if m.output_t_reo)
            approved = _approved(case, declaration.operations.residues or (), kind)
            if not out.value or not approved:
                unknown.add(kind)
                continue
            judged = True
            residue = total(amount(a.t) for _, a in those)
            when = span(m.month for m, _ in those)
            flags += _off_ratio(case, kind, residue, out, approved, when, line.process)
    if unknown:
        named = ", ".join(shown(kind, 40) for kind in sorted(unknown))
        return (*flags, R21.needs(f"an approved ratio, and output, for the residue {named}"))
    if not judged:
        return (R21.needs("output and residue declared for the same month"),)
    return tuple(flags)


def _approved(case: Case, residues: Sequence[Residue], kind: str) -> list[_Approved]:
    """The ratios that may be meant: that of the thresholds, and those declared as approved."""
    found = [
        _Approved(Amount(Decimal(row["ratio"])), "by the thresholds")
        for row in case.settings["R21"]["ratios"]
        if row["kind"] == kind
    ]
    declared = {
        (r.approved_ratio.value, r.approved_ratio.rel or Decimal(0)): r.approved_ratio
        for r in residues
        if r.kind == kind and r.approved_ratio is not None and r.approved_ratio.value > 0
    }
    return [*found, *(_Approved(amount(declared[k]), "as declared") for k in sorted(declared))]


def _off_ratio(
    case: Case,
    kind: str,
    residue: Amount,
    out: Amount,
    approved: Sequence[_Approved],
    when: str,
    process: str,
) -> list[Flag]:
    """Where several ratios may be meant, what fits one of them is asked at most."""
    margin = Decimal(case.settings["R21"]["margin_pct"]) / HUNDRED
    parts: list[tuple[str | None, Decimal, _Approved]] = []
    for one in approved:
        of_it = residue.value / (out.value * one.ratio.value)
        sigma = of_it * together(relative(residue), relative(out), relative(one.ratio))
        parts.append((grade(abs(of_it - 1) - margin, sigma, "major"), of_it, one))
    severities = [severity for severity, _, _ in parts if severity is not None]
    if not severities:
        return []
    least = min(severities, key=_ORDER.index) if len(severities) == len(parts) else "query"
    told = [part for part in parts if part[0] is not None]
    _, of_it, one = min(told, key=lambda part: abs(part[1] - 1))
    expected = out.value * one.ratio.value
    text = (
        f"{filed(case)}{stated(residue, 't')} of {shown(kind, 40)} and {stated(out, 't REO')} in "
        f"{when}. At the approved {stated(one.ratio, 't/t REO')} ({one.by}) it would be "
        f"{figure(expected)} t: the residue is {figure(of_it)} of that. "
        f"Limit: within {figure(margin * HUNDRED)} %."
    )
    if len(severities) < len(parts):
        text += " By another ratio that may be meant it fits, so this is a question."
    else:
        text += doubted(least)
    inputs = {
        "declaration": declared_as(case),
        "kind": kind,
        "process": process,
        "months": when,
        "residue_t": plain(residue.value),
        "output_t_reo": plain(out.value),
        "approved": [{"t_per_t_reo": plain(p.ratio.value), "by": p.by} for p in approved],
        "of_approved": plain(of_it),
        "residue_rel": plain(relative(residue)),
        "output_rel": plain(relative(out)),
    }
    threshold = f"more than {figure(margin * HUNDRED)} % off the approved ratio"
    off = f"{figure(abs(of_it - 1) * HUNDRED)} % off"
    return [R21.flag(case, f"{process} {kind}".strip(), least, text, inputs, threshold, off)]


# -- R22 ------------------------------------------------------------------------------------------


@reckoned
def _surveyed(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R22.needs(on_file(case)),)
    heaps = measured(case, "survey")
    if not heaps:
        return (R22.needs("a surveyed volume (observed/survey/…)"),)
    densities = {name.casefold(): seen for name, seen in measured(case, "density").items()}
    declared = _latest(case, declaration.operations.residues or ())
    findings: list[Finding] = []
    for heap, survey in heaps.items():
        rows = declared.get(heap.casefold(), ())
        compared = _compare(case, rows, survey, densities.get(heap.casefold()))
        if compared is None:
            what = "a declared mass or volume of the residue in"
            findings.append(R22.needs(f"{what} {shown(heap, 40)}, and a density where it is mass"))
        else:
            findings += _differs(case, heap, survey, *compared)
    return tuple(findings)


def _latest(case: Case, residues: Sequence[Residue]) -> dict[str, tuple[Residue, ...]]:
    """What was last declared of each heap up to the visit, by its name in lower case."""
    past = [r for r in residues if r.heap and r.on <= case.visited_on]
    last: dict[str, str] = {}
    for row in past:
        last[row.heap.casefold()] = max(row.on, last.get(row.heap.casefold(), ""))
    return {
        heap: tuple(r for r in past if r.heap.casefold() == heap and r.on == on)
        for heap, on in last.items()
    }


def _compare(
    case: Case, rows: Sequence[Residue], survey: Measured, density: Measured | None
) -> tuple[Amount, Amount, str] | None:
    """What was surveyed and what was declared, in one unit; None where they cannot be compared.

    Tonnes where the density was measured, else cubic metres.
    """
    settings = case.settings["R22"]
    seen = survey.amount(Decimal(settings["assumed_survey_rel"]))
    masses = [amount(r.t) for r in rows if r.t is not None]
    volumes = [amount(r.m3) for r in rows if r.m3 is not None]
    if density is not None and rows and len(masses) == len(rows):
        dense = density.amount(Decimal(settings["assumed_density_rel"]))
        value = seen.value * dense.value
        sigma = value * together(relative(seen), relative(dense))
        return Amount(value, sigma), total(masses), "t"
    if rows and len(volumes) == len(rows):
        return seen, total(volumes), "m3"
    return None


def _differs(
    case: Case, heap: str, survey: Measured, seen: Amount, declared: Amount, unit: str
) -> list[Flag]:
    margin = Decimal(case.settings["R22"]["margin_pct"]) / HUNDRED
    difference = abs(seen.value - declared.value)
    sigma = together(seen.sigma, declared.sigma)
    severity = grade(difference - margin * declared.value, sigma, "major")
    if severity is None:
        return []
    text = (
        f"{filed(case)}{stated(declared, _UNITS[unit])} in {shown(heap, 40)}. Surveyed on "
        f"{case.visited_on}: {figure(survey.value)} m³"
        + (f", {stated(seen, 't')}" if unit == "t" else f" ± {figure(2 * seen.sigma)} m³")
        + f". They differ by {share(difference, declared.value)}; limit "
        f"{figure(margin * HUNDRED)} %.{doubted(severity)}"
    )
    inputs = {
        "declaration": declared_as(case),
        "heap": heap,
        "unit": unit,
        "surveyed_m3": plain(survey.value),
        "surveyed": plain(seen.value),
        "surveyed_sigma": plain(seen.sigma),
        "survey_uncertainty": "stated" if survey.stated else "assumed",
        "declared": plain(declared.value),
        "declared_sigma": plain(declared.sigma),
        "entries": list(survey.entries),
    }
    threshold = f"more than {figure(margin * HUNDRED)} % of what is declared"
    off = f"{figure(difference)} {_UNITS[unit]} apart, limit {figure(margin * declared.value)}"
    return [R22.flag(case, heap, severity, text, inputs, threshold, off)]


_UNITS = {"t": "t", "m3": "m³"}

R21 = Rule(
    "R21",
    "1",
    "operations",
    "Residue does not fit the output",
    "The residue of a kind that arose, for each tonne of REO, is further off the approved ratio "
    "than the margin. Where the thresholds and the declaration name different ratios, what fits "
    "one of them is asked at most.",
    (
        "the feed changed",
        "residue was reused or went elsewhere under a licence",
        "residue of an earlier month was moved and declared again",
    ),
    "Manifests and weighings of the residue, and the feed's assay beside that of the approval.",
    _generated,
)

R22 = Rule(
    "R22",
    "1",
    "operations",
    "A heap is not as large as declared",
    "The surveyed volume of a heap or pond, or its mass by the density measured, is further off "
    "what was last declared for it than the margin.",
    (
        "the density is not the same throughout, or the heap was wet",
        "the ground under the heap is not where it was taken to be",
        "residue came or went between the declaration and the survey",
    ),
    "A second survey with control points, and a density from several samples.",
    _surveyed,
)
