"""The pages one reads: facilities, a facility, an inspection."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from checklists.discrepancies.ground import traces_of
from server.pages import site_map
from server.pages.flag_map import FlagMap, Ground, draw_flag
from server.pages.site_map import Mark, SiteMap
from server.permissions import may
from server.services.browse import list_facilities
from server.services.browse_entries import show_entries
from server.services.browse_evidence_page import show_evidence
from server.services.browse_facility import show_facility
from server.services.browse_inspection import InspectionView, show_inspection
from server.web import ctx, principal
from sync.inspection import Fix

_LONGEST_SEARCH = 100


def home() -> Response:
    """Where a person begins: the safeguarding person sees no facilities' grades."""
    who = principal()
    only_sealed = may(who, "sealed.read") and not may(who, "facilities.read")
    return redirect(url_for("pages.sealed" if only_sealed else "pages.facilities"))


def facilities() -> str:
    search = request.args.get("q", "")[:_LONGEST_SEARCH].strip()
    return render_template(
        "facilities.html", found=list_facilities(ctx(), principal(), search, page_asked("page"))
    )


def facility(facility_id: str) -> str:
    view = show_facility(
        ctx(), principal(), facility_id, page_asked("flags"), page_asked("settled")
    )
    return render_template("facility.html", view=view)


def inspection(inspection_id: str) -> str:
    view = show_inspection(ctx(), principal(), inspection_id, page_asked("flags"))
    return render_template("inspection.html", view=view, **pictures(view))


def evidence(inspection_id: str) -> str:
    item = request.args.get("item", "")[:_LONGEST_SEARCH]
    view = show_evidence(ctx(), principal(), inspection_id, item, page_asked("page"))
    return render_template("evidence.html", view=view)


def entries(inspection_id: str) -> str:
    device = request.args.get("device", "")[:_LONGEST_SEARCH]
    view = show_entries(ctx(), principal(), inspection_id, device, page_asked("page"))
    return render_template("entries.html", view=view)


def page_asked(name: str) -> int:
    """The number of a page that the address asks for; the first one where it asks for none."""
    given = request.args.get(name, "1")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1


def pictures(view: InspectionView) -> dict[str, Any]:
    """What the page of an inspection draws: the map of the visit, and those of its flags."""
    return {"site": draw_map(view), "flag_maps": draw_flags(view)}


def draw_map(view: InspectionView) -> SiteMap | None:
    """The inspection's tracks and positions against the boundary declared at the time."""
    marks = [_mark(fix, label) for label, fix in _fixes(view)]
    marks += [
        _mark(one.fix, f"{one.kind} {one.number}", one.number, one.fix_from == "track")
        for one in view.spots
    ]
    area = view.boundary.area if view.boundary is not None else None
    lines = [
        [(float(p.lat), float(p.lon)) for p in segment]
        for way in view.ways
        for segment in way.segments
    ]
    return site_map.draw(area.shape if area is not None else None, marks, lines)


def draw_flags(view: InspectionView) -> dict[str, FlagMap]:
    """The pictures of those flags on this page that are about a place, by the flag's id."""
    visited = tuple(_mark(fix, label) for label, fix in _fixes(view))
    area = view.boundary.area if view.boundary is not None else None
    ground = Ground(view.declared, area, visited, traces_of(view.loaded.inspection))
    drawn = (
        (row.id, draw_flag(row.rule, body["inputs"], ground)) for row, body in view.flags.shown
    )
    return {id_: one for id_, one in drawn if one is not None}


def _fixes(view: InspectionView) -> list[tuple[str, Fix]]:
    """Where the auditor was, each position once: start, outcome, answers, observations."""
    current = view.loaded.current
    found: dict[tuple[str, str], tuple[str, Fix]] = {}
    named = [("start of the visit", a.fix) for a in current.about.heads]
    named += [("outcome", o.fix) for o in current.outcome.heads]
    named += [(f"answer {a.item}", a.fix) for s in current.answers.values() for a in s.heads]
    named += [(o.what, o.fix) for s in current.observed.values() for o in s.heads]
    for label, fix in named:
        if fix is not None:
            found.setdefault((fix.lat, fix.lon), (label, fix))
    return list(found.values())


def _mark(fix: Fix, label: str, number: int | None = None, placed: bool = False) -> Mark:
    accuracy = None if fix.accuracy_m is None else float(fix.accuracy_m)
    kind = "fix" if number is None else "photo"
    return Mark(label, kind, float(fix.lat), float(fix.lon), accuracy, number, placed)
