"""PUT /api/files/<sha256>: one whole file, streamed, verified before it counts (S6)."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from server.api.describe import problems
from server.services.intake import receive_file
from server.web import ctx, principal
from sync.log import MAX_FILE_BYTES
from sync.problems import problem
from sync.wire import DIGEST

blueprint = Blueprint(
    "files", __name__, url_prefix="/api/files", description="Evidence files by their digest."
)

CHUNK = 256 * 1024


@blueprint.put("/<sha256>")
@blueprint.doc(
    summary="Send one file that an acknowledged entry names",
    security=[{"device": []}],
    requestBody={
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    },
    responses={
        200: {"description": "Held already"},
        201: {"description": "Held now, its digest verified"},
    },
)
@problems("digest-malformed", "file-not-named", "file-digest", "file-too-large", "disk-full")
def send(sha256: str) -> tuple[Response, int]:
    if not DIGEST.match(sha256):
        raise problem("digest-malformed", digest=sha256[:80])
    request.max_content_length = MAX_FILE_BYTES
    size = request.content_length
    if size is not None and size > MAX_FILE_BYTES:
        raise problem("file-too-large", size=size, limit=MAX_FILE_BYTES)
    _, new = receive_file(ctx(), principal().person or "", sha256, _chunks())
    return jsonify({"sha256": sha256, "held": True}), 201 if new else 200


def _chunks() -> Iterator[bytes]:
    while chunk := request.stream.read(CHUNK):
        yield chunk
