"""Versions of the standard as an officer sees them: what is in force where from when, who approved
it and who waits; and of an inspection, which answers were given to another version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checklists.differences_text import lines, summary
from checklists.model import Checklist
from checklists.moved import Affected, affected
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.comparing import Body, compare_bodies
from server.services.identifiers import day_of
from server.services.inspections import Loaded
from server.services.proposing import PERMISSION
from server.services.standards import named_checklist
from server.store import documents, in_force, jurisdictions, people, proposals
from server.store.documents import Published
from server.store.in_force import EVERYWHERE, InForce
from server.store.proposals import Proposal
from server.store.transaction import Tx

RULED = 20  # how many of the last decisions are shown
_COMPARED = ("checklist", "limits")


@dataclass(frozen=True, slots=True)
class Start:
    """Where a version applies from which day; `state` is coming, in-force or over."""

    jurisdiction: str
    effective: str
    state: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal with the people in it by name. `ruling` is None while it waits, `mine` says that
    the reader proposed it, `may` that the reader may decide it.
    """

    id: str
    kind: str
    name: str
    version: str
    digest: str
    starts: tuple[tuple[str, str], ...]
    proposed_by: str
    proposed_at: int
    ruling: str | None
    reason: str
    ruled_by: str
    ruled_at: int | None
    mine: bool
    may: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits, beside what it changes of what applies now where it is for."""

    decision: Decision
    against: str
    summary: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionView:
    """A published version; no `decisions` where it was put in force at the console."""

    version: str
    digest: str
    published_at: int
    starts: tuple[Start, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document under its name, the version that was published last first."""

    kind: str
    name: str
    versions: tuple[VersionView, ...]


@dataclass(frozen=True, slots=True)
class VersionsPage:
    documents: tuple[DocumentView, ...]
    waiting: tuple[Waiting, ...]
    refused: tuple[Decision, ...]


def show_versions(ctx: Context, who: Principal) -> VersionsPage:
    """Every published version, and what waits for a second person."""
    today = day_of(ctx.now())
    with ctx.db.read() as tx:
        waiting, decided = proposals.waiting(tx), proposals.decided(tx)
        known = {one.id: one.name for one in jurisdictions.every(tx)}
        seen = _Seen(tx, who, known, [*waiting, *decided])
        starts = _starts(in_force.every(tx), known, today)
        approved: dict[str, list[Decision]] = {}
        for one in reversed(decided):
            if one.ruling == proposals.APPROVED:
                approved.setdefault(one.digest, []).append(seen.decision(one))
        named: dict[tuple[str, str], list[VersionView]] = {}
        for found in documents.published(tx):
            view = _version(found, starts, approved)
            named.setdefault((found.kind, found.name), []).append(view)
        refused = [one for one in decided if one.ruling == proposals.REFUSED]
        return VersionsPage(
            tuple(DocumentView(*key, tuple(reversed(of))) for key, of in named.items()),
            tuple(_waiting(tx, seen.decision(one), one, today) for one in waiting),
            tuple(seen.decision(one) for one in refused[:RULED]),
        )


# -- of an inspection -----------------------------------------------------------------------------


def affected_at(
    tx: Tx, loaded: Loaded, checklist: Checklist | None
) -> Mapping[str, tuple[Affected, ...]]:
    """Item -> what its answers were given to instead, in the order of the checklist. An answer that
    names no checklist answers the one that the inspection was begun with.
    """
    if checklist is None:
        return {}
    begun = loaded.current.begun
    first = "" if begun is None else begun.checklist
    answered: dict[str, set[str]] = {}
    for (item, _), slot in loaded.current.answers.items():
        for head in slot.heads:
            answered.setdefault(item, set()).add(head.checklist or first)
    found: dict[str, tuple[Affected, ...]] = {}
    for one in affected(checklist, answered, lambda digest: named_checklist(tx, digest)):
        found[one.item] = (*found.get(one.item, ()), one)
    return found


# -- inside ---------------------------------------------------------------------------------------


class _Seen:
    """Proposals as this reader sees them."""

    def __init__(
        self, tx: Tx, who: Principal, known: Mapping[str, str], all_: Sequence[Proposal]
    ) -> None:
        self.who = who
        self.known = known
        self.covered = access.visible(tx, who, PERMISSION)
        ids = {one.proposed_by for one in all_} | {one.ruled_by for one in all_ if one.ruled_by}
        self.names = people.names(tx, ids)

    def decision(self, of: Proposal) -> Decision:
        mine = of.proposed_by == self.who.person
        starts = sorted((self.known.get(place, place), day) for place, day in of.effective.items())
        return Decision(
            of.id,
            of.kind,
            of.name,
            of.version,
            of.digest,
            tuple(starts),
            self.names.get(of.proposed_by, of.proposed_by),
            of.proposed_at,
            of.ruling,
            of.reason or "",
            self.names.get(of.ruled_by or "", of.ruled_by or ""),
            of.ruled_at,
            mine,
            of.ruling is None and set(of.effective) <= self.covered,
        )


def _starts(
    rows: Sequence[InForce], known: Mapping[str, str], today: str
) -> dict[str, list[Start]]:
    """Digest -> where it applies from when; `rows` hold the one that begins last first."""
    found: dict[str, list[Start]] = {}
    begun: set[tuple[str, str, str]] = set()
    for row in rows:
        place = (row.kind, row.name, row.jurisdiction)
        if row.effective > today:
            state = "coming"
        elif place in begun:
            state = "over"
        else:
            state = "in-force"
            begun.add(place)
        where = "everywhere" if row.jurisdiction == EVERYWHERE else row.jurisdiction
        start = Start(known.get(row.jurisdiction, where), row.effective, state)
        found.setdefault(row.digest, []).append(start)
    return found


def _version(
    found: Published,
    starts: Mapping[str, Sequence[Start]],
    approved: Mapping[str, Sequence[Decision]],
) -> VersionView:
    return VersionView(
        found.version,
        found.digest,
        found.published_at,
        tuple(starts.get(found.digest, ())),
        tuple(approved.get(found.digest, ())),
    )


def _waiting(tx: Tx, seen: Decision, of: Proposal, today: str) -> Waiting:
    """What it changes is told against what applies today where it would apply first."""
    first = min(of.effective, key=lambda place: (of.effective[place], place))
    digest = in_force.applying(in_force.reaching(tx, of.kind, of.name, first), today)
    before = documents.by_digest(tx, digest) if digest else None
    if before is None or of.kind not in _COMPARED:
        return Waiting(seen, "", "", ())
    found = compare_bodies(
        *(Body(of.kind, one.body, f"{one.name}@{one.version}") for one in (before, of))
    )
    return Waiting(seen, before.version, summary(found), tuple(lines(found))[3:])
