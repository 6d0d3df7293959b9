"""How common a thing is among the people asked, with its interval (scoring rule 7)."""

from __future__ import annotations

from fractions import Fraction

from checklists.scoring.exact import root

Z95 = Fraction(196, 100)


def wilson(yes: int, asked: int) -> tuple[Fraction, Fraction]:
    """The 95 % Wilson score interval of the share `yes` of `asked`, both as fractions of 1.

    Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat.
    Assoc. 22 (1927). Raises ValueError unless 0 <= yes <= asked and asked >= 1.
    """
    if asked < 1 or not 0 <= yes <= asked:
        raise ValueError("a share needs 0 <= yes <= asked and somebody asked")
    share = Fraction(yes, asked)
    z2 = Z95**2
    middle = share + z2 / (2 * asked)
    half = Z95 * root(share * (1 - share) / asked + z2 / (4 * asked * asked))
    scale = 1 + z2 / asked
    return max(Fraction(0), (middle - half) / scale), min(Fraction(1), (middle + half) / scale)
