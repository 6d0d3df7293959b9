"""Declared and observed numbers with their uncertainty, and what a difference then shows.

All is reckoned in decimals under one context, so that device and server get the same digits; sums,
products, quotients and roots in it are correctly rounded, so more doubt never shrinks a doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import wraps

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.operations import Quantity

_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
ZERO = Decimal(0)
HUNDRED = Decimal(100)
Find = Callable[[Case], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Amount:
    """A value and its standard uncertainty, in the same unit."""

    value: Decimal
    sigma: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Measured:
    """What was observed at one instance: a value, its expanded uncertainty, and the entries.

    Where values stand side by side, the value is their middle, and the uncertainty reaches all of
    them. `stated` is False where one of them came without an uncertainty.
    """

    value: Decimal
    doubt: Decimal
    stated: bool
    entries: tuple[str, ...]

    def amount(self, assumed_rel: Decimal = ZERO) -> Amount:
        """Half of the expanded uncertainty (k = 2), or what is assumed where none was stated."""
        assumed = ZERO if self.stated else abs(self.value) * assumed_rel
        return Amount(self.value, self.doubt / 2 + assumed)


def reckoned(find: Find) -> Find:
    """A rule's function under the context of this module, whatever the caller's is."""

    @wraps(find)
    def inner(case: Case) -> tuple[Finding, ...]:
        with localcontext(_CONTEXT):
            return find(case)

    return inner


def amount(quantity: Quantity, assumed_rel: Decimal = ZERO) -> Amount:
    """A declared quantity; where no uncertainty is stated, the assumed relative one."""
    rel = assumed_rel if quantity.rel is None else quantity.rel
    return Amount(quantity.value, quantity.value * rel)


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of amounts measured in one way: what is wrong with one is wrong with all, so their
    uncertainties add up.
    """
    found = list(amounts)
    return Amount(sum((a.value for a in found), ZERO), sum((a.sigma for a in found), ZERO))


def together(*sigmas: Decimal) -> Decimal:
    """Uncertainties of things measured apart: the root of the sum of their squares."""
    return sum((s * s for s in sigmas), ZERO).sqrt()


def relative(of: Amount) -> Decimal:
    """The relative standard uncertainty; 0 for nothing."""
    return of.sigma / of.value if of.value else ZERO


def grade(excess: Decimal, sigma: Decimal, severity: str) -> str | None:
    """The severity of a difference beyond a threshold: what two standard uncertainties (95 %) may
    explain is asked, never charged.
    """
    if excess <= 0:
        return None
    return severity if excess > 2 * sigma else "query"


def measured(case: Case, what: str) -> dict[str, Measured]:
    """What was observed of one kind, by instance."""
    found: dict[str, list[tuple[Decimal, Decimal | None, str]]] = {}
    for seen in case.observed:
        if seen.what == what:
            u = seen.uncertainty
            doubt = None if u is None or u.startswith("-") else Decimal(u)
            found.setdefault(seen.instance, []).append((Decimal(seen.value), doubt, seen.entry))
    return {name: _together(found[name]) for name in sorted(found)}


def _together(values: list[tuple[Decimal, Decimal | None, str]]) -> Measured:
    low, high = min(v for v, _, _ in values), max(v for v, _, _ in values)
    stated = all(u is not None for _, u, _ in values)
    doubt = max((u for _, u, _ in values if u is not None), default=ZERO)
    entries = tuple(sorted(entry for _, _, entry in values))
    return Measured((low + high) / 2, (high - low) / 2 + doubt, stated, entries)


# -- for reading ----------------------------------------------------------------------------------


def figure(value: Decimal) -> str:
    """A number for reading, to four significant digits at most: 96,000, 57.6, 0.4678."""
    if value == 0:
        return "0"
    places = max(0, 3 - value.adjusted())
    text = f"{value:,.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(part: Decimal, whole: Decimal) -> str:
    """A part of a whole in percent, for reading."""
    return f"{figure(part / whole * HUNDRED)} %" if whole else "–"


def plain(value: Decimal) -> str:
    """A number for a flag's inputs: at most twelve significant digits, without an exponent."""
    rounded = Context(prec=12, rounding=ROUND_HALF_EVEN).create_decimal(value)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def stated(of: Amount, unit: str) -> str:
    """A value with its expanded uncertainty (95 %), where it has one: 120 ± 12 t REO."""
    doubt = f" ± {figure(2 * of.sigma)}" if of.sigma else ""
    return f"{figure(of.value)}{doubt} {unit}".rstrip()
