"""A file's bytes for a person: only what an inspection in the person's scope names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from checklists.scoring.document import canonical
from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.score_inputs import whole_inputs
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


class _Stored(Protocol):
    def size(self, sha256: str) -> int | None: ...
    def chunks(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class FileToSend:
    """Bytes and how to give them out. `media_type` is what the bytes were found to be, never a
    claim; `size` is in bytes; `name` is what the file is called when it is saved.
    """

    stored: _Stored
    sha256: str
    size: int
    media_type: str
    show: bool
    name: str

    def chunks(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces. Raises `file-not-here`, `files-away`."""
        return self.stored.chunks(self.sha256, start)


def original(ctx: Context, who: Principal, sha256: str) -> FileToSend:
    """The bytes as they were attached. Raises `not-found` unless held and within the scope."""
    media_type = _found_type(ctx, who, sha256)
    show = media_type in SAFE_TYPES
    name = sha256[:12] + _ENDINGS.get(media_type, "")
    shown_type = media_type if show else "application/octet-stream"
    return _found(ctx.blobs, sha256, shown_type, show, name)


def preview(ctx: Context, who: Principal, sha256: str) -> FileToSend:
    """The small picture of a photograph. Raises `not-found` unless there and within the scope."""
    _found_type(ctx, who, sha256)
    return _found(ctx.previews, sha256, "image/jpeg", True, f"{sha256[:12]}.jpg")


def _found(stored: _Stored, sha256: str, media_type: str, show: bool, name: str) -> FileToSend:
    size = stored.size(sha256)
    if size is None:
        raise problem("not-found")
    return FileToSend(stored, sha256, size, media_type, show, name)


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

    Raises `not-found` where there is no such score within the person's scope, and
    `table-unreadable` where a file of the standard that it names was damaged.
    """
    with ctx.db.read() as tx:
        assessed = assessments.find(tx, scope, subject)
        if assessed is None:
            raise problem("not-found")
        row = browsing.facility(tx, assessed.facility)
        if row is None or row.jurisdiction not in access.visible(tx, who, "scores.read"):
            raise problem("not-found")
        inputs = canonical(whole_inputs(tx, assessed))
    return b'{"inputs":' + inputs + b',"score":' + assessed.score + b"}"
