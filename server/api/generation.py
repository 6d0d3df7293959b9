"""/api/generation: a device whose log forked goes on under a new key (S3)."""

from __future__ import annotations

from typing import Any

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.services import generations
from server.web import ctx, principal
from sync.generation import (
    GenerationAnswer,
    GenerationRequest,
    HashesAnswer,
    HashesRequest,
    HeldAnswer,
)

blueprint = Blueprint(
    "generation",
    __name__,
    url_prefix="/api/generation",
    description="The next generation of a device whose log forked.",
)


@blueprint.post("")
@blueprint.doc(security=[{"device": []}])
@blueprint.arguments(GenerationRequest, unknown=None)
@blueprint.response(200, GenerationAnswer)
@problems("device-key-malformed", "generation-unproved", "device-of-another", *WITH_JSON, *WRITING)
def next_generation(asked: dict[str, Any]) -> dict[str, Any]:
    """Enrol the device's next generation, with the old key's word for the new one

    The same key may be sent again when the answer was lost.
    """
    former = principal().device or ""
    found = generations.next_generation(ctx(), former, asked["public_key"], asked["proof"])
    return {"token": found.token, "certificate": found.certificate, "now": ctx().now()}


@blueprint.get("/<former>")
@blueprint.doc(security=[{"device": []}])
@blueprint.response(200, HeldAnswer)
@problems("device-not-yours")
def held(former: str) -> dict[str, Any]:
    """How far the logs of an earlier device of the same person are held

    What the device has beyond the beginning that both share is to be adopted.
    """
    return {"logs": generations.held_of(ctx(), principal().person or "", former)}


@blueprint.post("/<former>/hashes")
@blueprint.doc(security=[{"device": []}])
@blueprint.arguments(HashesRequest, unknown=None)
@blueprint.response(200, HashesAnswer)
@problems("device-not-yours", *WITH_JSON)
def hashes(asked: dict[str, Any], former: str) -> dict[str, Any]:
    """The chain hashes of one of those logs at up to 64 positions

    By them a device finds how far its copy of the log and the server's are the same.
    """
    person = principal().person or ""
    return {"h": generations.hashes_of(ctx(), person, former, asked["log"], asked["at"])}
