"""R16: signs of operation at a site that is declared inactive."""

from __future__ import annotations

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.declaration import INACTIVE
from checklists.discrepancies.rule import Rule, declared_as, on_file

_SIGNS = {
    "moving-plant": "moving plant",
    "fresh-reagent": "fresh reagent",
    "warm-kiln": "a warm kiln",
    "discharge": "discharge",
    "night-power": "power at night",
}
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
