"""Publishing checklists, limits tables, scoring profiles and rule settings, as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.resources import files

from checklists import published
from checklists.discrepancies.settings_file import load_settings
from checklists.load import load_checklist, load_limits, load_profile
from server.context import Context
from server.services.audit import acted
from server.services.identifiers import day_of
from server.store import assignments, documents, facilities, gradings
from server.store.changes import tell
from server.store.documents import KINDS, Document
from server.store.transaction import Tx
from sync.problems import problem


def publish(ctx: Context, by: str, kind: str, body: bytes, source: str) -> tuple[Document, bool]:
    """Check and publish a document; the same bytes again change nothing.

    Returns the document and whether it is new. The devices of everyone assigned where it applies
    are told, and the grades it bears on are worked out again. Raises `noun-unknown` for the kind,
    `checklist-malformed`, `thresholds-malformed`, and `already-published` when this version was
    published with other bytes.
    """
    if kind not in KINDS:
        raise problem("noun-unknown", noun="kind", name=kind[:80], nearest=", ".join(KINDS))
    name, version = _read(kind, body, source)
    new = Document(hashlib.sha256(body).hexdigest(), kind, name, version, body, ctx.now())
    with ctx.db.read() as tx:
        there = documents.by_digest(tx, new.digest)
    if there is not None:
        return there, False

    def work(tx: Tx) -> None:
        if documents.version(tx, kind, name, version) is not None:
            raise problem("already-published", kind=kind, name=name, version=version)
        documents.add(tx, new)
        touched = facilities.using(tx, kind, name)
        for facility in touched:
            gradings.mark_stale(tx, facility, day_of(new.published_at), new.published_at)
        tell(tx, assignments.current_people(tx, touched), [(kind, new.digest)], new.published_at)

    subject = f"document:{new.digest}"
    detail = {"kind": kind, "name": name, "version": version}
    acted(ctx, by, "document.publish", subject, work, detail)
    return new, True


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
