"""Bytes for a person: originals, previews, and a score to check at home."""

from __future__ import annotations

from flask import Response, abort, make_response, send_file

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
    response = send_file(
        found.path,
        mimetype=found.media_type,
        as_attachment=not found.show,
        download_name=found.name,
        conditional=True,
        etag=sha256,
    )
    response.headers["Cache-Control"] = f"private, max-age={_A_DAY}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
