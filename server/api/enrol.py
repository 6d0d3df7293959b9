"""POST /api/enrol: a device presents an invitation's code and its key (S8)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.services import enrolment
from server.web import ctx
from sync.wire import EnrolAnswer, EnrolRequest

blueprint = Blueprint("enrol", __name__, url_prefix="/api/enrol", description="Enrolling devices.")


@blueprint.post("")
@blueprint.arguments(EnrolRequest, unknown=None)
@blueprint.response(200, EnrolAnswer)
@problems("invitation-unknown", "device-key-malformed", "device-of-another", *WITH_JSON, *WRITING)
def enrol(asked: dict[str, Any]) -> dict[str, Any]:
    """Enrol a device with an invitation's code

    The same code with the same key may be sent again when the answer was lost.
    """
    found = enrolment.enrol(ctx(), asked["code"], asked["public_key"], asked["name"])
    return {
        "token": found.token,
        "certificate": found.certificate,
        "server_key": ctx().public_key,
        "server_keys": ctx().key_statements,
        "server_name": urlsplit(ctx().settings.public_url).hostname or "server",
        "person": found.person,
        "person_name": found.person_name,
        "now": ctx().now(),
    }
