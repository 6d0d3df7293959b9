"""/api/facilities: the facilities a person may see; adding one."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.api.paging import PageSchema, page_of
from server.services import access, registry
from server.services.audit import who_is
from server.store import facilities
from server.web import ctx, principal

blueprint = Blueprint(
    "facilities",
    __name__,
    url_prefix="/api/facilities",
    description="Facilities of the jurisdictions that the person has a role in.",
)


class FacilitySchema(Schema):
    """A facility; `checklist` and `limits` are names of published documents."""

    id = fields.String(required=True, validate=validate.Length(max=40))
    name = fields.String(required=True, validate=validate.Length(max=120))
    country = fields.String(
        required=True,
        validate=validate.Length(equal=2),
        metadata={"description": "Two capital letters, ISO 3166-1."},
    )
    jurisdiction = fields.String(required=True, validate=validate.Length(max=40))
    checklist = fields.String(required=True, validate=validate.Length(max=80))
    limits = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=80))
    example = fields.Boolean(
        load_default=False, metadata={"description": "Whether it is fictional."}
    )


class FacilityPageSchema(Schema):
    """A page of facilities by id; `next` is the id to go on after, null at the end."""

    facilities = fields.List(fields.Nested(FacilitySchema), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.get("")
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, FacilityPageSchema)
@problems("fields-malformed")
@blueprint.doc(security=[{"session": []}])
def list_facilities(asked: dict[str, str]) -> dict[str, Any]:
    """List the facilities one may see"""
    with ctx().db.read() as tx:
        within = access.visible(tx, principal(), "registry.read")
        found, after = page_of(
            lambda start, limit: facilities.page(tx, within, start, limit),
            asked["after"],
            ctx().settings.max_page_rows,
            lambda one: one.id,
        )
    return {"facilities": found, "next": after}


@blueprint.get("/<facility>")
@blueprint.response(200, FacilitySchema)
@problems("not-found")
@blueprint.doc(security=[{"session": []}])
def get_facility(facility: str) -> facilities.Facility:
    """Show one facility"""
    with ctx().db.read() as tx:
        return access.facility_for(tx, principal(), "registry.read", facility)


@blueprint.post("")
@blueprint.arguments(FacilitySchema)
@blueprint.response(201, FacilitySchema)
@problems(*WITH_JSON, "noun-unknown", "already-there", *WRITING)
@blueprint.doc(security=[{"session": [], "csrf": []}])
def create_facility(asked: dict[str, Any]) -> facilities.Facility:
    """Add a facility to a jurisdiction one administers"""
    with ctx().db.read() as tx:
        access.must_cover(tx, principal(), "registry.write", asked["jurisdiction"])
    return registry.add_facility(ctx(), who_is(principal()), asked)
