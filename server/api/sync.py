"""POST /api/sync: the whole conversation between a device and the server, one round trip (S1)."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from server.api.describe import problems
from server.services.intake import receive
from server.services.refusals import note_unreadable
from server.web import ctx, principal
from sync.log import MAX_REQUEST_BYTES
from sync.packing import ANSWER, PACKINGS, REQUEST, pack_for, unpack_from
from sync.problems import Problem, problem

blueprint = Blueprint(
    "sync",
    __name__,
    url_prefix="/api",
    description="The conversation of devices with the server.",
)

NDJSON = "application/x-ndjson"


@blueprint.post("/sync")
@blueprint.doc(
    summary="Send segments, receive a receipt, missing digests and changes",
    security=[{"device": []}],
    requestBody={
        "required": True,
        "description": f"NDJSON, plain or packed ({', '.join(PACKINGS)}): a header line, then per "
        "segment a header and lines.",
        "content": {NDJSON: {"schema": {"type": "string", "format": "binary"}}},
    },
    responses={200: {"description": "The server's answer as JSON"}},
)
@problems(
    "request-malformed",
    "cursor-malformed",
    "device-not-yours",
    "media-type",
    "segment-malformed",
    "segment-too-long",
    "entry-too-large",
    "store-busy",
    "disk-full",
)
def exchange() -> Response:
    who = principal()
    if request.mimetype != NDJSON:
        raise problem("media-type", given=request.mimetype, wanted=NDJSON)
    request.max_content_length = MAX_REQUEST_BYTES
    encoding = request.headers.get("Content-Encoding")
    body = request.get_data(cache=False)
    try:
        body = unpack_from(encoding, body, REQUEST)
    except Problem as why:
        if why.code != "media-type":  # then it comes again, packed otherwise
            note_unreadable(ctx(), who.device or "", why)
        raise
    answer = receive(ctx(), who.device or "", who.person or "", body)
    response = Response(answer, mimetype="application/json")
    packing, packed = pack_for(answer, ANSWER, _understood())
    if packing is not None:
        response.set_data(packed)
        response.headers["Content-Encoding"] = packing
    return response


def _understood() -> frozenset[str]:
    """The packings that the sender understands: those that it says, and the one that it sent."""
    said = request.headers.get("Accept-Encoding", "")
    sent = request.headers.get("Content-Encoding", "")
    return frozenset((sent, *(one.partition(";")[0].strip() for one in said.split(","))))
