"""Files by tus 1.0: creation (with upload), checksum, expiration, termination. An upload is named
by the SHA-256 of its file, so whoever lost an answer asks again and goes on with the same (S6).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Response, request, url_for
from werkzeug.http import http_date

from server.api.describe import Blueprint, problems
from server.api.tus import DIGEST_KEY, EXTENSIONS, VERSION, digest_in, number
from server.checksums import ALGORITHMS, Checksum, read_checksum
from server.services import uploads
from server.services.uploads import Standing
from server.web import body_chunks, ctx, principal
from sync.log import MAX_FILE_BYTES
from sync.problems import problem

blueprint = Blueprint(
    "files", __name__, url_prefix="/api/files", description="Evidence files by tus 1.0."
)

OFFSET_BYTES = "application/offset+octet-stream"
TRANSFER = (
    "upload-malformed",
    "checksum-unknown",
    "upload-checksum",
    "media-type",
    "upload-busy",
    "upload-taken-over",
    "upload-too-long",
    "sealed-key-destroyed",
)
STORING = ("file-digest", "file-too-large", "disk-full", "folder-read-only", "store-busy")
AWAY = ("files-away", "files-refused")


def _header(name: str, what: str, required: bool = True) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": what,
        "schema": schema,
    }


SPEAKS = _header("Tus-Resumable", f"The version of tus: {VERSION}")
SUM = _header(
    "Upload-Checksum",
    f"One of {ALGORITHMS}, a blank, and the base64 of the digest of this request's bytes",
    required=False,
)
BODY = {"content": {OFFSET_BYTES: {"schema": {"type": "string", "format": "binary"}}}}


def _tus(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view that is asked in this version of tus."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Response:
        given = request.headers.get("Tus-Resumable", "")
        if given != VERSION:
            raise problem("tus-version", wanted=VERSION, given=given[:40])
        return view(*args, **kwargs)

    return checked


@blueprint.after_request
def say_version(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    return response


@blueprint.route("", methods=["OPTIONS"], endpoint="discover", provide_automatic_options=False)
@blueprint.doc(
    summary="What of tus is spoken here",
    responses={204: {"description": "Version, extensions and the largest file, in headers"}},
)
def discover() -> Response:
    response = Response(status=204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Checksum-Algorithm"] = ALGORITHMS
    response.headers["Tus-Max-Size"] = str(MAX_FILE_BYTES)
    return response


@blueprint.post("", endpoint="create")
@blueprint.doc(
    summary="Begin to send a file that an acknowledged entry names, or go on with it",
    security=[{"device": []}],
    parameters=[
        SPEAKS,
        _header("Upload-Length", "The file's size in bytes"),
        _header("Upload-Metadata", f"`{DIGEST_KEY}` and the base64 of its hexadecimal digits"),
        SUM,
    ],
    requestBody={**BODY, "required": False, "description": "The file's first bytes, or all."},
    responses={201: {"description": "Location and Upload-Offset say where to go on"}},
)
@problems("tus-version", "file-not-named", *TRANSFER, *STORING, *AWAY)
@_tus
def create() -> Response:
    length = number("Upload-Length", limit=2**63)
    metadata = request.headers.get("Upload-Metadata", "")
    sha256 = digest_in(metadata)
    if _has_body() and request.mimetype != OFFSET_BYTES:
        raise problem("media-type", given=request.mimetype, wanted=OFFSET_BYTES)
    if length > MAX_FILE_BYTES:
        raise problem("file-too-large", size=length, limit=MAX_FILE_BYTES)
    person = principal().person or ""
    stands = uploads.begin(ctx(), person, sha256, length, metadata, body_chunks(), _checksum())
    response = _where(stands, 201)
    response.headers["Location"] = url_for("files.ask", sha256=sha256)
    return response


@blueprint.route("/<sha256>", methods=["HEAD"], endpoint="ask")
@blueprint.doc(
    summary="Ask where an upload stands; a request that still writes to it is stopped",
    security=[{"device": []}],
    parameters=[SPEAKS],
    responses={200: {"description": "Upload-Offset bytes of Upload-Length are here for good"}},
)
@problems(
    "tus-version", "upload-unknown", "upload-busy", "file-digest", "sealed-key-destroyed", *AWAY
)
@_tus
def ask(sha256: str) -> Response:
    stands = uploads.standing(ctx(), principal().person or "", sha256)
    response = _where(stands, 200)
    response.headers["Upload-Length"] = str(stands.length)
    if stands.metadata:
        response.headers["Upload-Metadata"] = stands.metadata
    return response


@blueprint.patch("/<sha256>", endpoint="append")
@blueprint.doc(
    summary="Send bytes of an upload from its offset on",
    security=[{"device": []}],
    parameters=[SPEAKS, _header("Upload-Offset", "The offset of the first byte"), SUM],
    requestBody={**BODY, "required": True},
    responses={204: {"description": "Upload-Offset says how far the file is here for good"}},
)
@problems("tus-version", "upload-unknown", "upload-offset", *TRANSFER, *STORING, *AWAY)
@_tus
def append(sha256: str) -> Response:
    if request.mimetype != OFFSET_BYTES:
        raise problem("media-type", given=request.mimetype, wanted=OFFSET_BYTES)
    offset = number("Upload-Offset", limit=2**63)
    person = principal().person or ""
    stands = uploads.append(ctx(), person, sha256, offset, body_chunks(), _checksum())
    return _where(stands, 204)


@blueprint.delete("/<sha256>", endpoint="discard")
@blueprint.doc(
    summary="Give up an upload that is not complete",
    security=[{"device": []}],
    parameters=[SPEAKS],
    responses={204: {"description": "The upload is forgotten"}},
)
@problems("tus-version", "upload-unknown", "upload-held", "upload-busy", "sealed-key-destroyed")
@_tus
def discard(sha256: str) -> Response:
    uploads.discard(ctx(), principal().person or "", sha256)
    return Response(status=204)


def _where(stands: Standing, status: int) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(stands.offset)
    if stands.expires is not None:
        moment = datetime.fromtimestamp(stands.expires / 1000, UTC)
        response.headers["Upload-Expires"] = http_date(moment)
    return response


def _checksum() -> Checksum | None:
    return read_checksum(request.headers.get("Upload-Checksum"))


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
