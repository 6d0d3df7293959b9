"""Versions of checklists and limits tables found by name, file or digest, and compared."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from checklists import published
from checklists.differences import Differences, compare, compare_limits
from checklists.load import load_checklist, load_limits
from checklists.yaml_lines import Faults, Keyed, Scalar, read_yaml
from server.settings import read_settings
from server.store import documents, proposals
from server.store.db import Database
from server.store.documents import Document
from sync.nearest import nearest
from sync.problems import problem

_KINDS = {"tapak-checklist/1": "checklist", "tapak-limits/1": "limits"}
_DIGEST = re.compile(r"[0-9a-f]{8,64}\Z")


@dataclass(frozen=True, slots=True)
class Body:
    """A document that is to be compared: its kind, and the name that faults are shown under."""

    kind: str
    data: bytes
    source: str


def compare_bodies(before: Body, after: Body) -> Differences:
    """What differs; raises `checklist-malformed`, and `kinds-differ` where one is a checklist and
    the other a limits table.
    """
    if before.kind != after.kind:
        raise problem(
            "kinds-differ",
            one=before.source,
            kind=before.kind,
            other=after.source,
            other_kind=after.kind,
        )
    if before.kind == "limits":
        return compare_limits(*(load_limits(one.data, one.source) for one in (before, after)))
    return compare(*(load_checklist(one.data, one.source) for one in (before, after)))


def document_in(content: bytes, source: str) -> Body:
    """The document in a file that somebody has: a checklist, unless it says that it is a limits
    table. Raises `checklist-malformed` where it is not YAML.
    """
    root = read_yaml(content, Faults(source))
    said = root.get("format") if isinstance(root, Keyed) else None
    kind = _KINDS.get(said.text) if isinstance(said, Scalar) else None
    return Body(kind or "checklist", content, source)


def document_named(data: Path, name: str) -> Body:
    """The checklist or limits table meant by `name`: NAME, NAME@VERSION, how a digest begins, or
    the id of a proposal that waits.

    `data` is the server's data folder, which need not be there. What is published on the server
    comes before what ships with the program. Raises `noun-unknown`.
    """
    wanted, _, version = name.partition("@")
    stored, waiting = _stored(data)
    if name in waiting:
        return _body(waiting[name])
    for one in (*stored, *_shipped(wanted)):
        if one.name == wanted and version in ("", one.version):
            return _body(one)
    if _DIGEST.match(name):
        for one in chain(stored, waiting.values(), _shipped()):
            if one.digest.startswith(name):
                return _body(one)
    names = [*published.names(), *published.limits_names(), *(one.name for one in stored)]
    near = nearest(wanted, dict.fromkeys(names))
    raise problem("noun-unknown", noun="checklist or limits table", name=name[:80], nearest=near)


def _body(document: Document) -> Body:
    return Body(document.kind, document.body, f"{document.name}@{document.version}")


def _stored(data: Path) -> tuple[list[Document], dict[str, Document]]:
    """What is published on the server of this folder, the newest first, and what waits there to be
    approved, by the id of the proposal; nothing where there is no server.
    """
    if "TAPAK_DATABASE" not in os.environ and not (data / "tapak.sqlite").is_file():
        return [], {}
    db = Database(read_settings(data).database_url)
    try:
        with db.read() as tx:
            found, waiting = documents.every(tx), proposals.waiting(tx)
    finally:
        db.close()
    kept = [one for one in found if one.kind in _KINDS.values()]
    newest = sorted(kept, key=lambda one: one.published_at, reverse=True)
    return newest, {
        one.id: Document(one.digest, one.kind, one.name, one.version, one.body, one.proposed_at)
        for one in waiting
        if one.kind in _KINDS.values()
    }


def _shipped(name: str | None = None) -> Iterator[Document]:
    """What comes with the program, or what of it has this name; each is read when it is asked for,
    since composing them all takes a while.
    """
    for one in published.names():
        if name in (None, one):
            body = published.checklist_bytes(one)
            version = load_checklist(body, one).version
            yield Document(_sha256(body), "checklist", one, version, body, 0)
    for one in published.limits_names():
        if name in (None, one):
            body = published.limits_bytes(one)
            version = load_limits(body, one).version
            yield Document(_sha256(body), "limits", one, version, body, 0)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
