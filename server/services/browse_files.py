"""A file's bytes for a person: only what an inspection in the person's scope names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.context import Context
from server.permissions import Principal
from server.services import access
from server.store import assessments, browsing, facts
from sync.problems import problem

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
# Types that a browser may show as pictures; everything else is handed over as a download.
SAFE_TYPES = ("image/jpeg", "image/png", "image/webp")
# How a saved file's name ends, so that a person's computer knows what opens it.
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tif",
    "image/heic": ".heic",
    "image/heif": ".heif",
}


@dataclass(frozen=True, slots=True)
class FileToSend:
    """Where the bytes lie. `media_type` is what the bytes were found to be, never a claim.

    `name` is what the file is called when it is saved.
    """

    path: Path
    media_type: str
    show: bool
    name: str


def original(ctx: Context, who: Principal, sha256: str) -> FileToSend:
    """The bytes as they were attached. Raises `not-found` unless held and within the scope."""
    media_type = _found_type(ctx, who, sha256)
    if not ctx.blobs.has(sha256):
        raise problem("not-found")
    show = media_type in SAFE_TYPES
    return FileToSend(
        ctx.blobs.path(sha256),
        media_type if show else "application/octet-stream",
        show,
        sha256[:12] + _ENDINGS.get(media_type, ""),
    )


def preview(ctx: Context, who: Principal, sha256: str) -> FileToSend:
    """The small picture of a photograph. Raises `not-found` unless there and within the scope."""
    _found_type(ctx, who, sha256)
    if not ctx.previews.has(sha256):
        raise problem("not-found")
    return FileToSend(ctx.previews.path(sha256), "image/jpeg", True, f"{sha256[:12]}.jpg")


def _found_type(ctx: Context, who: Principal, sha256: str) -> str:
    if not _SHA256.match(sha256):
        raise problem("not-found")
    with ctx.db.read() as tx:
        visible = access.visible(tx, who, "files.read")
        if not any(use.jurisdiction in visible for use in browsing.file_uses(tx, sha256)):
            raise problem("not-found")
        row = facts.facts_of(tx, [sha256]).get(sha256)
    known: Mapping[str, Any] = json.loads(row.facts) if row is not None and row.facts else {}
    return str(known.get("media_type", ""))


def score_export(ctx: Context, who: Principal, scope: str, subject: str) -> bytes:
    """A score with everything it was computed from, as one JSON document.

    Raises `not-found` where there is no such score within the person's scope.
    """
    with ctx.db.read() as tx:
        assessed = assessments.find(tx, scope, subject)
        if assessed is None:
            raise problem("not-found")
        row = browsing.facility(tx, assessed.facility)
        if row is None or row.jurisdiction not in access.visible(tx, who, "scores.read"):
            raise problem("not-found")
    return b'{"inputs":' + assessed.inputs + b',"score":' + assessed.score + b"}"
