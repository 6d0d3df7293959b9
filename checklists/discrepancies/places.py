"""R01 and R04: where the inspection was, against the concession that is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from checklists.discrepancies.case import Case, Finding, Point, shown
from checklists.discrepancies.declaration import Declaration, GivenShape
from checklists.discrepancies.reread import Candidate, Search, Visited, search, shape_area
from checklists.discrepancies.rule import Rule, declared_as, metres, on_file, tenth
from checklists.discrepancies.systems import OFFICIAL
from sync.place import system_name
from sync.polygon import Area, outside_m
from sync.problems import Problem

_RANK = {"query": 0, "major": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds of R01 in metres."""

    margin: Decimal
    critical: Decimal
    assumed: Decimal


@dataclass(frozen=True, slots=True)
class Measured:
    """A visited point against the declared boundary, in metres to the tenth.

    `least` is the distance under the widest reading of a boundary that had to be repaired.
    """

    point: Point
    distance: Decimal
    least: Decimal
    accuracy: Decimal
    assumed: bool
    severity: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All visited points against the declared boundary; `datum` is None where unknown."""

    declaration: Declaration
    boundary: GivenShape
    area: Area
    datum: Decimal | None
    points: tuple[Measured, ...]

    @property
    def outside(self) -> tuple[Measured, ...]:
        """The points outside, the worst first."""

        def order(m: Measured) -> tuple[int, Decimal, str, str, str]:
            surely = beyond(m, self.datum)
            return -_RANK[m.severity or ""], -surely, m.point.label, m.point.entry, str(m.point.fix)

        return tuple(sorted((m for m in self.points if m.severity), key=order))

    @property
    def severity(self) -> str | None:
        return self.outside[0].severity if self.outside else None


def grade(
    distance: Decimal, least: Decimal, accuracy: Decimal, datum: Decimal | None, limits: Limits
) -> str | None:
    """The severity of one point: what accuracies may explain is asked, never charged."""
    if distance <= limits.margin:
        return None
    if datum is None:
        return "query"
    surely = least - (accuracy + datum)
    if surely > limits.critical:
        return "critical"
    return "major" if surely > limits.margin else "query"


def beyond(measured: Measured, datum: Decimal | None) -> Decimal:
    """How far outside the point is after taking off all that accuracies may explain."""
    return measured.least - measured.accuracy - (datum or 0)


def compare(case: Case) -> Comparison | str:
    """Hold all points of a case against its declared boundary, or say what is needed for it."""
    given = _ready(case)
    if isinstance(given, str):
        return given
    declaration, boundary = given
    try:
        area = shape_area(boundary)
    except Problem as exc:
        return f"a declared boundary that can be placed on the map. {exc.happened}"
    datum = None if area.accuracy_m is None else tenth(area.accuracy_m)
    points = _measure_all(boundary, case.points, datum, _limits(case))
    return Comparison(declaration, boundary, area, datum, points)


@lru_cache(maxsize=4)  # R01 and R04 ask for the same
def _measure_all(
    boundary: GivenShape, points: tuple[Point, ...], datum: Decimal | None, limits: Limits
) -> tuple[Measured, ...]:
    area = shape_area(boundary)
    return tuple(_measure(p, area, datum, limits) for p in points)


def _ready(case: Case) -> tuple[Declaration, GivenShape] | str:
    """What both rules need of the declaration, or what is missing."""
    if case.declaration is None:
        return on_file(case)
    if case.declaration.boundary is None:
        return "a declared boundary of the concession"
    if not case.points:
        return "a position recorded during the visit"
    return case.declaration, case.declaration.boundary


def _limits(case: Case) -> Limits:
    s = case.settings["R01"]
    return Limits(*(Decimal(s[k]) for k in ("margin_m", "critical_m", "assumed_accuracy_m")))


def _accuracy(point: Point, limits: Limits) -> Decimal:
    return limits.assumed if point.fix.accuracy_m is None else tenth(point.fix.accuracy_m)


def _measure(point: Point, area: Area, datum: Decimal | None, limits: Limits) -> Measured:
    lat, lon = float(point.fix.lat), float(point.fix.lon)
    distance = tenth(outside_m(area, lat, lon))
    least = distance if area.widest is area.shape else tenth(outside_m(area.widest, lat, lon))
    accuracy = _accuracy(point, limits)
    severity = grade(distance, least, accuracy, datum, limits)
    if severity == "critical" and point.source == "imported":
        # The wrong card in the reader puts a picture anywhere; that must not cost a mine its grade.
        severity = "major"
    return Measured(point, distance, least, accuracy, point.fix.accuracy_m is None, severity)


def _search(case: Case, boundary: GivenShape, location: GivenShape | None) -> Search:
    limits = _limits(case)
    visited = {Visited(p.fix, _accuracy(p, limits)) for p in case.points}
    ordered = tuple(sorted(visited, key=lambda v: (v.fix.lat, v.fix.lon, v.accuracy_m, str(v.fix))))
    return search(boundary, location, case.country, ordered, limits.margin)


# -- R01 ------------------------------------------------------------------------------------------


def _outside_concession(case: Case) -> tuple[Finding, ...]:
    compared = compare(case)
    if isinstance(compared, str):
        return (R01.needs(compared),)
    severity = compared.severity
    if severity is None:
        return ()
    location = compared.declaration.location
    asked = severity != "query"
    candidates = _search(case, compared.boundary, location).candidates if asked else ()
    limits = _limits(case)
    inputs = _inputs(case, compared, severity)
    text = _explain(compared, limits)
    if candidates:
        severity = "query"
        text += (
            f" This is a question and not a charge, because the declared numbers would fit every"
            f" visited position if they were read in {_reading(candidates[0])} (rule R04)."
        )
    threshold = (
        f"more than {metres(limits.margin)} outside, beyond what the accuracies explain; "
        f"critical beyond {metres(limits.critical)}"
    )
    margin = _margin(compared.outside[0], compared.datum, limits)
    return (R01.flag(case, "boundary", severity, text, inputs, threshold, margin),)


def _explain(compared: Comparison, limits: Limits) -> str:
    worst, many = compared.outside[0], len(compared.outside)
    doubt = "unknown" if compared.datum is None else f"±{metres(compared.datum)}"
    known = " assumed, because none was recorded" if worst.assumed else ""
    text = (
        f"Declared on {compared.declaration.filed}: the boundary of the concession, in "
        f"{_named(compared.boundary)} ({shown(compared.boundary.source)}). Observed: "
        f"{worst.point.label} lies {metres(worst.distance)} outside it "
        f"(position ±{metres(worst.accuracy)}{known}; "
        f"conversion of the declared coordinates {doubt}; margin {metres(limits.margin)})."
    )
    if many > 1:
        text += f" In all, {many} of {len(compared.points)} positions of the visit lie outside."
    if worst.point.source == "imported":
        text += " The position is the one that the imported picture itself gives."
    if worst.severity == "query":
        text += (
            " The accuracy of that conversion is not known, so this is a question."
            if compared.datum is None
            else " The accuracies may explain this, so it is a question."
        )
    if compared.area.notes:
        text += f" About the declared boundary: {'; '.join(compared.area.notes)}."
    return text


def _margin(worst: Measured, datum: Decimal | None, limits: Limits) -> str:
    if datum is None:
        return "cannot be said, as the accuracy of the declared coordinates is unknown"
    over = beyond(worst, datum) - limits.margin
    if over > 0:
        return f"{metres(over)} beyond the threshold after all accuracies"
    return f"{metres(worst.distance - limits.margin)} beyond the margin, within the accuracies"


def _inputs(case: Case, compared: Comparison, severity: str) -> dict[str, Any]:
    return {
        "declaration": declared_as(case),
        "boundary": _given(compared.boundary),
        "operation": compared.area.operation,
        "datum_accuracy_m": "unknown" if compared.datum is None else str(compared.datum),
        "notes": list(compared.area.notes),
        "visited_on": case.visited_on,
        "positions": len(compared.points),
        "severity_as_declared": severity,
        "outside": [_point(m) for m in compared.outside],
    }


def _point(measured: Measured) -> dict[str, str]:
    p = measured.point
    return {
        "label": p.label,
        "source": p.source,
        "entry": p.entry,
        "evidence": p.evidence,
        "lat": p.fix.lat,
        "lon": p.fix.lon,
        "accuracy_m": str(measured.accuracy),
        "accuracy": "assumed" if measured.assumed else "recorded",
        "outside_m": str(measured.distance),
        "outside_widest_reading_m": str(measured.least),
        "severity": measured.severity or "",
    }


def _given(shape: GivenShape) -> dict[str, str]:
    return {"crs": shape.crs, "axes": shape.axes, "source": shape.source}


def _named(shape: GivenShape) -> str:
    name = system_name(shape.crs)
    return f"{shape.crs} ({name})" if name != shape.crs else name


# -- R04 ------------------------------------------------------------------------------------------


def _other_system(case: Case) -> tuple[Finding, ...]:
    given = _ready(case)
    if isinstance(given, str):
        return (R04.needs(given),)
    declaration, boundary = given
    compared = compare(case)
    unplaceable = isinstance(compared, str)
    if not isinstance(compared, str) and compared.severity in (None, "query"):
        return ()
    if case.country not in OFFICIAL:
        return (R04.needs(f"the coordinate systems that are official in {case.country}"),)
    readings = _search(case, boundary, declaration.location)
    candidates = readings.candidates
    if not candidates:
        return (R04.needs(str(compared)),) if unplaceable else ()
    why = (
        f"read as declared, in {boundary.crs}, they are nowhere on the map"
        if unplaceable
        else f"read as declared, in {_named(boundary)}, they leave visited positions outside"
    )
    also = "; ".join(_reading(c) for c in candidates[1:4])
    text = (
        f"The declared coordinates fit the visited place if they are read in "
        f"{_reading(candidates[0])}; {why}. Datum, zone or order of axes may have been confused."
        + (f" Other readings that fit: {also}." if also else "")
        + " The operator is asked which system the numbers are in."
    )
    inputs: Mapping[str, Any] = {
        "declaration": declared_as(case),
        "boundary": _given(boundary),
        "country": case.country,
        "candidates": [_listed(n, c) for n, c in enumerate(candidates, 1)],
        "fit_only_a_part": [_listed(n, c) for n, c in enumerate(readings.nearly[:3], 1)],
        "readings_tried": readings.tried,
    }
    margin = f"{len(candidates)} official reading(s) fit; the furthest position is " + metres(
        candidates[0].outside_m
    )
    threshold = (
        "all declared points and all visited positions fit under another system official in "
        + OFFICIAL[case.country].name
    )
    return (R04.flag(case, "system", "query", text, inputs, threshold, margin + " outside"),)


def _reading(candidate: Candidate) -> str:
    order = "first east, then north" if candidate.axes == "xy" else "first north, then east"
    return f"{candidate.system.crs} ({candidate.system.name}), {order}"


def _listed(rank: int, candidate: Candidate) -> dict[str, Any]:
    accuracy = "unknown" if candidate.accuracy_m is None else str(candidate.accuracy_m)
    return {
        "rank": rank,
        "crs": candidate.system.crs,
        "name": candidate.system.name,
        "axes": candidate.axes,
        "operation": candidate.operation,
        "datum_accuracy_m": accuracy,
        "furthest_outside_m": str(candidate.outside_m),
        "datum": _datum(candidate),
        "declared_points_that_fit": f"{candidate.fit} of {candidate.points}",
    }


def _datum(candidate: Candidate) -> str:
    if candidate.system.datum == "WGS 84":
        return "worldwide"
    return "older" if candidate.age else "present"


R01 = Rule(
    "R01",
    "1",
    "operations",
    "Visited outside the declared concession",
    "A position of the visit lies outside the declared boundary by more than the margin plus the "
    "accuracies of the position and of the declared coordinates.",
    (
        "a licensed annex or access road that the boundary does not show",
        "the auditor stood off site on purpose, for instance at a well down-gradient",
        "the boundary was given in another coordinate system (R04)",
        "the receiver stood under dense canopy or in a steep valley",
    ),
    "The licence map with its coordinate system, or a second fix at the same place in the open.",
    _outside_concession,
)

R04 = Rule(
    "R04",
    "2",
    "operations",
    "Declared coordinates may be in another system",
    "When R01 fires: all declared points and all visited positions fit if the declared numbers are "
    "read in another system official in the country, or with the axes swapped.",
    (
        "an old map sheet, a neighbouring zone or swapped columns in a table",
        "coincidence, where a position lies near the edge",
    ),
    "The operator's confirmation of the system, with the survey or licence document it comes from.",
    _other_system,
)
