"""One inspection as an officer sees it: each answer beside its evidence, flags, score, record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checklists.discrepancies.declaration import Declaration, in_force
from checklists.model import Checklist, Item
from checklists.moved import Affected
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.basis import basis_of
from server.services.branches import Branch, whole
from server.services.browse import readable, require_visible, utc_day
from server.services.browse_conflicts import ConflictView, conflict_view
from server.services.browse_evidence import (
    AT_ONCE,
    FEW,
    Piece,
    Shown,
    Spot,
    attached,
    by_item,
    show,
    spots,
)
from server.services.browse_facility import DeclaredShape, declared_shape
from server.services.browse_flags import FlagPage, briefs, flag_page
from server.services.browse_ruled import RulingsView, rulings_view, waits_for_evidence
from server.services.browse_rulings import AsideView, Rights, asides, rights_of
from server.services.browse_versions import affected_at
from server.services.inspections import Loaded, load_inspection
from server.services.ruling_out import unproven_places
from server.services.standards import caution_of, named_checklist
from server.services.urgent import hazards_held
from server.services.weighing import Scales, WeighedView, weighed_view
from server.store import assessments, branches, browsing, people
from server.store.browsing import FacilityRow
from server.store.transaction import Tx
from sync.hazard import WHAT, Hazard, hazards
from sync.inspection import Answer, Inspection, Observed, Slot
from sync.problems import problem
from sync.track import Way, summarise, ways


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at one instance of an item. `signed` is what the sign-off covers, where what
    stands now was written after it, or was set aside when it was signed.
    """

    instance: str
    slot: Slot[Answer]
    signed: Slot[Answer] | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with its answers and its line of the score; `item` is None where the checklist
    that was answered does not know it, `score` where it was not assessed. `evidence` are the
    first of its `files`.
    """

    id: str
    item: Item | None
    places: tuple[Place, ...]
    evidence: tuple[Shown, ...]
    files: int
    score: Mapping[str, Any] | None

    @property
    def silent(self) -> bool:
        """Nothing was answered here, and nothing can be won or lost."""
        return not self.places and (self.score or {}).get("status") == "does-not-apply"


@dataclass(frozen=True, slots=True)
class SectionView:
    id: str
    title: str
    items: tuple[ItemView, ...]
    score: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class InspectionView:
    """`shown` are the first of the `files` that were attached, or all where they are not many.

    `hazards` are the open ones first, with those that are told by what is set aside; `affected`
    says by item which answers were given to another version of the checklist. `weighed` is what the
    decisions that this person may take would make of the grade.
    """

    row: FacilityRow
    loaded: Loaded
    at: int
    score: Mapping[str, Any] | None
    flags: FlagPage
    not_evaluated: tuple[Mapping[str, Any], ...]
    checklist: Checklist | None
    sections: tuple[SectionView, ...]
    shown: tuple[Shown, ...]
    files: int
    held: int
    spots: tuple[Spot, ...]
    observed: tuple[tuple[str, str, Slot[Observed]], ...]
    declared: Declaration | None
    boundary: DeclaredShape | None
    branches: tuple[Branch, ...]
    asides: tuple[AsideView, ...]
    rights: Rights
    rulings: RulingsView
    weighed: WeighedView | None
    conflicts: tuple[ConflictView, ...]
    unsettled: tuple[ConflictView, ...]
    documents: Mapping[str, tuple[str, str]]
    ways: tuple[Way, ...]
    hazards: tuple[Hazard, ...]
    caution: str
    begun_with: Checklist | None
    affected: Mapping[str, tuple[Affected, ...]]

    @property
    def counted_hazards(self) -> frozenset[str]:
        """The chain hashes of the entries that tell of hazards and count (S9)."""
        return frozenset(one.written.h for one in hazards(self.loaded.current))

    @property
    def length_m(self) -> float:
        """How long the tracks are in all, gaps left out."""
        return sum(summarise(way).length_m for way in self.ways)

    @property
    def whole(self) -> bool:
        """Whether all the evidence is on this page."""
        return len(self.shown) == self.files


def show_inspection(
    ctx: Context, who: Principal, inspection_id: str, flags: int = 1
) -> InspectionView:
    """Everything the inspection page shows, with this page of its flags.

    Raises `not-found` outside the person's scope.
    """
    with ctx.db.read() as tx:
        row, loaded = visible_inspection(tx, who, inspection_id)
        assessed = assessments.find(tx, "inspection", inspection_id)
        listed = flag_page(tx, briefs(browsing.flags_of_inspection(tx, inspection_id)), flags)
        declared, boundary = on_file(tx, row, loaded)
        checklist = checklist_of(tx, loaded)
        forked = whole(branches.of_inspections(tx, [inspection_id]))
        ruled_by = people.names(tx, {one.ruling.person for one in loaded.aside if one.ruling})
        rights = rights_of(tx, who, row, loaded)
        score = None if assessed is None else json.loads(assessed.score)
        settled = [one for one in loaded.unsettled if _waits_for_a_third(score, one.path)]
        to_weigh = [*settled, *loaded.conflicts] if rights.resolve else []
        to_rule = rights.resolve and waits_for_evidence(score)
        basis = basis_of(tx, loaded) if to_weigh or to_rule else None
        digests = [d for d in (score or {}).get("digests", {}).values() if d]
        named = browsing.documents_named(tx, digests)
        caution = caution_of(tx, (score or {}).get("digests", {}))
        begun = loaded.current.begun
        begun_with = None if begun is None else named_checklist(tx, begun.checklist)
        affected = affected_at(tx, loaded, checklist)
        pieces = attached(loaded.current)
        supporting = by_item(loaded.current, pieces)
        first = pieces if len(pieces) <= AT_ONCE else pieces[:FEW]
        wanted = {p.number: p for some in supporting.values() for p in some[:FEW]}
        shown = show(tx, (wanted | {p.number: p for p in first}).values(), boundary)
        held, found = spots(tx, pieces)
        urgent = hazards_held(tx, loaded)
    waiting = unproven_places(basis, loaded.inspection) if basis and to_rule else ()
    weighed = None
    if basis is not None:
        scales = Scales(basis, loaded.inspection, who.person or "", ctx.now())
        weighed = weighed_view(scales, to_weigh, waiting)
    findings = [] if assessed is None else json.loads(assessed.findings)
    return InspectionView(
        row,
        loaded,
        visited_at(loaded),
        score,
        listed,
        tuple(f for f in findings if f.get("kind") == "not-evaluated"),
        checklist,
        _sections(loaded, checklist, score, supporting, shown),
        tuple(shown[piece.evidence.sha256] for piece in first),
        len(pieces),
        held,
        found,
        tuple((w, i, s) for (w, i), s in sorted(loaded.current.observed.items()) if w != WHAT),
        declared,
        boundary,
        tuple(forked),
        asides(loaded, ruled_by),
        rights,
        rulings_view(loaded, score, row.stale, waiting),
        weighed,
        tuple(conflict_view(one, checklist, loaded) for one in loaded.conflicts),
        tuple(conflict_view(one, checklist, loaded) for one in settled),
        named,
        tuple(ways(head for s in loaded.current.tracks.values() for head in s.heads).values()),
        urgent,
        caution,
        begun_with,
        affected,
    )


def _waits_for_a_third(score: Mapping[str, Any] | None, path: str) -> bool:
    """Whether the score asks to adjudicate there; what is not assessed yet may do so."""
    asked = {i["item"]: i.get("adjudicate", False) for i in (score or {}).get("items", ())}
    return bool(asked.get(path.split("/")[1], True))


def visible_inspection(tx: Tx, who: Principal, inspection_id: str) -> tuple[FacilityRow, Loaded]:
    """The inspection and its facility. Raises `not-found` outside the person's scope."""
    loaded = load_inspection(tx, inspection_id)
    if loaded is None or loaded.facility is None:
        raise problem("not-found")
    visible = access.visible(tx, who, "inspections.read")
    return require_visible(visible, browsing.facility(tx, loaded.facility)), loaded


