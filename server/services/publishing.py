"""Publishing checklists, limits tables, scoring profiles and rule settings, as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from checklists import published
from checklists.discrepancies.days import day_in
from checklists.discrepancies.settings_file import load_settings
from checklists.load import load_checklist, load_limits, load_profile
from server.context import Context
from server.services import standards
from server.services.audit import acted
from server.services.identifiers import day_of
from server.store import assignments, documents, facilities, gradings, in_force, jurisdictions
from server.store.changes import tell
from server.store.documents import KINDS, Document
from server.store.facilities import Facility
from server.store.in_force import ALWAYS, EVERYWHERE, InForce
from server.store.transaction import Tx
from sync.problems import problem

_Said = tuple[list[tuple[str, str | None]], Mapping[str, Any]]


def publish(ctx: Context, by: str, kind: str, body: bytes, source: str) -> tuple[Document, bool]:
    """Check a document and put it in force everywhere, from now on and for visits before; the
    same bytes again change nothing. This is how a server is set up, at the console: no second
    person is asked, and the audit trail says so. See `proposing` for how staff do it.

    Returns the document and whether it is new. Raises `noun-unknown` for the kind,
    `checklist-malformed`, `thresholds-malformed`, and `already-published` when this version was
    published with other bytes.
    """
    new = read_document(kind, body, source, ctx.now())
    with ctx.db.read() as tx:
        there = documents.by_digest(tx, new.digest)
    if there is not None:
        return there, False
    detail = {"kind": kind, "name": new.name, "version": new.version, "approved": "by nobody else"}
    acted(
        ctx,
        by,
        "document.publish",
        f"document:{new.digest}",
        lambda tx: enact(tx, new, {EVERYWHERE: ALWAYS}, new.published_at),
        detail,
    )
    return new, True


def enact(tx: Tx, document: Document, effective: Mapping[str, str], now: int) -> list[str]:
    """Put a document in force from these days (jurisdiction to day) and publish it where that is
    new; returns the facilities where another document applies now, or did on a day before.

    Those are graded again, and everyone assigned where it applies or will is told. Raises
    `already-published`.
    """
    kind, name = document.kind, document.name
    published = documents.version(tx, kind, name, document.version)
    if published not in (None, document.digest):
        raise problem("already-published", kind=kind, name=name, version=document.version)
    reached = _reached(tx, kind, name, effective)
    before = _said(tx, kind, reached, now)
    if published is None:
        documents.add(tx, document)
    for jurisdiction, day in effective.items():
        in_force.put(tx, InForce(kind, name, jurisdiction, day, document.digest, now))
    touched: list[str] = []
    after = _said(tx, kind, reached, now)
    for place, (applied, told), (applies, tells) in zip(reached, before, after, strict=True):
        people = assignments.current_people(tx, [place.id])
        if applies != applied:
            gradings.mark_stale(tx, place.id, day_of(now), now)
            touched.append(place.id)
        if document.digest in {applies[-1][1], *(digest for _, digest in tells.get(kind, ()))}:
            tell(tx, people, [(kind, document.digest)], now)
        if tells != told:
            tell(tx, people, [("facility", place.id)], now)
    return touched


def publish_builtin(
    ctx: Context, by: str, checklists: Iterable[str] | None = None
) -> list[tuple[Document, bool]]:
    """Publish what comes with the program, of its checklists all or those named; see `publish`."""
    rules = files("checklists.discrepancies") / "settings" / "default.yaml"
    chosen = published.names() if checklists is None else checklists
    shipped = [("checklist", name, published.checklist_bytes(name)) for name in chosen]
    shipped += [("limits", n, published.limits_bytes(n)) for n in published.limits_names()]
    shipped.append(("profile", "default", published.profile_bytes("default")))
    shipped.append(("rules", "default", rules.read_bytes()))
    return [publish(ctx, by, kind, body, f"{name}.yaml") for kind, name, body in shipped]


def read_document(kind: str, body: bytes, source: str, now: int) -> Document:
    """A document that its loader accepts, to be published now; raises what `publish` does."""
    if kind not in KINDS:
        raise problem("noun-unknown", noun="kind", name=kind[:80], nearest=", ".join(KINDS))
    name, version = _read(kind, body, source)
    return Document(hashlib.sha256(body).hexdigest(), kind, name, version, body, now)


def _reached(tx: Tx, kind: str, name: str, effective: Mapping[str, str]) -> list[Facility]:
    """The facilities that use the name in these jurisdictions or below them."""
    within = None if EVERYWHERE in effective else jurisdictions.below(tx, effective)
    found = (facilities.get(tx, one) for one in facilities.using(tx, kind, name))
    return [one for one in found if one and (within is None or one.jurisdiction in within)]


def _said(tx: Tx, kind: str, places: Sequence[Facility], now: int) -> list[_Said]:
    """Which documents of a kind applied to each facility until today, and what its devices are told
    of that: the same for all that lie in one jurisdiction and use the same names.
    """
    known: dict[tuple[str | None, ...], _Said] = {}
    found = []
    for place in places:
        alike = (place.jurisdiction, place.country, place.checklist, place.limits)
        if alike not in known:
            history = standards.history_of(tx, place, kind, day_in(place.country, now))
            known[alike] = history, standards.told_of(tx, place, now)
        found.append(known[alike])
    return found


def _read(kind: str, body: bytes, source: str) -> tuple[str, str]:
    """Name and version of a document that its loader accepts."""
    if kind == "checklist":
        checklist = load_checklist(body, source)
        return checklist.id, checklist.version
    if kind == "limits":
        limits = load_limits(body, source)
        return limits.jurisdiction, limits.version
    if kind == "profile":
        profile = load_profile(body, source)
        return profile.id, profile.version
    settings = load_settings(body, source)
    return str(settings["id"]), str(settings["version"])
