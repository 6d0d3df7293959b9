"""A point as somebody gave it, read for a person: where it is, by which operation, how accurately.

Positions are WGS 84 degrees; accuracies are radii in metres, None where nobody states them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from sync.inspection import is_decimal
from sync.place import (
    Converted,
    Operation,
    apply,
    convert,
    in_bounds,
    known_system,
    system_name,
    within_use,
)
from sync.problems import Problem, problem

# What numbers may be when they make no sense in metres: how many metres one of them has.
_OTHER_UNITS = (("feet", "0.3048"), ("kilometres", "1000"))
_ROUND_TRIP = 1e-8  # degrees: a millimetre, within which an operation must come back


@dataclass(frozen=True, slots=True)
class Expressed:
    """A place in another system: east or longitude is `x`, in `unit`."""

    crs: str
    name: str
    unit: str
    x: float
    y: float
    accuracy_m: float | None
    operation: str


@dataclass(frozen=True, slots=True)
class GivenPlace:
    """A given point in WGS 84, the system's name and the unit its numbers are in.

    `notes` say what a reader must know, and how else the numbers could be meant where they do not
    fit the system.
    """

    crs: str
    name: str
    unit: str
    axes: str
    converted: Converted
    notes: tuple[str, ...]
    to: Expressed | None


def read_place(first: str, second: str, crs: str, axes: str, to: str | None = None) -> GivenPlace:
    """Read one given point; decimal strings in the order of `axes`, `crs` and `to` as for convert.

    Raises `crs-unknown`, and `place-malformed`, which says how else the numbers could be meant.
    """
    system = known_system(crs)
    try:
        found = convert(first, second, crs, axes)
    except Problem as exc:
        otherwise = _otherwise(first, second, crs, axes)
        if exc.code != "place-malformed" or not otherwise:
            raise
        why = f"{exc.detail['why']}; {'; '.join(otherwise)}"
        raise problem("place-malformed", **{**exc.detail, "why": why}) from exc
    notes = found.notes
    if not within_use(crs, found):
        notes = (*notes, *_otherwise(first, second, crs, axes))
    expressed = None if to is None else express(found, to)
    return GivenPlace(crs, system_name(crs), system.unit, axes, found, notes, expressed)


def _otherwise(first: str, second: str, crs: str, axes: str) -> list[str]:
    """How else numbers may be meant that do not lie where the system is used."""
    if not (is_decimal(first) and is_decimal(second)):
        return []
    other = "yx" if axes == "xy" else "xy"
    found = []
    if _fits(first, second, crs, other):
        found.append(f"with the axes swapped (--axes {other}) they lie where {crs} is used")
    if known_system(crs).unit == "metre":
        for unit, factor in _OTHER_UNITS:
            metres = [f"{Decimal(n) * Decimal(factor):f}"[:20] for n in (first, second)]
            if _fits(metres[0], metres[1], crs, axes):
                found.append(f"read as {unit} they lie where {crs} is used, which counts in metres")
    return found


def _fits(first: str, second: str, crs: str, axes: str) -> bool:
    try:
        return within_use(crs, convert(first, second, crs, axes))
    except Problem:
        return False


def express(place: Converted, crs: str) -> Expressed:
    """A place in another system, by the finest operation that is meant for it and comes back.

    Where both ways go by the same step between datums, what it leaves unknown falls out again.
    Raises `crs-unknown`, and `place-malformed` where the system cannot describe the place.
    """
    system = known_system(crs)
    lon, lat = np.array([place.lon]), np.array([place.lat])
    found: list[tuple[float, Operation, float, float]] = []
    for operation in system.operations:
        xs, ys = operation.transformer.transform(lon, lat, direction="INVERSE")
        back = apply(operation, xs, ys)
        if back is None or abs(back[0] - lon).max() + abs(back[1] - lat).max() > _ROUND_TRIP:
            continue
        meant = in_bounds(operation.bounds, lon, lat)
        stated = math.inf if operation.accuracy_m is None else operation.accuracy_m
        found.append((stated if meant else math.inf, operation, float(xs[0]), float(ys[0])))
    if not found:
        text = f"{place.lat}, {place.lon}"
        raise problem("place-malformed", text=text, why=f"{crs} cannot describe it")
    _, best, x, y = min(found, key=lambda one: one[0])
    accuracy: float | None
    if _datum_step(best.name) == _datum_step(place.operation):
        accuracy = 0.0
    elif best.accuracy_m is None or place.accuracy_m is None:
        accuracy = None
    else:
        accuracy = best.accuracy_m + place.accuracy_m
    return Expressed(crs, system_name(crs), system.unit, x, y, accuracy, best.name)


def _datum_step(operation: str) -> str:
    """The part of an operation that leads from one datum to another: the last, as PROJ names it."""
    return operation.rsplit(" + ", maxsplit=1)[-1]


def written(value: float, unit: str) -> str:
    """A coordinate as decimals: degrees to 9 places (0.1 mm), lengths to 3."""
    return f"{value:.{9 if unit == 'degree' else 3}f}"
