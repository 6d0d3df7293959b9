"""GET /healthz: whether the server runs and its database answers."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from marshmallow import Schema, fields

from server.api.describe import Blueprint, problems
from server.store import audit
from server.web import ctx

blueprint = Blueprint("health", __name__, description="Whether the server runs.")


class HealthSchema(Schema):
    """The server's state, version and clock (UTC milliseconds)."""

    ok = fields.Boolean(required=True)
    version = fields.String(required=True)
    now = fields.Integer(required=True)


@blueprint.get("/healthz")
@blueprint.response(200, HealthSchema)
@problems("store-busy")
def healthz() -> dict[str, Any]:
    """Say that the server runs and can read its database."""
    with ctx().db.read() as tx:
        audit.epoch(tx)
    return {"ok": True, "version": version("tapak"), "now": ctx().now()}
