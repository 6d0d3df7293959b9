"""/api/bundles: what devices wrote on a stick, read by staff; and the office's answers (S10)."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO, cast

from flask import Response, request, send_file
from marshmallow import Schema, fields

from server.api.describe import WRITING, Blueprint, problems
from server.services.audit import who_is
from server.services.bundle_answer import addressee, file_name, write_answer_bundle
from server.services.bundle_intake import read_bundle
from server.services.bundle_report import as_json
from server.web import body_chunks, ctx, principal
from sync.age_io import Pieces
from sync.problems import problem

blueprint = Blueprint(
    "bundles", __name__, url_prefix="/api/bundles", description="Bundles that came on a stick."
)

MEDIA_TYPE = "application/octet-stream"
UNSEALING = ("bundle-not-sealed", "bundle-for-another", "bundle-altered", "bundle-other-server")


class LogResult(Schema):
    """What became of one log: held up to `seq`, a gap, forked, or refused with a problem."""

    log = fields.String(required=True)
    device = fields.String(required=True)
    state = fields.String(required=True)
    seq = fields.Integer(required=True)
    problem = fields.Dict(allow_none=True)


class FileResult(Schema):
    """What became of one file."""

    sha256 = fields.String(required=True)
    became = fields.String(required=True, metadata={"description": "held, known, not named …"})


class BundleResult(Schema):
    """What became of a bundle; `problem` is what ended the reading early, if anything did."""

    by = fields.Dict(allow_none=True, metadata={"description": "The device that wrote it."})
    made_at = fields.Integer(allow_none=True, metadata={"description": "UTC ms, its clock"})
    sha256 = fields.String(required=True)
    logs = fields.List(fields.Nested(LogResult), required=True)
    new_entries = fields.Integer(required=True)
    files = fields.List(fields.Nested(FileResult), required=True)
    new_file_bytes = fields.Integer(required=True)
    skipped = fields.Dict(metadata={"description": "Parts of kinds that are not known here."})
    problem = fields.Dict(allow_none=True)


@blueprint.post("")
@blueprint.doc(
    security=[{"session": [], "csrf": []}],
    requestBody={
        "required": True,
        "description": "The bundle as it is; it is read as it comes.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
)
@blueprint.response(200, BundleResult)
@problems("media-type", "bundle-malformed", "bundle-newer", *UNSEALING, *WRITING)
@problems("bundle-passphrase-needed", "bundle-part-too-large")
def take() -> dict[str, Any]:
    """Read a bundle; reading one again changes nothing"""
    if request.mimetype != MEDIA_TYPE:
        raise problem("media-type", given=request.mimetype, wanted=MEDIA_TYPE)
    source = Pieces(body_chunks())
    return as_json(read_bundle(ctx(), who_is(principal()), source, name="What was sent"))


@blueprint.post("/answers/<device>")
@blueprint.doc(
    security=[{"session": [], "csrf": []}],
    responses={
        200: {"description": "The answer, sealed to the device", "content": {MEDIA_TYPE: {}}}
    },
)
@problems("noun-unknown", "device-ended", "device-without-key", *WRITING)
def answer(device: str) -> Response:
    """Write what the office has to say to a device as a bundle"""
    to = addressee(ctx(), device)
    # Closed, and so gone, once it was sent.
    file = cast(BinaryIO, tempfile.TemporaryFile(dir=ctx().settings.incoming))  # noqa: SIM115
    write_answer_bundle(ctx(), to, file.write)
    file.seek(0)
    name = file_name(ctx(), to)
    return send_file(file, MEDIA_TYPE, as_attachment=True, download_name=name)