def on_file(
    tx: Tx, row: FacilityRow, loaded: Loaded
) -> tuple[Declaration | None, DeclaredShape | None]:
    """What was declared at the time of the visit, and the boundary of it."""
    filed = readable(browsing.declarations_of(tx, [row.id]).get(row.id, ()))
    declared = in_force(filed, utc_day(visited_at(loaded)))
    boundary = declared_shape(declared.boundary) if declared and declared.boundary else None
    return declared, boundary


def visited_at(loaded: Loaded) -> int:
    """When it began, by its first device's clock or else the server's, UTC milliseconds."""
    begun = loaded.current.begun
    return loaded.first_seen_at if begun is None else begun.written.at


def checklist_of(tx: Tx, loaded: Loaded) -> Checklist | None:
    """The checklist whose bytes the inspection names, as it was published."""
    heads = loaded.inspection.about.heads
    return named_checklist(tx, heads[0].checklist) if heads else None


# -- answers --------------------------------------------------------------------------------------


def _sections(
    loaded: Loaded,
    checklist: Checklist | None,
    score: Mapping[str, Any] | None,
    supporting: Mapping[str, Sequence[Piece]],
    shown: Mapping[str, Shown],
) -> tuple[SectionView, ...]:
    lines = {line["item"]: line for line in (score or {}).get("items", ())}
    section_lines = {line["id"]: line for line in (score or {}).get("sections", ())}
    instances = _instances(loaded.current)

    def view(item_id: str, item: Item | None) -> ItemView:
        pieces = supporting.get(item_id, ())
        return ItemView(
            item_id,
            item,
            _places(loaded, item_id, instances.get(item_id, ())),
            tuple(shown[piece.evidence.sha256] for piece in pieces[:FEW]),
            len(pieces),
            lines.get(item_id),
        )

    sections: list[SectionView] = []
    known: set[str] = set()
    for section in checklist.sections if checklist is not None else ():
        known.update(item.id for item in section.items)
        items = tuple(view(item.id, item) for item in section.items)
        score_line = section_lines.get(section.id)
        sections.append(SectionView(section.id, str(section.title), items, score_line))
    others = tuple(view(item_id, None) for item_id in sorted(set(instances) - known))
    if others:
        sections.append(
            SectionView("other", "Answers to items this server cannot name", others, None)
        )
    return tuple(sections)


