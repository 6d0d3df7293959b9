"""A version of the standard is proposed by one person and put in force by another one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.audit import acted, who_is
from server.services.identifiers import letters
from server.services.publishing import enact, read_document
from server.services.texts import check_text
from server.store import documents, in_force, jurisdictions, proposals
from server.store.documents import Document
from server.store.proposals import APPROVED, REFUSED, Proposal
from server.store.transaction import Tx
from sync.problems import problem

PERMISSION = "standards.approve"


def propose(
    ctx: Context,
    who: Principal,
    kind: str,
    body: bytes,
    source: str,
    effective: Mapping[str, str],
) -> tuple[Proposal, bool]:
    """Propose a document, to be in force from these days (jurisdiction to YYYY-MM-DD).

    Nothing is in force before another person approves it. The same proposal that waits already
    is returned as it is; the second value is whether it is new. Raises `fields-malformed`,
    `noun-unknown`, `not-permitted`, `already-published`, `already-in-force` and what the
    document's loader raises.
    """
    now = ctx.now()
    document = read_document(kind, body, source, now)
    _check_days(effective)
    new = Proposal(
        f"v-{letters(ctx, 12)}",
        kind,
        document.name,
        document.version,
        document.digest,
        body,
        effective,
        who.person or "",
        now,
    )
    with ctx.db.read() as tx:
        _check_places(tx, effective)
        _must_cover(tx, who, effective)
        same = next((one for one in proposals.waiting(tx) if _same(one, new)), None)
    if same is not None:
        return same, False

    def work(tx: Tx) -> Proposal:
        said = {"kind": kind, "name": new.name, "version": new.version}
        if documents.version(tx, kind, new.name, new.version) not in (None, new.digest):
            raise problem("already-published", **said)
        there = {(one.jurisdiction, one.effective) for one in in_force.of_digest(tx, new.digest)}
        if set(effective.items()) <= there:
            raise problem("already-in-force", **said)
        proposals.add(tx, new)
        return new

    acted(ctx, who_is(who), "document.propose", f"proposal:{new.id}", work, _detail(new))
    return new, True


def approve(ctx: Context, who: Principal, proposal: str) -> tuple[Proposal, list[str]]:
    """Put a proposal of somebody else in force; returns it and the facilities that it touches now.

    Raises `noun-unknown`, `not-permitted`, `proposal-own`, `proposal-decided` and
    `already-published`.
    """
    now = ctx.now()
    found = _decidable(ctx, who, proposal)
    if found.proposed_by == who.person:
        raise problem("proposal-own", kind=found.kind, name=found.name, version=found.version)

    def work(tx: Tx) -> list[str]:
        _rule(tx, found.id, APPROVED, "", who.person or "", now)
        new = Document(found.digest, found.kind, found.name, found.version, found.body, now)
        return enact(tx, new, found.effective, now)

    detail = {**_detail(found), "proposal": found.id, "proposed_by": found.proposed_by}
    subject = f"document:{found.digest}"
    return found, acted(ctx, who_is(who), "document.approve", subject, work, detail)


def refuse(ctx: Context, who: Principal, proposal: str, reason: str) -> Proposal:
    """Decide that a proposal does not come into force; its proposer may take it back so too.

    Raises `noun-unknown`, `not-permitted`, `proposal-decided` and `fields-malformed`.
    """
    reason, now = check_text("reason", reason, 500), ctx.now()
    found = _decidable(ctx, who, proposal)

    def work(tx: Tx) -> None:
        _rule(tx, found.id, REFUSED, reason, who.person or "", now)

    detail = {**_detail(found), "reason": reason}
    acted(ctx, who_is(who), "document.refuse", f"proposal:{found.id}", work, detail)
    return found


# -- inside ---------------------------------------------------------------------------------------


def _decidable(ctx: Context, who: Principal, proposal: str) -> Proposal:
    with ctx.db.read() as tx:
        found = proposals.get(tx, proposal)
        if found is None:
            waiting = ", ".join(one.id for one in proposals.waiting(tx)[:8]) or "none waits"
            raise problem("noun-unknown", noun="proposal", name=proposal[:80], nearest=waiting)
        _must_cover(tx, who, found.effective)
    if found.ruling is not None:
        raise problem("proposal-decided", ruling=found.ruling)
    return found


def _rule(tx: Tx, proposal: str, ruling: str, reason: str, person: str, now: int) -> None:
    if not proposals.rule(tx, proposal, ruling, reason, person, now):
        there = proposals.get(tx, proposal)
        raise problem("proposal-decided", ruling=there.ruling if there else ruling)


def _must_cover(tx: Tx, who: Principal, effective: Mapping[str, str]) -> None:
    for jurisdiction in effective:
        access.must_cover(tx, who, PERMISSION, jurisdiction)


def _check_days(effective: Mapping[str, str]) -> None:
    if not effective:
        raise problem("fields-malformed", why="effective: give a jurisdiction and a day")
    for jurisdiction, day in effective.items():
        try:
            fits = date.fromisoformat(day).isoformat() == day
        except ValueError:
            fits = False
        if not fits:
            why = f"effective: {day[:20]!r} for {jurisdiction[:40]} is not YYYY-MM-DD"
            raise problem("fields-malformed", why=why)


def _check_places(tx: Tx, effective: Mapping[str, str]) -> None:
    known = [one.id for one in jurisdictions.every(tx)]
    for jurisdiction in effective:
        if jurisdiction not in known:
            near = ", ".join(known[:8]) or "none yet"
            raise problem("noun-unknown", noun="jurisdiction", name=jurisdiction[:80], nearest=near)


def _same(one: Proposal, other: Proposal) -> bool:
    return one.digest == other.digest and dict(one.effective) == dict(other.effective)


def _detail(of: Proposal) -> dict[str, object]:
    return {
        "kind": of.kind,
        "name": of.name,
        "version": of.version,
        "digest": of.digest,
        "effective": dict(of.effective),
    }
