"""One facility as an officer sees it: grade, flags, what is declared, visits, provenance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checklists.discrepancies.declaration import Declaration, GivenShape, in_force
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.browse import readable, require_visible, utc_day
from server.services.browse_flags import FlagPage, briefs, flag_page
from server.services.standard_changes import StandardChange, last_change
from server.services.standards import caution_of
from server.store import assessments, browsing, facilities
from server.store.browsing import FacilityRow
from server.store.flags import OPEN
from server.store.logs import InspectionRow
from sync.place import system_name
from sync.polygon import Area, area
from sync.problems import Problem


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One inspection: `counted` is the facility score's line about it, `score` its own."""

    row: InspectionRow
    at: int
    auditors: tuple[str, ...]
    counted: Mapping[str, Any] | None
    score: Mapping[str, Any] | None
    flags: int


@dataclass(frozen=True, slots=True)
class DeclaredShape:
    """Coordinates as given, with the name of their system and what converting them says."""

    given: GivenShape
    system: str
    area: Area | None
    fault: str


@dataclass(frozen=True, slots=True)
class FacilityView:
    row: FacilityRow
    score: Mapping[str, Any] | None
    open_flags: FlagPage
    settled_flags: FlagPage
    declared: Declaration | None
    earlier: tuple[Declaration, ...]
    boundary: DeclaredShape | None
    location: DeclaredShape | None
    visits: tuple[VisitLine, ...]
    documents: Mapping[str, tuple[str, str]]
    may_open_inspections: bool
    caution: str
    change: StandardChange | None


def show_facility(
    ctx: Context, who: Principal, facility_id: str, flags: int = 1, settled: int = 1
) -> FacilityView:
    """Everything the facility page shows, with these pages of its open and its settled flags.

    Raises `not-found` outside the person's scope.
    """
    with ctx.db.read() as tx:
        row = require_visible(
            access.visible(tx, who, "facilities.read"), browsing.facility(tx, facility_id)
        )
        may_open = row.jurisdiction in access.visible(tx, who, "inspections.read")
        assessed = assessments.find(tx, "facility", row.id)
        listed = briefs(browsing.flags_of_facilities(tx, [row.id]))
        still_open = [one for one in listed if one.status == OPEN]
        open_flags = flag_page(tx, still_open, flags)
        settled_flags = flag_page(tx, [one for one in listed if one.status != OPEN], settled)
        filed = readable(browsing.declarations_of(tx, [row.id]).get(row.id, ()))
        rows = [
            v for v in browsing.inspections_of(tx, [row.id]).get(row.id, ()) if v.mode != "training"
        ]
        ids = [v.id for v in rows]
        auditors = browsing.auditors_of(tx, ids)
        scores = browsing.scores_of(tx, "inspection", ids)
        score = None if assessed is None else json.loads(assessed.score)
        digests = [d for d in (score or {}).get("digests", {}).values() if d]
        documents = browsing.documents_named(tx, digests)
        caution = caution_of(tx, (score or {}).get("digests", {}))
        judged = facilities.get(tx, row.id)
        change = last_change(tx, judged, assessed) if judged and assessed else None
    declared = in_force(filed, utc_day(ctx.now()))
    return FacilityView(
        row,
        score,
        open_flags,
        settled_flags,
        declared,
        tuple(d for d in reversed(filed) if declared is None or d.id != declared.id),
        declared_shape(declared.boundary) if declared and declared.boundary else None,
        declared_shape(declared.location) if declared and declared.location else None,
        _visits(rows, auditors, scores, score, Counter(f.inspection for f in still_open)),
        documents,
        may_open,
        caution,
        change,
    )


def declared_shape(given: GivenShape) -> DeclaredShape:
    """A declared shape with the name of its system, brought to WGS 84 where that can be done.

    What cannot be converted is shown as given, with the reason.
    """
    try:
        name = system_name(given.crs)
    except Problem as exc:
        return DeclaredShape(given, given.crs, None, exc.happened)
    if not any(len(ring) > 2 for ring in given.rings):
        return DeclaredShape(given, name, None, "")
    try:
        rings = [[(p.first, p.second) for p in ring] for ring in given.rings]
        return DeclaredShape(given, name, area(given.crs, given.axes, rings), "")
    except Problem as exc:
        return DeclaredShape(given, name, None, exc.happened)


def _visits(
    rows: Sequence[InspectionRow],
    auditors: Mapping[str, Sequence[str]],
    scores: Mapping[str, bytes],
    facility_score: Mapping[str, Any] | None,
    flags: Mapping[str, int],
) -> tuple[VisitLine, ...]:
    counted = {v["inspection"]: v for v in (facility_score or {}).get("visits", ())}
    lines: list[VisitLine] = []
    for row in rows:
        said = counted.get(row.id)
        lines.append(
            VisitLine(
                row,
                said["at"] if said else row.first_seen_at,
                tuple(auditors.get(row.id, ())),
                said,
                json.loads(scores[row.id]) if row.id in scores else None,
                flags.get(row.id, 0),
            )
        )
    return tuple(sorted(lines, key=lambda v: (-v.at, v.row.id)))
