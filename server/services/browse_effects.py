"""What a proposal that waits would change of facilities' grades, for whoever is to decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checklists.load import load_checklist, load_limits
from checklists.rescoring import Rescored, change_lines, told
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.identifiers import day_of
from server.services.rescoring import facility_effects
from server.store import browsing, facilities, in_force, jurisdictions, proposals
from server.store.browsing import FacilityRow
from server.store.in_force import InForce
from server.store.proposals import Proposal
from server.store.transaction import Tx
from sync.problems import problem

_SCORED = ("checklist", "limits")


@dataclass(frozen=True, slots=True)
class Effect:
    """A facility whose score the proposal changes: before, after, and item by item why."""

    row: FacilityRow
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    lines: tuple[str, ...]

    @property
    def regraded(self) -> bool:
        """Whether the grade or its state is another, not the numbers alone."""
        return any(self.before[name] != self.after[name] for name in ("grade", "grade_state"))


@dataclass(frozen=True, slots=True)
class EffectsPage:
    """One page of the reader's facilities where the proposal would apply: those that it changes,
    those with another grade first. `total` counts them on all pages; the others those of this one.
    """

    proposal: Proposal
    starts: tuple[tuple[str, str], ...]
    total: int
    here: int
    unscored: int
    changed: tuple[Effect, ...]
    page: int
    pages: int

    @property
    def regraded(self) -> int:
        """How many get another grade or state."""
        return sum(one.regraded for one in self.changed)


def show_effects(ctx: Context, who: Principal, proposal: str, page: int = 1) -> EffectsPage:
    """Score a page of the reader's facilities again under a proposal that waits; nothing is stored.

    Raises `not-found` for one that is not there or neither a checklist nor a limits table,
    `proposal-decided`, and `table-unreadable` where what is stored was damaged.
    """
    with ctx.db.read() as tx:
        found = proposals.get(tx, proposal)
        if found is None or found.kind not in _SCORED:
            raise problem("not-found")
        if found.ruling is not None:
            raise problem("proposal-decided", ruling=found.ruling)
        load = load_limits if found.kind == "limits" else load_checklist
        newer = load(found.body, f"{found.name}@{found.version}")
        places = _places(tx, who, found, day_of(ctx.now()))
        size = ctx.settings.max_page_rows
        pages = max(1, -(-len(places) // size))
        page = min(max(1, page), pages)
        here = places[(page - 1) * size : page * size]
        effects = {row.id: facility_effects(tx, newer, row.id) for row in here}
        known = {one.id: one.name for one in jurisdictions.every(tx)}
    changed = [_effect(row, one) for row in here for one in effects[row.id].touched if one.changes]
    return EffectsPage(
        found,
        tuple(sorted((known.get(place, place), day) for place, day in found.effective.items())),
        len(places),
        len(here),
        sum(not one.touched and not one.untouched for one in effects.values()),
        tuple(sorted(changed, key=lambda one: (not one.regraded, one.row.name, one.row.id))),
        page,
        pages,
    )


def _places(tx: Tx, who: Principal, found: Proposal, today: str) -> list[FacilityRow]:
    """The reader's facilities where the proposal would apply from its day on, by name."""
    visible = access.visible(tx, who, "scores.read")
    users = set(facilities.using(tx, found.kind, found.name))
    reached = jurisdictions.below(tx, found.effective) & visible
    applies = {place: _applies(tx, found, place, today) for place in reached}
    rows = browsing.facilities_in(tx, reached)
    return [row for row in rows if row.id in users and applies[row.jurisdiction]]


def _applies(tx: Tx, found: Proposal, place: str, today: str) -> bool:
    """Whether it would apply in a jurisdiction today or on a day to come: a nearer jurisdiction
    may have its own, and another one may begin later.
    """
    proposed = [
        InForce(found.kind, found.name, where, day, found.digest, found.proposed_at)
        for where, day in found.effective.items()
    ]
    rows = in_force.reaching(tx, found.kind, found.name, place, proposed)
    days = {today, *(one.effective for one in rows if one.effective > today)}
    return any(in_force.applying(rows, day) == found.digest for day in days)


def _effect(row: FacilityRow, found: Rescored) -> Effect:
    return Effect(row, told(found.before), told(found.after), tuple(change_lines(found)))
