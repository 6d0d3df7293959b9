"""/api/facilities/<facility>/declarations: what an operator declares, kept as it was filed."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, fields

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.services import access, registry
from server.services.audit import who_is
from server.store import declarations
from server.store.declarations import Filing
from server.web import ctx, principal
from sync.problems import problem

blueprint = Blueprint(
    "declarations",
    __name__,
    url_prefix="/api/facilities/<facility>/declarations",
    description="Operators' declarations, of the format tapak-declaration/2 or /1.",
)


class FilingSchema(Schema):
    """A filing: when it was filed, from when on it claims to hold, and its digest."""

    id = fields.String(required=True)
    facility = fields.String(required=True)
    filed = fields.String(required=True, metadata={"description": "YYYY-MM-DD"})
    speaks_of = fields.String(required=True, metadata={"description": "YYYY-MM-DD"})
    digest = fields.String(required=True)
    received_at = fields.Integer(required=True, metadata={"description": "UTC milliseconds"})


class FilingListSchema(Schema):
    """A facility's filings in the order they were filed."""

    declarations = fields.List(fields.Nested(FilingSchema), required=True)


@blueprint.get("")
@blueprint.response(200, FilingListSchema)
@problems("not-found")
@blueprint.doc(security=[{"session": []}])
def list_declarations(facility: str) -> dict[str, Any]:
    """List a facility's filings"""
    with ctx().db.read() as tx:
        found = access.facility_for(tx, principal(), "registry.read", facility)
        return {"declarations": declarations.of_facility(tx, found.id)}


@blueprint.post("")
@blueprint.doc(
    security=[{"session": [], "csrf": []}],
    requestBody={
        "required": True,
        "description": "The filing; its bytes are kept as they come.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
)
@blueprint.alt_response(200, schema=FilingSchema, description="Filed before; nothing changed")
@blueprint.response(201, FilingSchema)
@problems(
    *WITH_JSON,
    "not-found",
    "declaration-malformed",
    "crs-unknown",
    "polygon-malformed",
    "place-malformed",
    "already-there",
    *WRITING,
)
def file_declaration(facility: str) -> tuple[Filing, int]:
    """File a declaration for a facility"""
    if request.mimetype != "application/json":
        raise problem("media-type", given=request.mimetype, wanted="application/json")
    with ctx().db.read() as tx:
        access.facility_for(tx, principal(), "declarations.write", facility)
    body = request.get_data()
    named = registry.read_filing(body).facility
    if named != facility:
        raise problem("declaration-malformed", why=f"facility is {named!r}, not {facility!r}")
    filing, new = registry.file_declaration(ctx(), who_is(principal()), body)
    return filing, 201 if new else 200
