"""Readings against their limits -> levels (scoring rule 1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from checklists.model import Analyte, Limits
from checklists.scoring.exact import FAVOURABLE, limit, measured
from sync.inspection import Reading

FULLY, SUBSTANTIALLY, PARTIALLY, NOT_MET = 1000, 700, 300, 0
Exact = int | Fraction


@dataclass(frozen=True, slots=True)
class Bound:
    """What a reading is held against: an upper and/or a lower limit, in 10⁻¹² of `unit`.

    `deviation` marks a tolerance: only the size of the reading counts, not its sign.
    """

    upper: Exact | None
    lower: Exact | None
    unit: str
    deviation: bool
    text: str


class BandedReading(NamedTuple):
    """One reading with its band in thousandths, or None and why it cannot be used."""

    reading: Reading
    limit: str
    band: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class JudgedReadings:
    """All readings of one answer. `value` is the worst band of those that can be used.

    `missing` are analytes that have a limit and no usable reading; `measured` says whether every
    used reading states its uncertainty (or has none by nature).
    """

    rows: tuple[BandedReading, ...]
    value: int | None
    missing: tuple[str, ...]
    measured: bool


def bound_of(analyte: Analyte, limits: Limits | None) -> Bound | None:
    """The limit that holds for an analyte, or None where there is no legal limit."""
    if analyte.limit_from is None:
        if analyte.upper is None and analyte.lower is None:
            return None
        deviation = analyte.lower is None
        return _bound(_written(analyte.upper), _written(analyte.lower), analyte.unit, deviation)
    row = limits.limits.get(analyte.limit_from) if limits is not None else None
    if row is None or (row.upper is None and row.lower is None):
        return None
    return _bound(_written(row.upper), _written(row.lower), row.unit, False)


def band(value: Exact, uncertainty: Exact, bound: Bound) -> int:
    """The band of a value, in thousandths; with both limits the worse of the two."""
    if bound.deviation and value < 0:
        value = -value
    bands = []
    if bound.upper is not None:
        bands.append(_upper(value, uncertainty, bound.upper))
    if bound.lower is not None:
        bands.append(_lower(value, uncertainty, bound.lower))
    return min(bands)


def judge_readings(
    analytes: Iterable[Analyte], readings: tuple[Reading, ...], limits: Limits | None
) -> JudgedReadings:
    """Band every reading of one answer; a reading that cannot be used says why."""
    by_analyte: dict[str, list[Reading]] = {}
    for reading in readings:
        by_analyte.setdefault(reading.analyte, []).append(reading)
    rows: list[BandedReading] = []
    missing: list[str] = []
    measured = True
    for analyte in analytes:
        bound = bound_of(analyte, limits)
        mine = [_row(analyte, r, bound) for r in by_analyte.pop(analyte.id, [])]
        rows.extend(mine)
        usable = [row for row in mine if row.band is not None]
        if bound is not None and not usable:
            missing.append(analyte.id)
        measured = measured and all(
            analyte.exact or row.reading.uncertainty is not None for row in usable
        )
    for strangers in by_analyte.values():
        rows.extend(BandedReading(r, "", None, "the item does not ask for it") for r in strangers)
    rows.sort(key=_row_order)
    bands = [row.band for row in rows if row.band is not None]
    return JudgedReadings(tuple(rows), min(bands, default=None), tuple(missing), measured)


def _written(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


# By how the limits are written, which is shown: 0.010 is not 0.01 there.
@lru_cache(maxsize=1024)
def _bound(upper: str | None, lower: str | None, unit: str, deviation: bool) -> Bound:
    parts = []
    if lower is not None:
        parts.append(f"≥ {lower}")
    if upper is not None:
        parts.append(f"≤ {upper}")
    return Bound(
        limit(upper) if upper is not None else None,
        limit(lower) if lower is not None else None,
        unit,
        deviation,
        f"{' and '.join(parts)} {unit}".rstrip(),
    )


def _row(analyte: Analyte, reading: Reading, bound: Bound | None) -> BandedReading:
    if bound is None:
        return BandedReading(reading, "", None, "no legal limit")
    if _unit(reading.unit) != _unit(bound.unit):
        why = f"unit {reading.unit or 'not given'}, the limit is in {bound.unit or 'no unit'}"
        return BandedReading(reading, bound.text, None, why)
    value = measured(reading.value)
    given = reading.uncertainty
    uncertainty = 0 if analyte.exact or given is None else measured(given)
    if uncertainty < 0:
        return BandedReading(reading, bound.text, None, "an uncertainty cannot be negative")
    # A blank-corrected figure may fall a little below zero; further down it measures nothing.
    if not bound.deviation and bound.lower is None and value + uncertainty < 0:
        return BandedReading(reading, bound.text, None, "below zero by more than its uncertainty")
    reached = band(value, uncertainty, bound)
    if given is None and not analyte.exact and reached == FULLY:
        return BandedReading(reading, bound.text, FAVOURABLE, "no uncertainty given")
    return BandedReading(reading, bound.text, reached)


def _upper(value: Exact, uncertainty: Exact, at: Exact) -> int:
    if value + uncertainty <= at:
        return FULLY
    if value <= at:
        return SUBSTANTIALLY
    return PARTIALLY if 2 * value <= 3 * at else NOT_MET


def _lower(value: Exact, uncertainty: Exact, at: Exact) -> int:
    if value - uncertainty >= at:
        return FULLY
    if value >= at:
        return SUBSTANTIALLY
    return PARTIALLY if 3 * value >= 2 * at else NOT_MET


@lru_cache(maxsize=1024)
def _unit(text: str) -> str:
    """Two ways of typing µ, m³ or NH₄ are one unit."""
    return unicodedata.normalize("NFKC", text).strip()


def _row_order(row: BandedReading) -> tuple[str, str, str, str, str]:
    r = row.reading
    return (r.analyte, r.value, r.uncertainty or "", r.unit, r.instrument or "")
