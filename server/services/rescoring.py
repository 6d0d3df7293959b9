"""What another version of a checklist or limits table would change of the stored scores."""

from __future__ import annotations

from dataclasses import dataclass

from checklists.model import Checklist, Limits
from checklists.rescoring import Rescored, rescore
from checklists.scoring import inputs_from_json
from server.services.score_inputs import whole_inputs
from server.store import assessments, facilities
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Effects:
    """The scores that the version touches, and how many it leaves: `untouched` read nothing of what
    differs, `named` are inspections that are judged by the checklist version they name.
    """

    touched: tuple[Rescored, ...]
    untouched: int
    named: int


def effects(tx: Tx, newer: Checklist | Limits) -> Effects:
    """Score again what is stored of the facilities that use a document of this name, under this
    version, wherever it touches them; nothing is stored.

    Raises `score-export-malformed` and `table-unreadable` where stored inputs were damaged.
    """
    touched: list[Rescored] = []
    untouched = named = 0
    limits = isinstance(newer, Limits)
    if isinstance(newer, Limits):
        using = facilities.using(tx, "limits", newer.jurisdiction)
    else:
        using = facilities.using(tx, "checklist", newer.id)
    for facility in using:
        for row in assessments.of_facility(tx, facility):
            if row.scope == "inspection" and not limits:
                named += 1
                continue
            inputs = inputs_from_json(whole_inputs(tx, row), f"{row.scope} {row.subject}")
            found = rescore(inputs, newer)
            if found is None:
                untouched += 1
            else:
                touched.append(found)
    return Effects(tuple(touched), untouched, named)
