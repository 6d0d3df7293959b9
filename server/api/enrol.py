"""POST /api/enrol: a device presents an invitation's code and its key (S8)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import request

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.services import enrolment
from server.web import ctx
from sync.greeting import sign_greeting
from sync.wire import EnrolAnswer, EnrolChallenge, EnrolGreeting, EnrolRequest

blueprint = Blueprint("enrol", __name__, url_prefix="/api/enrol", description="Enrolling devices.")


@blueprint.get("")
@blueprint.arguments(EnrolChallenge, location="query", unknown=None)
@blueprint.response(200, EnrolGreeting)
@problems("fields-malformed")
def greet(asked: dict[str, Any]) -> dict[str, Any]:
    """Say which server this is, and prove it

    A device holds the key against its invitation, and the proof against its own challenge, before
    it shows the invitation's code.
    """
    challenge = asked["challenge"]
    return {
        "server_key": ctx().public_key,
        "server_keys": ctx().key_statements,
        "server_name": _name(),
        **({} if challenge is None else {"proof": sign_greeting(ctx().key, challenge)}),
    }


@blueprint.post("")
@blueprint.arguments(EnrolRequest, unknown=None)
@blueprint.response(200, EnrolAnswer)
@problems(
    "invitation-unknown",
    "enrolment-blocked",
    "device-key-malformed",
    "device-of-another",
    *WITH_JSON,
    *WRITING,
)
def enrol(asked: dict[str, Any]) -> dict[str, Any]:
    """Enrol a device with an invitation's code

    The same code with the same key may be sent again when the answer was lost.
    """
    address = request.remote_addr or ""
    found = enrolment.enrol(ctx(), asked["code"], asked["public_key"], asked["name"], address)
    return {
        "token": found.token,
        "certificate": found.certificate,
        "server_key": ctx().public_key,
        "server_keys": ctx().key_statements,
        "server_name": _name(),
        "person": found.person,
        "person_name": found.person_name,
        "now": ctx().now(),
    }


def _name() -> str:
    return urlsplit(ctx().settings.public_url).hostname or "server"
