"""Items -> sections, pillars and facility, with bounds and interval (scoring rules 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from checklists.model import PILLARS
from checklists.scoring.exact import root
from checklists.scoring.items import NOT_APPLICABLE, ItemOutcome
from checklists.scoring.prevalence import Z95

_HUNDRED = Fraction(100)
NOT_APPLICABLE_ALERT = Fraction(1, 5)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one group of items: weights are integers, weighted values thousandths.

    `for_grade` are (value, weight, item) of the items that count as not observed and have a value
    for the grade alone, the lowest first.
    """

    applicable: int
    answered: int
    value: int
    low: int
    high: int
    variance: Fraction  # of the weighted values, in thousandths squared
    for_grade: tuple[tuple[int, int, str], ...] = ()

    @property
    def s(self) -> Fraction | None:
        """S, 0 to 100, never above U (rule 3); None where nothing is answered."""
        if not self.answered:
            return None
        if self.value * self.applicable > self.high * self.answered:
            return self.upper
        return Fraction(self.value, 10 * self.answered)

    @property
    def graded(self) -> tuple[Fraction | None, tuple[str, ...]]:
        """The S that the grade is read from, and the items that lower it beyond S.

        It is the lowest that S can be with any of the items that have a value for the grade alone
        counted beside the answered ones. So it does not matter which of them hiding took out.
        """
        s = self.s
        if s is None:
            return None, ()
        value, weight, items = self.value, self.answered, []
        for one, more, item in self.for_grade:
            if one * weight >= value:
                break  # they rise from here on, so that none of them lowers the mean
            value, weight = value + one * more, weight + more
            items.append(item)
        return min(s, Fraction(value, 10 * weight)) if items else s, tuple(items)

    @property
    def coverage(self) -> Fraction | None:
        return Fraction(self.answered, self.applicable) if self.applicable else None

    @property
    def lower(self) -> Fraction | None:
        return Fraction(self.low, 10 * self.applicable) if self.applicable else None

    @property
    def upper(self) -> Fraction | None:
        return Fraction(self.high, 10 * self.applicable) if self.applicable else None

    @property
    def se_squared(self) -> Fraction | None:
        if not self.applicable:
            return None
        return self.variance / (10 * self.applicable) ** 2


@dataclass(frozen=True, slots=True)
class Interval:
    """Standard error and the 95 % interval around the bounds, clipped to 0 to 100."""

    se: Fraction
    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Facility:
    """The weighted whole. `shares` are the renormalised weights of the pillars that apply;
    `raw` is None while a pillar that applies has no answer; `graded` is the same from what the
    grade is read from.
    """

    shares: Mapping[str, Fraction]
    raw: Fraction | None
    graded: Fraction | None
    lower: Fraction | None
    upper: Fraction | None
    interval: Interval | None
    coverage: Fraction | None


def totals(outcomes: Iterable[ItemOutcome]) -> Totals:
    """Sum the items that apply; items that do not apply change nothing."""
    applicable = answered = value = low = high = 0
    squares: dict[int, int] = {}  # by denominator: sums of integers are far quicker
    for_grade = []
    for one in outcomes:
        if not one.applicable:
            continue
        if one.for_grade is not None:
            for_grade.append((one.for_grade, one.item.weight, one.item.id))
        weight = one.item.weight
        applicable += weight
        low += weight * one.low
        high += weight * one.high
        if one.answered and one.effective is not None:
            answered += weight
            value += weight * one.effective
            numerator, denominator = one.variance.as_integer_ratio()
            if numerator:
                known = squares.get(denominator, 0)
                squares[denominator] = known + weight * weight * numerator
    variance = sum((Fraction(n, d) for d, n in squares.items()), Fraction(0))
    return Totals(applicable, answered, value, low, high, variance, tuple(sorted(for_grade)))


def interval_of(
    lower: Fraction | None, upper: Fraction | None, se_squared: Fraction | None
) -> Interval | None:
    """[L - 1.96 se, U + 1.96 se], clipped (rule 7); None where nothing applies."""
    if lower is None or upper is None or se_squared is None:
        return None
    se = root(se_squared)
    return Interval(se, max(Fraction(0), lower - Z95 * se), min(_HUNDRED, upper + Z95 * se))


def facility_of(pillars: Mapping[str, Totals], weights: Mapping[str, int]) -> Facility:
    """F and its bounds over the pillars that apply, their weights renormalised (rule 6)."""
    applying = {p: t for p, t in pillars.items() if t.applicable and weights.get(p, 0) > 0}
    whole = sum(weights[p] for p in applying)
    if not applying:
        return Facility({}, None, None, None, None, None, None)
    shares = {p: Fraction(weights[p], whole) for p in applying}
    zero = Fraction(0)
    raw = _weighted([(shares[p], t.s) for p, t in applying.items()])
    graded = _weighted([(shares[p], t.graded[0]) for p, t in applying.items()])
    lower = sum((shares[p] * (t.lower or zero) for p, t in applying.items()), zero)
    upper = sum((shares[p] * (t.upper or zero) for p, t in applying.items()), zero)
    squares = sum((shares[p] ** 2 * (t.se_squared or zero) for p, t in applying.items()), zero)
    applicable = sum(t.applicable for t in applying.values())
    answered = sum(t.answered for t in applying.values())
    return Facility(
        shares,
        raw,
        graded,
        lower,
        upper,
        interval_of(lower, upper, squares),
        Fraction(answered, applicable),
    )


def _weighted(scores: list[tuple[Fraction, Fraction | None]]) -> Fraction | None:
    if any(s is None for _, s in scores):
        return None
    return sum((share * s for share, s in scores if s is not None), Fraction(0))


def by_pillar(outcomes: Iterable[ItemOutcome]) -> dict[str, Totals]:
    """A pillar pools its items, whatever sections they stand in."""
    groups: dict[str, list[ItemOutcome]] = {pillar: [] for pillar in PILLARS}
    for one in outcomes:
        groups[one.item.pillar].append(one)
    return {pillar: totals(group) for pillar, group in groups.items()}


def by_section(outcomes: Iterable[ItemOutcome]) -> dict[str, list[ItemOutcome]]:
    """The outcomes of each section, in the checklist's order."""
    groups: dict[str, list[ItemOutcome]] = {}
    for one in outcomes:
        groups.setdefault(one.section.id, []).append(one)
    return groups


def not_applicable_share(outcomes: Iterable[ItemOutcome]) -> Fraction:
    """The share of a section's weight that was said not to apply (rule 2)."""
    away = whole = 0
    for one in outcomes:
        if one.status == NOT_APPLICABLE:
            away += one.item.weight
            whole += one.item.weight
        elif one.applicable:
            whole += one.item.weight
    return Fraction(away, whole) if whole else Fraction(0)
