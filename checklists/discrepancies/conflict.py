"""R26 and R27: conflict around the facility, against what the operator declares of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from checklists.conflict.around import Armed, Around, Surroundings
from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.declaration import FORMAT
from checklists.discrepancies.rule import Rule, declared_as, metres, on_file

_SHOWN = 20  # events that a flag names, the nearest


def _known(case: Case) -> Surroundings | str:
    """What is known around the facility, or what is missing."""
    around = case.surroundings
    if around is None:
        return "what is known of conflict around the facility, which the office has"
    if not around.placed and not around.areas:
        return "a declared location that can be placed on the map"
    return around


def _events(case: Case) -> str:
    return f"conflict events that cover {case.country} up to {case.visited_on}"


def _data(one: Around) -> dict[str, str]:
    """Which data a flag speaks of."""
    return {
        "source": one.source,
        "version": one.version,
        "sha256": one.sha256,
        "accessed": one.accessed,
        "ends": one.ends,
        "attribution": one.attribution,
    }


def _told(one: Around) -> str:
    version = f" {one.version}" if one.version else ""
    return f"{one.name}{version}, data to {one.ends}, accessed {one.accessed}"


def _doubt(around: Surroundings) -> str:
    return "unknown" if around.doubt_m is None else f"±{metres(around.doubt_m)}"


# -- R26 ------------------------------------------------------------------------------------------


def _declared_none(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R26.needs(on_file(case)),)
    stated = declaration.operations.conflict_area
    if stated is None:
        return (R26.needs("a declaration that says something of conflict-affected areas"),)
    if stated.statement != "none":
        return ()
    around = _known(case)
    if isinstance(around, str):
        return (R26.needs(around),)
    limit = Decimal(case.settings["R26"]["exposure"]) * 1000
    listed = [a for a in around.areas if a.day <= case.visited_on]
    known = [(one.exposure, one) for one in around.sources if one.exposure is not None]
    known.sort(key=lambda pair: (-pair[0][0], -pair[0][2], pair[1].source))
    low = known[0][0][0] if known else 0
    highest = max(known, key=lambda pair: pair[0][2]) if known else None
    high = highest[0][2] if highest else 0
    certain = low >= limit and around.doubt_m is not None
    if not listed and high < limit:
        return () if known else (R26.needs(_events(case)),)
    severity = "major" if listed or certain else "query"
    shown = known[0][1] if low >= limit else highest[1] if highest and high >= limit else None
    text = f"Declared on {declaration.filed}: no conflict-affected or high-risk area."
    inputs: dict[str, Any] = {"declaration": declared_as(case), "visited_on": case.visited_on}
    if shown is not None and shown.exposure is not None:
        figures = tuple(_figure(value) for value in shown.exposure)
        text += (
            f" The exposure to conflict was {figures[0]} to {figures[2]} on {case.visited_on} "
            f"({_told(shown)}; {shown.events} events in reach; place {_doubt(around)}). Limit: "
            f"{case.settings['R26']['exposure']}. {shown.attribution}."
        )
        inputs["exposure"] = dict(zip(("low", "mid", "high"), figures, strict=True))
        inputs["data"] = _data(shown)
    if listed:
        named = ", ".join(f"{a.region} ({a.status}, {a.day})" for a in listed)
        text += f" A list of conflict-affected and high-risk areas names {named}."
        inputs["listed"] = [{"region": a.region, "status": a.status, "day": a.day} for a in listed]
    if severity == "query":
        text += " Its low estimate does not say so for certain, so this is a question."
    margin = f"low {_figure(low)}, high {_figure(high)}" + (", listed" if listed else "")
    threshold = (
        f"an exposure of {case.settings['R26']['exposure']} or a listed area; a query where only "
        "the high estimate reaches it"
    )
    return (R26.flag(case, "conflict-area", severity, text, inputs, threshold, margin),)


def _figure(thousandths: int) -> str:
    return f"{Decimal(thousandths) / 1000:.1f}"


R26 = Rule(
    "R26",
    "1",
    "operations",
    "No conflict-affected area declared, and there is conflict",
    "The operator declares no conflict-affected or high-risk area; the low estimate of exposure "
    "to conflict is 50 or more, or the region is on a list of such areas. Where only the high "
    "estimate reaches 50, it asks.",
    (
        "the list or the data are out of date, and the region has been quiet since",
        "the events lie in another valley or across a border, and do not reach the site",
        "the statement was made for the site alone, and its routes are declared elsewhere",
    ),
    "The operator's own assessment of the area with its date and sources, or a new statement.",
    _declared_none,
)


# -- R27 ------------------------------------------------------------------------------------------


def _unassessed(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R27.needs(on_file(case)),)
    if declaration.document.get("format") != FORMAT:
        return (R27.needs(f"a declaration of the format {FORMAT}, which can name an assessment"),)
    made = declaration.operations.annex_ii
    if made is not None and made.on <= case.visited_on:
        return ()
    around = _known(case)
    if isinstance(around, str):
        return (R27.needs(around),)
    if not around.placed:
        return (R27.needs("a declared location that can be placed on the map"),)
    known = [one for one in around.sources if one.exposure is not None]
    if not known:
        return (R27.needs(_events(case)),)
    limits = case.settings["R27"]
    reach = Decimal(limits["distance_km"]) * 1000
    seen = [(_within(one, around, reach), one) for one in known]
    (sure, maybe), source = max(seen, key=lambda s: (len(s[0][0]), len(s[0][1]), s[1].source))
    if not sure and not maybe:
        return ()
    events = sure or maybe
    count = f"{len(events)} armed event" + ("s" if len(events) > 1 else "")
    nearest = events[0]
    away = metres(nearest.distance_m)
    text = (
        f"Declared on {declaration.filed}: no assessment of the risks of Annex II of the OECD "
        f"Guidance{' up to then' if made else ''}. Recorded: {count} "
        f"{'' if sure else 'that may lie '}within {metres(reach)} in the {limits['days']} days "
        f"before {case.visited_on} ({_told(source)}); the nearest is {away} away "
        f"(±{metres(str(nearest.radius_m))}; place {_doubt(around)}). {source.attribution}."
    )
    if not sure:
        text += " How near they were, or when, is not known well enough, so this is a question."
    inputs = {
        "declaration": declared_as(case),
        "visited_on": case.visited_on,
        "place_doubt_m": around.doubt_m or "unknown",
        "count": len(events),
        "events": [_told_of(one) for one in events[:_SHOWN]],
        "data": _data(source),
    }
    threshold = (
        f"an armed event within {metres(reach)}, its radius counted in, in {limits['days']} days; "
        "a query where it may be nearer than that"
    )
    margin = f"{len(sure)} for certain, {len(maybe)} perhaps, the nearest {away} away"
    severity = "critical" if sure else "query"
    return (R27.flag(case, "annex-ii", severity, text, inputs, threshold, margin),)


def _within(
    one: Around, around: Surroundings, reach: Decimal
) -> tuple[tuple[Armed, ...], tuple[Armed, ...]]:
    """The events that lie in reach for certain, and those that may, the nearest first."""
    doubt = Decimal(around.doubt_m or 0)
    sure, maybe = [], []
    for event in sorted(one.armed, key=lambda e: (Decimal(e.distance_m), e.radius_m, e.id)):
        off = event.radius_m + doubt
        if (
            event.certain
            and around.doubt_m is not None
            and Decimal(event.distance_m) + off <= reach
        ):
            sure.append(event)
        elif Decimal(event.distance_m) - off <= reach:
            maybe.append(event)
    return tuple(sure), tuple(maybe)


def _told_of(event: Armed) -> dict[str, Any]:
    told: dict[str, Any] = {"distance_m": event.distance_m, "radius_m": event.radius_m}
    return {**told, "id": event.id} if event.id else told


R27 = Rule(
    "R27",
    "1",
    "operations",
    "Armed events nearby, and no Annex II assessment",
    "An armed event lies within 10 km, its radius counted in, in the 12 months before the visit, "
    "and no assessment of the risks of Annex II of the OECD Guidance is on file. Where it may be "
    "that near and need not be, it asks.",
    (
        "the event was put at the nearest known town, and happened elsewhere",
        "an assessment was made and has not been filed",
        "the event had nothing to do with the site, its people or its roads",
    ),
    "The assessment with its date and sources, or the source's own account of where the event was.",
    _unassessed,
)
