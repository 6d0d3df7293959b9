"""Exact numbers: thousandths, roots to fifty places, and the one rounding on output.

No binary float occurs in scoring, so that two languages agree to the digit.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

LEVEL_VALUE = {"fully": 1000, "substantially": 700, "partially": 300, "does-not-meet": 0}
VALUE_LEVEL = {value: level for level, value in LEVEL_VALUE.items()}
FAVOURABLE = 700  # thousandths; an answer of less is adverse

_ROOT_SCALE = 10**50
_PLACES = 12
_UNIT = 10**12


def rounded(value: Fraction, places: int = 3) -> str:
    """`value` as a decimal string with so many places, rounded half to even."""
    scaled = round(value * 10**places)
    sign = "-" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled), 10**places)
    return f"{sign}{whole}.{rest:0{places}d}"


def measured(text: str) -> int:
    """A measured value as it is written (protocol L3: at most twelve places), in 10⁻¹² of its unit.

    Whole numbers compare and add exactly, many times faster than fractions.
    """
    whole, _, rest = text.partition(".")
    return int(whole + rest.ljust(_PLACES, "0"))


def limit(text: str) -> int | Fraction:
    """A limit in the same 10⁻¹²; a fraction where it has more than twelve places."""
    scaled = Fraction(text) * _UNIT
    return scaled.numerator if scaled.denominator == 1 else scaled


def shared_out(value: int, parts: int) -> int:
    """`value` / `parts` as a whole number, rounded half to even; neither is negative."""
    whole, rest = divmod(value, parts)
    return whole + (2 * rest > parts or (2 * rest == parts and whole % 2))


def level_value(thousandths: int) -> str:
    """Thousandths as the number the rules speak of: "1", "0.7", "0.3", "0"."""
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") if rest else str(whole)


def root(value: Fraction) -> Fraction:
    """The square root, cut after fifty decimal places of its numerator; exact where it is rational.

    sqrt(n/d) = sqrt(n·d)/d, so that one integer root does.
    """
    product = value.numerator * value.denominator
    return Fraction(isqrt(product * _ROOT_SCALE**2), value.denominator * _ROOT_SCALE)
