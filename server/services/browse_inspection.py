"""One inspection as an officer sees it: each answer beside its evidence, flags, score, record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from checklists.discrepancies.declaration import Declaration, in_force
from checklists.load import load_checklist
from checklists.model import Checklist, Item
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.browse import readable, require_visible, utc_day, visible_flags
from server.services.browse_facility import DeclaredShape, declared_shape
from server.services.inspections import Loaded, load_inspection
from server.store import assessments, browsing, documents
from server.store.browsing import FacilityRow, FileRow
from server.store.flags import FlagRow
from server.store.transaction import Tx
from sync.inspection import Answer, Evidence, Fix, Observed, Slot
from sync.place import Area, outside_m
from sync.problems import problem
from sync.track import Way, summarise, ways
from sync.track_match import SOURCE as PLACED


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of evidence as it is shown: `number` is its place on the map and in the texts.

    `facts` is what its bytes say, `held_at` when the server had them whole; `fix` is the position
    that stands for it, `fix_from` tells who gives it (client, track or the picture itself), and
    `outside_m` how far it lies outside the declared boundary (0 within, None where unknown).
    """

    evidence: Evidence
    number: int
    held_at: int | None
    facts: Mapping[str, Any] | None
    fault: str
    has_preview: bool
    fix: Fix | None
    fix_from: str
    outside_m: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at one instance of an item. `signed` is what the sign-off covers, where what
    stands now was written after it.
    """

    instance: str
    slot: Slot[Answer]
    signed: Slot[Answer] | None
    evidence: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with its answers and its line of the score; `item` is None where the checklist
    that was answered does not know it, `score` where it was not assessed.
    """

    id: str
    item: Item | None
    places: tuple[Place, ...]
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
    row: FacilityRow
    loaded: Loaded
    at: int
    score: Mapping[str, Any] | None
    flags: tuple[tuple[FlagRow, Mapping[str, Any]], ...]
    not_evaluated: tuple[Mapping[str, Any], ...]
    checklist: Checklist | None
    sections: tuple[SectionView, ...]
    shown: tuple[Shown, ...]
    observed: tuple[tuple[str, str, Slot[Observed]], ...]
    declared: Declaration | None
    boundary: DeclaredShape | None
    branches: tuple[tuple[str, int, str], ...]
    documents: Mapping[str, tuple[str, str]]
    ways: tuple[Way, ...]

    @property
    def length_m(self) -> float:
        """How long the tracks are in all, gaps left out."""
        return sum(summarise(way).length_m for way in self.ways)

    @property
    def held(self) -> int:
        return sum(1 for one in self.shown if one.held_at is not None)


def show_inspection(ctx: Context, who: Principal, inspection_id: str) -> InspectionView:
    """Everything the inspection page shows. Raises `not-found` outside the person's scope."""
    with ctx.db.read() as tx:
        loaded = load_inspection(tx, inspection_id)
        if loaded is None or loaded.facility is None:
            raise problem("not-found")
        row = require_visible(
            access.visible(tx, who, "inspections.read"), browsing.facility(tx, loaded.facility)
        )
        assessed = assessments.find(tx, "inspection", inspection_id)
        flags = visible_flags(browsing.flags_of_inspection(tx, inspection_id))
        filed = readable(browsing.declarations_of(tx, [row.id]).get(row.id, ()))
        files = browsing.files_known(tx, {sha for sha, _ in loaded.current.evidence})
        checklist = _checklist(tx, loaded)
        branches = browsing.branches_set_aside(tx, inspection_id)
        score = None if assessed is None else json.loads(assessed.score)
        digests = [d for d in (score or {}).get("digests", {}).values() if d]
        named = browsing.documents_named(tx, digests)
    at = _visited_at(loaded)
    declared = in_force(filed, utc_day(at))
    boundary = declared_shape(declared.boundary) if declared and declared.boundary else None
    shown = _shown(ctx, loaded, files, boundary)
    findings = [] if assessed is None else json.loads(assessed.findings)
    return InspectionView(
        row,
        loaded,
        at,
        score,
        tuple(flags),
        tuple(f for f in findings if f.get("kind") == "not-evaluated"),
        checklist,
        _sections(loaded, checklist, score, shown),
        shown,
        tuple((w, i, slot) for (w, i), slot in sorted(loaded.current.observed.items())),
        declared,
        boundary,
        tuple(branches),
        named,
        tuple(ways(head for s in loaded.current.tracks.values() for head in s.heads).values()),
    )


def _visited_at(loaded: Loaded) -> int:
    heads = loaded.current.about.heads
    return heads[-1].written.at if heads else loaded.first_seen_at


def _checklist(tx: Tx, loaded: Loaded) -> Checklist | None:
    """The checklist whose bytes the inspection names, as it was published."""
    heads = loaded.inspection.about.heads
    document = documents.by_digest(tx, heads[0].checklist) if heads else None
    if document is None or document.kind != "checklist":
        return None
    return _read_checklist(document.body, document.name)


