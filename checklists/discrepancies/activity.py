"""R16 and R17: signs of operation at a site declared inactive, and none at one declared active."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.declaration import INACTIVE
from checklists.discrepancies.doubt import measured
from checklists.discrepancies.periods import filed
from checklists.discrepancies.rule import Rule, declared_as, on_file

_SIGNS = {
    "moving-plant": "moving plant",
    "fresh-reagent": "fresh reagent",
    "warm-kiln": "a warm kiln",
    "discharge": "discharge",
    "night-power": "power at night",
}
_WENT = {"visited", "partly"}
_STATES = {"care": "under care and maintenance", "closed": "closed", "abandoned": "abandoned"}


def _operating(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R16.needs(on_file(case)),)
    since = declaration.state_since or declaration.speaks_of
    if declaration.state not in INACTIVE or (case.visited_on and since > case.visited_on):
        return ()
    signs = {sign: case.signs[sign] for sign in _SIGNS if sign in case.signs}
    if not signs:
        return (R16.needs("operating signs recorded at the visit (observed/operating/…)"),)
    seen = [s for s, value in signs.items() if value == "yes"]
    unsure = [s for s, value in signs.items() if value == "unsure"]
    needed = int(case.settings["R16"]["signs_needed"])
    if len(seen) + len(unsure) < needed:
        return ()
    certain = len(seen) >= needed
    text = (
        f"Declared on {declaration.filed}: the site is {_STATES[declaration.state]} since {since}. "
        f"Observed on {case.visited_on}: {_counted(seen, 'seen')}"
        + (f"; {_counted(unsure, 'possibly seen')}" if unsure else "")
        + f". Limit: fewer than {needed} independent operating signs."
        + ("" if certain else " As some of them are unsure, this is a question.")
    )
    return (
        R16.flag(
            case,
            "operating",
            "critical" if certain else "query",
            text,
            {
                "declaration": declared_as(case),
                "state": declaration.state,
                "since": since,
                "visited_on": case.visited_on,
                "signs": signs,
            },
            f"{needed} independent operating signs",
            f"{len(seen)} seen, {len(unsure)} unsure",
        ),
    )


def _idle(case: Case) -> tuple[Finding, ...]:
    declaration = case.declaration
    if declaration is None:
        return (R17.needs(on_file(case)),)
    since = declaration.state_since or declaration.speaks_of
    if declaration.state != "active" or since > case.visited_on:
        return ()
    if not set(case.outcomes) & _WENT:
        return (R17.needs("a visit on which somebody saw the site"),)
    signs = {sign: case.signs.get(sign, "not looked for") for sign in _SIGNS}
    if "yes" in signs.values():
        return ()
    absent = [sign for sign, value in signs.items() if value == "no"]
    if len(absent) < int(case.settings["R17"]["looked_for"]):
        return (R17.needs("more operating signs looked for (observed/operating/…)"),)
    certain = len(absent) == len(signs)
    shipped = _still_shipped(case)
    text = (
        f"{filed(case)}the site is active since {since}. Observed on {case.visited_on}: no "
        f"operating sign, {len(absent)} of {len(signs)} looked for and absent."
        + (f" Shipments continue ({shipped})." if shipped else "")
        + ("" if certain else " Not all signs were looked for with certainty: a question.")
    )
    inputs = {
        "declaration": declared_as(case),
        "since": since,
        "visited_on": case.visited_on,
        "signs": signs,
        "shipments": shipped,
    }
    severity = ("critical" if shipped else "major") if certain else "query"
    margin = f"{len(absent)} of {len(signs)} signs absent"
    threshold = "no operating sign seen; critical where shipments continue"
    return (R17.flag(case, "idle", severity, text, inputs, threshold, margin),)


def _still_shipped(case: Case) -> str:
    """What shows that shipments go on: one seen at the visit, or the last one declared before."""
    seen = sorted(lot for lot, one in measured(case, "shipped").items() if one.value > 0)
    if seen:
        return f"{len(seen)} seen at the visit"
    declared = case.declaration.operations.shipments if case.declaration else None
    past = [one.date for one in declared or () if one.date <= case.visited_on]
    if not past:
        return ""
    last = max(past)
    days = (date.fromisoformat(case.visited_on) - date.fromisoformat(last)).days
    recent = days <= Decimal(case.settings["R17"]["shipped_days"])
    return f"the last declared one left on {last}" if recent else ""


def _counted(signs: list[str], how: str) -> str:
    if not signs:
        return f"no operating sign {how}"
    word = "sign" if len(signs) == 1 else "signs"
    return f"{len(signs)} operating {word} {how} ({', '.join(_SIGNS[s] for s in signs)})"


R16 = Rule(
    "R16",
    "1",
    "operations",
    "Declared inactive, seen operating",
    "The declared state on the day of the visit is care, closed or abandoned, and two or more "
    "independent operating signs were recorded.",
    (
        "care and maintenance: pumping, drainage and power for safety go on",
        "dismantling or rehabilitation is under way",
        "the site was started again and the new declaration is on its way",
    ),
    "The operator's account of each sign, with work orders, meter readings or a new declaration.",
    _operating,
)

R17 = Rule(
    "R17",
    "1",
    "operations",
    "Declared active, nothing seen at work",
    "The declared state on the day of the visit is active, operating signs were looked for, and "
    "none was seen. It is critical where shipments continue: they come from somewhere.",
    (
        "a shutdown for repair, or a strike",
        "a holiday, a day of rest, or the hour of the visit",
        "rain stopped the work",
    ),
    "Work records and meter readings of the week, and a second visit that is not announced.",
    _idle,
)
