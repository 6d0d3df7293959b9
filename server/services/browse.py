"""The list of facilities as an officer sees it: what needs a look first, first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from checklists.discrepancies.declaration import Declaration, in_force, read_declaration
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.browse_flags import WORST_FIRST, open_counts
from server.store import browsing, hazards
from server.store.browsing import FacilityRow
from server.store.hazards import OpenHazard
from server.store.logs import InspectionRow
from sync.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The newest inspection of a facility; `outcome` is empty while it is not signed off."""

    inspection: str
    at: int
    outcome: str


@dataclass(frozen=True, slots=True)
class FacilityLine:
    """One line of the list. `flags` counts the open ones by severity, worst first."""

    row: FacilityRow
    processes: tuple[str, ...]
    flags: tuple[tuple[str, int], ...]
    score: Mapping[str, Any] | None
    last_visit: LastVisit | None


@dataclass(frozen=True, slots=True)
class FacilityList:
    """One page of the list: `total` counts what matches the search, `known` all that is visible."""

    lines: tuple[FacilityLine, ...]
    total: int
    known: int
    page: int
    pages: int
    search: str
    hazards: tuple[OpenHazard, ...] = ()


def list_facilities(ctx: Context, who: Principal, search: str = "", page: int = 1) -> FacilityList:
    """The facilities this person may see that match the search, by urgency, one page of them."""
    with ctx.db.read() as tx:
        rows = browsing.facilities_in(tx, access.visible(tx, who, "facilities.read"))
        urgent = hazards.open_in(tx, access.visible(tx, who, "inspections.read"))
        wanted = [row for row in rows if _matches(row, search)]
        counts = open_counts(browsing.flags_of_facilities(tx, [row.id for row in wanted]))
        wanted.sort(key=lambda row: _urgency(row, counts.get(row.id, {})))
        size = ctx.settings.max_page_rows
        pages = max(1, -(-len(wanted) // size))
        page = min(max(1, page), pages)
        shown = wanted[(page - 1) * size : page * size]
        ids = [row.id for row in shown]
        scores = browsing.scores_of(tx, "facility", ids)
        filed = browsing.declarations_of(tx, ids)
        visits = browsing.inspections_of(tx, ids)
    today = utc_day(ctx.now())
    lines = tuple(
        _line(row, counts, scores, filed.get(row.id, ()), visits.get(row.id, ()), today)
        for row in shown
    )
    return FacilityList(lines, len(wanted), len(rows), page, pages, search, tuple(urgent))


def require_visible(jurisdictions: set[str], row: FacilityRow | None) -> FacilityRow:
    """The facility if it lies within these jurisdictions; else `not-found`, whatever there is."""
    if row is None or row.jurisdiction not in jurisdictions:
        raise problem("not-found")
    return row


def readable(bodies: Sequence[bytes]) -> tuple[Declaration, ...]:
    """The declarations that this version can read, in the order given."""
    found: list[Declaration] = []
    for body in bodies:
        try:
            found.append(read_declaration(json.loads(body)))
        except Problem:
            continue
    return tuple(found)


def utc_day(at: int) -> date:
    """The UTC date of UTC milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _line(
    row: FacilityRow,
    counts: Mapping[str, Mapping[str, int]],
    scores: Mapping[str, bytes],
    filed: Sequence[bytes],
    visits: Sequence[InspectionRow],
    today: date,
) -> FacilityLine:
    score = json.loads(scores[row.id]) if row.id in scores else None
    declared = in_force(readable(filed), today)
    mine = counts.get(row.id, {})
    return FacilityLine(
        row,
        declared.processes if declared is not None else (),
        tuple((s, mine[s]) for s in WORST_FIRST if mine.get(s)),
        score,
        _last_visit(score, visits),
    )


def _last_visit(
    score: Mapping[str, Any] | None, visits: Sequence[InspectionRow]
) -> LastVisit | None:
    signed = {v["inspection"]: v for v in (score or {}).get("visits", ())}
    live = [v for v in visits if v.mode != "training"]
    both = [
        LastVisit(v.id, signed[v.id]["at"], signed[v.id]["outcome"])
        if v.id in signed
        else LastVisit(v.id, v.first_seen_at, "")
        for v in live
    ]
    return max(both, key=lambda v: (v.at, v.inspection), default=None)


def _matches(row: FacilityRow, search: str) -> bool:
    text = f"{row.name} {row.id} {row.country} {row.jurisdiction_name}".casefold()
    return all(word in text for word in search.casefold().split())


def _urgency(row: FacilityRow, counts: Mapping[str, int]) -> tuple[Any, ...]:
    """Open flags by severity, then grades that are not simply given, then the worst grade."""
    waiting = {"withheld": 0, "provisional": 2}.get(row.grade_state or "none", 1)
    if row.grade_state == "graded":
        waiting = 3
    by_severity = tuple(-counts.get(s, 0) for s in WORST_FIRST)
    letter = -ord(row.grade) if row.grade else 0
    return (*by_severity, waiting, letter, row.name, row.id)
