"""What the rules and the score are told of conflict around a facility on a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from checklists.conflict.areas import REGION
from checklists.conflict.around import Armed, Around, Surroundings
from checklists.conflict.event import ARMED
from checklists.conflict.exposure import Near
from checklists.conflict.sources import SOURCES
from checklists.discrepancies.declaration import Declaration
from checklists.discrepancies.rule import tenth
from server.services.conflict import CAHRA, Looked, look
from server.services.conflict_position import position_of
from server.store import conflict, jurisdictions
from server.store.conflict import DELISTED
from server.store.facilities import Facility
from server.store.transaction import Tx


def surroundings(
    tx: Tx,
    facility: Facility,
    declaration: Declaration | None,
    on: date | None,
    settings: Mapping[str, Any],
) -> Surroundings | None:
    """Conflict around the declared place of a facility on a day, by the thresholds of R27; None
    without a day.
    """
    if on is None:
        return None
    held = conflict.current(tx)
    listed = held.get(CAHRA)
    areas = [] if listed is None else conflict.areas(tx, listed.id, _regions(tx, facility))
    counting = tuple(one for one in areas if one.status.lower() not in DELISTED)
    place = position_of(declaration)
    if place is None:
        return Surroundings(False, None, (), counting)
    doubt = 0.0 if place.doubt_m is None else place.doubt_m
    seen = look(tx, place.lat, place.lon, on, facility.country, doubt)
    return Surroundings(
        True,
        None if place.doubt_m is None else str(tenth(place.doubt_m)),
        tuple(_around(one, on, doubt, settings["R27"]) for one in seen),
        counting,
    )


def _regions(tx: Tx, facility: Facility) -> Iterator[str]:
    """The codes of ISO 3166 that a facility lies in: its country, and its jurisdictions that are
    named by such a code.
    """
    yield facility.country
    at: str | None = facility.jurisdiction
    while at is not None:
        if REGION.match(at.upper()) and at.upper().startswith(facility.country):
            yield at.upper()
        found = jurisdictions.find(tx, at)
        at = None if found is None else found.parent


def _around(one: Looked, on: date, doubt: float, limits: Mapping[str, str]) -> Around:
    source, data = SOURCES[one.source], one.snapshot
    if one.exposure is None or data is None:
        return Around(one.source, source.name, None)
    figures = (one.exposure.low, one.exposure.mid, one.exposure.high)
    if not len(one.events):  # data that say nothing of the place must not change what is said of it
        return Around(one.source, source.name, figures)
    return Around(
        one.source,
        source.name,
        figures,
        len(one.events),
        tuple(_armed(one, on, doubt, limits)),
        data.version,
        data.sha256,
        data.accessed,
        data.ends,
        source.attribution,
    )


def _armed(one: Looked, on: date, doubt: float, limits: Mapping[str, str]) -> Iterator[Armed]:
    """The armed events that may lie in reach."""
    reach, days, now = float(limits["distance_km"]) * 1000, int(limits["days"]), on.toordinal()
    for n, near in enumerate(map(Near._make, one.events.tolist())):
        may = near.distance_m - near.radius_m - doubt <= reach + 0.1
        if near.weight == ARMED and may and now - near.last <= days:
            certain = near.last <= now and now - near.first <= days
            event = one.ids[n] if one.ids else ""
            yield Armed(str(tenth(near.distance_m)), int(near.radius_m), certain, event)
