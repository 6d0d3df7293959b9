"""R06: disturbed ground that was walked around, against the declared boundary."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.boundaries import hectares, percent
from checklists.discrepancies.case import Case, Finding, shown
from checklists.discrepancies.declaration import GivenShape
from checklists.discrepancies.ground import Trace
from checklists.discrepancies.reread import shape_area
from checklists.discrepancies.rule import Rule, declared_as, metres, on_file, tenth
from sync.overlap import grown, outside_of, sketch
from sync.place import distance_m
from sync.polygon import Area, area
from sync.problems import Problem
from sync.rings import Shape

NEEDS_TRACE = (
    "a traced disturbance: a track walked around the disturbed ground, named as evidence of what "
    "was observed there"
)


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace as a closed line: its ground, the accuracy of its positions in metres (the coarsest,
    None where one is not known), and how far apart its ends are.
    """

    trace: Trace
    ground: Area
    accuracy: Decimal | None
    open_m: Decimal


@dataclass(frozen=True, slots=True)
class Outside:
    """Traced ground outside the boundary: hectares, and percent of what was traced; `sure_…` is
    what lies outside however the accuracies fall, None where one is not known.
    """

    traced: Traced
    part: Shape | None
    ha: Decimal
    pct: Decimal
    sure_ha: Decimal | None
    sure_pct: Decimal | None
    doubt_m: Decimal | None


def _disturbed(case: Case) -> tuple[Finding, ...]:
    if case.declaration is None:
        return (R06.needs(on_file(case)),)
    given = case.declaration.boundary
    if given is None:
        return (R06.needs("a declared boundary of the concession"),)
    if not case.traces:
        return (R06.needs(NEEDS_TRACE),)
    try:
        own = shape_area(given)
    except Problem as exc:
        return (R06.needs(f"a declared boundary that can be placed on the map. {exc.happened}"),)
    found: list[Finding] = []
    for trace in sorted(case.traces, key=lambda t: (t.area, t.file)):
        try:
            outside = _outside(own, _traced(trace))
        except Problem as exc:
            need = f"a track around {shown(trace.area)} that encloses ground. {exc.happened}"
            found.append(R06.needs(need))
            continue
        found += _judge(case, given, own, outside)
    return tuple(found)


def _traced(trace: Trace) -> Traced:
    """The trace as a closed line. Raises `polygon-malformed` where it encloses nothing."""
    ground = area("EPSG:4326", "yx", [trace.places])
    known = [tenth(a) for a in trace.accuracies if a is not None]
    accuracy = max(known) if len(known) == len(trace.accuracies) else None
    (first, last) = ((float(p[0]), float(p[1])) for p in (trace.places[0], trace.places[-1]))
    return Traced(trace, ground, accuracy, tenth(distance_m(first, last)))


def _outside(own: Area, traced: Traced) -> Outside:
    """What was traced outside the widest reading of the boundary. Raises `polygon-malformed`."""
    whole = hectares(traced.ground.shape)
    part = outside_of(traced.ground.shape, own.shape)
    ha = hectares(part)
    pct = percent(ha, whole)
    if traced.accuracy is None or own.accuracy_m is None:
        return Outside(traced, part, ha, pct, None, None, None)
    doubt = traced.accuracy + tenth(own.accuracy_m)
    sure = hectares(outside_of(traced.ground.shape, grown(own.widest, float(doubt)))) if ha else ha
    return Outside(traced, part, ha, pct, sure, percent(sure, whole), doubt)


def _judge(case: Case, given: GivenShape, own: Area, outside: Outside) -> tuple[Finding, ...]:
    s = case.settings["R06"]
    most_ha, most_pct, most_open = (Decimal(s[k]) for k in ("outside_ha", "outside_pct", "open_m"))

    def over(ha: Decimal | None, pct: Decimal | None) -> bool:
        return ha is not None and pct is not None and (ha > most_ha or pct > most_pct)

    if not over(outside.ha, outside.pct):
        return ()
    traced, trace = outside.traced, outside.traced.trace
    unclear = Decimal(f"{100 * traced.ground.unclear:.2f}")
    whole = traced.open_m <= most_open and not trace.breaks and unclear <= most_pct
    severity = "major" if whole and over(outside.sure_ha, outside.sure_pct) else "query"
    doubt = "unknown" if outside.doubt_m is None else f"±{metres(outside.doubt_m)}"
    text = (
        f"Declared on {case.declaration.filed if case.declaration else ''}: the boundary of the "
        f"concession ({shown(given.source)}). Observed: of {hectares(traced.ground.shape)} ha of "
        f"disturbed ground that were walked around ({shown(trace.area)}), {outside.ha} ha lie "
        f"outside it, {outside.pct} %. How far track and boundary may be off together: {doubt}."
    )
    if not whole:
        text += f" {_why_open(traced, most_open, unclear)}, so it is a question."
    elif severity == "query":
        text += (
            " That is not known, so this is a question."
            if outside.doubt_m is None
            else " The accuracies may explain it, so it is a question."
        )
    inputs = {
        "declaration": declared_as(case),
        "boundary": {"crs": given.crs, "axes": given.axes, "source": given.source},
        "operation": own.operation,
        "notes": [*own.notes, *traced.ground.notes],
        "trace": {"area": trace.area, "entry": trace.entry, "file": trace.file},
        "trace_points": len(trace.places),
        "trace_gaps": trace.breaks,
        "trace_ends_apart_m": str(traced.open_m),
        "trace_accuracy_m": "unknown" if traced.accuracy is None else str(traced.accuracy),
        "datum_accuracy_m": "unknown" if own.accuracy_m is None else str(tenth(own.accuracy_m)),
        "traced_ha": str(hectares(traced.ground.shape)),
        "outside_ha": str(outside.ha),
        "outside_outline": "" if outside.part is None else sketch(outside.part),
        "outside_pct": str(outside.pct),
        "surely_outside_ha": "unknown" if outside.sure_ha is None else str(outside.sure_ha),
    }
    threshold = f"more than {most_ha} ha or {most_pct} % outside, whatever the accuracies"
    margin = (
        "cannot be said, as an accuracy is unknown"
        if outside.sure_ha is None
        else f"{outside.sure_ha} ha ({outside.sure_pct} %) outside after all accuracies"
    )
    key = f"{trace.area}:{trace.file[:16]}"
    return (R06.flag(case, key, severity, text, inputs, threshold, margin),)


def _why_open(traced: Traced, most_open: Decimal, unclear: Decimal) -> str:
    if traced.open_m > most_open:
        return (
            f"The track does not come back to where it began: its ends are {metres(traced.open_m)} "
            "apart and were joined by a straight line"
        )
    if traced.trace.breaks:
        return "The track has gaps, across which it was joined by straight lines"
    return f"The track crosses itself, which leaves {unclear} % of the ground unclear"


R06 = Rule(
    "R06",
    "1",
    "operations",
    "Disturbed ground outside the declared concession",
    "Of the disturbed ground that was walked around, more than the limit lies outside the declared "
    "boundary, whatever the accuracies of the track and of the declared coordinates.",
    (
        "an access road or a camp that is licensed apart from the concession",
        "ground that somebody else disturbed, or before the concession began",
        "the auditor walked around more than the disturbed ground",
    ),
    "The licence map with its coordinate system, an aerial picture of the ground with its date, or "
    "a second walk around it.",
    _disturbed,
)