def _instances(current: Inspection) -> dict[str, list[str]]:
    """Item -> the places where it was answered or that attached files name, answered or not."""
    found: dict[str, list[str]] = {}
    for item_id, instance in current.answers:
        found.setdefault(item_id, []).append(instance)
    heads = (head for slot in current.evidence.values() for head in slot.heads)
    named = {path for head in heads for path in head.items if path.count("/") == 1}
    pairs = [(path.split("/")[0], path.split("/")[1]) for path in named]
    for item_id, instance in sorted(pairs, key=lambda pair: (pair[1] == "-", pair)):
        there = found.setdefault(item_id, [])
        if instance != "-" or not there:
            there.append(instance)
    return found


def _places(loaded: Loaded, item: str, instances: Iterable[str]) -> tuple[Place, ...]:
    """The instances of an item, with what stands there and what was signed."""
    current, signed = loaded.current, loaded.signed
    places: list[Place] = []
    for instance in sorted(set(instances)):
        slot = current.answers.get((item, instance), Slot(()))
        before = None if signed is None else signed.answers.get((item, instance), Slot(()))
        changed = before is not None and _hashes(before) != _hashes(slot)
        places.append(Place(instance, slot, before if changed else None))
    return tuple(places)


def _hashes(slot: Slot[Answer]) -> set[str]:
    return {a.written.h for a in slot.heads} | {u.h for u in slot.unread}
