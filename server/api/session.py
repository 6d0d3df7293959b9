"""/api/session: people log in for a cookie and a CSRF token, and log out."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields, validate

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.services import accounts
from server.web import ctx, end_session, principal, session_token, start_session

blueprint = Blueprint(
    "session", __name__, url_prefix="/api/session", description="Logging in and out."
)


class LoginSchema(Schema):
    """A login name and its password."""

    login = fields.String(required=True, validate=validate.Length(min=1, max=80))
    password = fields.String(
        required=True, load_only=True, validate=validate.Length(min=1, max=200)
    )


class GrantSchema(Schema):
    """A role for a jurisdiction and everything below it."""

    role = fields.String(required=True)
    jurisdiction = fields.String(required=True)


class SessionSchema(Schema):
    """Who is logged in, and the CSRF token to send with everything that changes something."""

    person = fields.String(required=True)
    name = fields.String(required=True)
    csrf = fields.String(required=True)
    grants = fields.List(fields.Nested(GrantSchema))


@blueprint.post("")
@blueprint.arguments(LoginSchema)
@blueprint.response(200, SessionSchema)
@problems("login-failed", "login-blocked", *WITH_JSON, *WRITING)
def log_in(asked: dict[str, str]) -> Response:
    """Log in: sets the session's cookie"""
    opened = accounts.log_in(ctx(), asked["login"], asked["password"])
    body = {"person": opened.person, "name": opened.person_name, "csrf": opened.csrf}
    return start_session(jsonify(body), opened)


@blueprint.get("")
@blueprint.response(200, SessionSchema)
@blueprint.doc(security=[{"session": []}])
def show() -> dict[str, Any]:
    """Say who is logged in"""
    who = principal()
    grants = [{"role": role, "jurisdiction": place} for role, place in who.grants]
    return {"person": who.person, "name": who.person_name, "csrf": who.csrf, "grants": grants}


@blueprint.delete("")
@blueprint.response(204)
@problems(*WRITING)
@blueprint.doc(security=[{"session": [], "csrf": []}])
def log_out() -> Response:
    """Log out: ends the session"""
    accounts.log_out(ctx(), principal().person or "", session_token())
    return end_session(Response(status=204))
