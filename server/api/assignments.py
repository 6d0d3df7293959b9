"""/api/assignments: who inspects which facility, and when."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_dump, validate

from server.api.describe import WITH_JSON, WRITING, Blueprint, problems
from server.api.paging import PageSchema, page_of
from server.services import access, programme
from server.services.audit import who_is
from server.store import assignments
from server.web import ctx, principal
from sync.problems import problem

blueprint = Blueprint(
    "assignments",
    __name__,
    url_prefix="/api/assignments",
    description="Assignments of auditors to facilities.",
)

_DAY = {"description": "YYYY-MM-DD; the day is included."}


class AssignmentSchema(Schema):
    """An assignment; when it is made, `person` may be a login name."""

    id = fields.String(dump_only=True)
    facility = fields.String(required=True, validate=validate.Length(max=40))
    person = fields.String(required=True, validate=validate.Length(max=80))
    purpose = fields.String(required=True, validate=validate.Length(max=200))
    not_before = fields.String(required=True, metadata=_DAY)
    not_after = fields.String(required=True, metadata=_DAY)
    grace_days = fields.Integer(
        strict=True,
        load_default=assignments.GRACE_DAYS,
        validate=validate.Range(0, programme.MOST_GRACE_DAYS),
        metadata={"description": "How many days a visit may begin early or run over."},
    )
    conflict = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether a device that goes there needs a passphrase (S11)."},
    )
    ended_at = fields.Integer(
        dump_only=True,
        allow_none=True,
        metadata={"description": "When staff ended it, UTC milliseconds; null where they did not."},
    )

    @post_dump
    def say_no_conflict(self, said: dict[str, Any], **_more: Any) -> dict[str, Any]:
        """Where nothing is stored, a device needs no passphrase."""
        return said | {"conflict": bool(said["conflict"])}


class EndSchema(Schema):
    """Why an assignment is ended; it goes into the audit trail."""

    reason = fields.String(required=True, validate=validate.Length(max=200))


class AssignmentPageSchema(Schema):
    """A page of assignments by id; `next` is the id to go on after, null at the end."""

    assignments = fields.List(fields.Nested(AssignmentSchema), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.get("")
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, AssignmentPageSchema)
@problems("fields-malformed")
@blueprint.doc(security=[{"session": []}])
def list_assignments(asked: dict[str, str]) -> dict[str, Any]:
    """List the assignments to facilities one may see"""
    with ctx().db.read() as tx:
        within = access.visible(tx, principal(), "assignments.read")
        found, after = page_of(
            lambda start, limit: assignments.page(tx, within, start, limit),
            asked["after"],
            ctx().settings.max_page_rows,
            lambda one: one.id,
        )
    return {"assignments": found, "next": after}


@blueprint.post("")
@blueprint.arguments(AssignmentSchema)
@blueprint.response(201, AssignmentSchema)
@problems(
    *WITH_JSON,
    "not-found",
    "noun-unknown",
    "not-an-auditor",
    "already-there",
    *WRITING,
)
@blueprint.doc(security=[{"session": [], "csrf": []}])
def create_assignment(asked: dict[str, Any]) -> assignments.Assignment:
    """Assign an auditor to a facility; the auditor's devices are told"""
    with ctx().db.read() as tx:
        access.facility_for(tx, principal(), "assignments.write", asked["facility"])
    return programme.assign(ctx(), who_is(principal()), **asked)


@blueprint.post("/<assignment>/end")
@blueprint.arguments(EndSchema)
@blueprint.response(200, AssignmentSchema)
@problems(*WITH_JSON, "not-found", *WRITING)
@blueprint.doc(security=[{"session": [], "csrf": []}])
def end_assignment(asked: dict[str, str], assignment: str) -> assignments.Assignment:
    """End an assignment; the auditor's devices drop what came down for it"""
    with ctx().db.read() as tx:
        found = assignments.get(tx, assignment)
        if found is None:
            raise problem("not-found")
        access.facility_for(tx, principal(), "assignments.write", found.facility)
    return programme.end_assignment(ctx(), who_is(principal()), assignment, asked["reason"])
