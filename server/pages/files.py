"""Bytes for a person: originals, previews, and a score to check at home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, abort, make_response, request

from server.services import browse_files
from server.services.browse_files import FileToSend
from server.web import ctx, principal

_A_DAY = 86_400


def original(sha256: str) -> Response:
    return _send(browse_files.original(ctx(), principal(), sha256), sha256)


def preview(sha256: str) -> Response:
    return _send(browse_files.preview(ctx(), principal(), sha256), sha256)


def score_export(scope: str, subject: str) -> Response:
    if scope not in ("facility", "inspection"):
        abort(404)
    body = browse_files.score_export(ctx(), principal(), scope, subject)
    response = make_response(body)
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="score-{scope}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _send(found: FileToSend, sha256: str) -> Response:
    """The bytes as they lie, in pieces. A digest names them for ever, so a browser may keep them
    for a day; nobody in between may.
    """
    response = Response(_Pieces(found), mimetype=found.media_type, direct_passthrough=True)
    response.content_length = found.size
    how = "inline" if found.show else "attachment"
    response.headers["Content-Disposition"] = f"{how}; filename={found.name}"
    response.set_etag(sha256)
    response.make_conditional(request, accept_ranges=True, complete_length=found.size)
    response.headers["Cache-Control"] = f"private, max-age={_A_DAY}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@dataclass(slots=True)
class _Pieces:
    """A file's bytes as the framework cuts ranges from: opened at the first piece that is wanted,
    and from there, so that a range costs no more than its bytes.
    """

    found: FileToSend
    at: int = 0
    chunks: Iterator[bytes] | None = None

    def seekable(self) -> bool:
        return True

    def seek(self, at: int) -> None:
        self.at = at

    def tell(self) -> int:
        return self.at

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.chunks is None:
            self.chunks = self.found.chunks(self.at)
        return next(self.chunks)

    def close(self) -> None:
        """Let go of the file, also when the answer was cut short."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()