@lru_cache(maxsize=8)
def _read_checklist(body: bytes, name: str) -> Checklist:
    """Reading a checklist takes longer than all the rest of a page; few are in use at a time."""
    return load_checklist(body, name)


# -- evidence -------------------------------------------------------------------------------------


def _shown(
    ctx: Context,
    loaded: Loaded,
    files: Mapping[str, FileRow],
    boundary: DeclaredShape | None,
) -> tuple[Shown, ...]:
    """Every attached file once, oldest first; two devices may have attached the same bytes."""
    by_digest: dict[str, Evidence] = {}
    for slot in loaded.current.evidence.values():
        for head in slot.heads:
            before = by_digest.get(head.sha256)
            if before is None or head.written.at < before.written.at:
                by_digest[head.sha256] = head
    ordered = sorted(by_digest.values(), key=lambda e: (e.written.at, e.sha256))
    where = None if boundary is None else boundary.area
    return tuple(_one(ctx, e, n, files.get(e.sha256), where) for n, e in enumerate(ordered, 1))


def _one(
    ctx: Context, evidence: Evidence, number: int, file: FileRow | None, where: Area | None
) -> Shown:
    facts = json.loads(file.facts) if file is not None and file.facts else None
    fix = evidence.fix
    source = "track" if fix is not None and fix.source == PLACED else "client"
    own = (facts or {}).get("gps_block") == "position"
    if own and facts is not None and (evidence.source == "imported" or fix is None):
        accuracy = facts.get("accuracy_m")
        fix, source = Fix(facts["lat"], facts["lon"], accuracy, None, "exif"), "picture"
    return Shown(
        evidence,
        number,
        None if file is None else file.held_at,
        facts,
        (file.problem or "") if file is not None else "",
        facts is not None,  # its preview was kept before the facts were
        fix,
        source,
        None if fix is None or where is None else outside_m(where, float(fix.lat), float(fix.lon)),
    )


# -- answers --------------------------------------------------------------------------------------


def _sections(
    loaded: Loaded,
    checklist: Checklist | None,
    score: Mapping[str, Any] | None,
    shown: Sequence[Shown],
) -> tuple[SectionView, ...]:
    lines = {line["item"]: line for line in (score or {}).get("items", ())}
    section_lines = {line["id"]: line for line in (score or {}).get("sections", ())}
    instances: dict[str, list[str]] = {}
    for item_id, instance in loaded.current.answers:
        instances.setdefault(item_id, []).append(instance)
    for item_id, instance in _supported(shown):
        there = instances.setdefault(item_id, [])
        if instance != "-" or not there:
            there.append(instance)
    by_digest = {one.evidence.sha256: one for one in shown}
    sections: list[SectionView] = []
    known: set[str] = set()
    for section in checklist.sections if checklist is not None else ():
        known.update(item.id for item in section.items)
        items = tuple(
            ItemView(
                item.id,
                item,
                _places(loaded, item.id, instances.get(item.id, ()), by_digest),
                lines.get(item.id),
            )
            for item in section.items
        )
        score_line = section_lines.get(section.id)
        sections.append(SectionView(section.id, str(section.title), items, score_line))
    others = tuple(
        ItemView(i, None, _places(loaded, i, instances[i], by_digest), lines.get(i))
        for i in sorted(set(instances) - known)
    )
    if others:
        sections.append(
            SectionView("other", "Answers to items this server cannot name", others, None)
        )
    return tuple(sections)


def _supported(shown: Sequence[Shown]) -> list[tuple[str, str]]:
    """The places that attached files name, answered or not; named instances first."""
    named = {path for one in shown for path in one.evidence.items if path.count("/") == 1}
    pairs = [(path.split("/")[0], path.split("/")[1]) for path in named]
    return sorted(pairs, key=lambda pair: (pair[1] == "-", pair))


def _places(
    loaded: Loaded, item: str, instances: Sequence[str], by_digest: Mapping[str, Shown]
) -> tuple[Place, ...]:
    """The instances of an item, each with its evidence; a file is shown once for an item."""
    current, signed = loaded.current, loaded.signed
    places: list[Place] = []
    there: set[str] = set()
    for instance in sorted(set(instances)):
        slot = current.answers.get((item, instance), Slot(()))
        before = None if signed is None else signed.answers.get((item, instance), Slot(()))
        changed = before is not None and _hashes(before) != _hashes(slot)
        digests = dict.fromkeys(e.sha256 for e in current.evidence_for(item, instance))
        fresh = tuple(by_digest[sha] for sha in digests if sha not in there)
        there.update(digests)
        places.append(Place(instance, slot, before if changed else None, fresh))
    return tuple(places)


def _hashes(slot: Slot[Answer]) -> set[str]:
    return {a.written.h for a in slot.heads} | {u.h for u in slot.unread}
