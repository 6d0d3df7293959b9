"""The registry: jurisdictions, facilities, and what operators declare of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from checklists.discrepancies.declaration import Declaration, GivenShape, read_declaration
from server.context import Context
from server.services.audit import acted
from server.services.identifiers import day_of
from server.services.texts import check_text
from server.store import (
    assignments,
    declarations,
    documents,
    facilities,
    gradings,
    jurisdictions,
)
from server.store.changes import tell
from server.store.declarations import Filing
from server.store.facilities import Facility
from server.store.jurisdictions import Jurisdiction
from server.store.transaction import Tx
from sync.log import strict_json
from sync.place import convert
from sync.polygon import area
from sync.problems import problem

LONGEST_NAME = 120
KINDS_OF_JURISDICTION = ("region", "country", "state")
_SLUG = re.compile(r"[a-z0-9-]{3,40}\Z")
_JURISDICTION = re.compile(r"[a-z0-9-]{2,40}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


# -- jurisdictions --------------------------------------------------------------------------------


def add_jurisdiction(ctx: Context, by: str, new: Jurisdiction) -> Jurisdiction:
    """Add a jurisdiction below its parent, or at the top.

    Raises `fields-malformed`, `noun-unknown` for the parent, and `already-there`.
    """
    if not _JURISDICTION.match(new.id):
        raise problem("fields-malformed", why="id: use 2 to 40 of a-z, 0-9 and -")
    if new.kind not in KINDS_OF_JURISDICTION:
        why = f"kind: use one of {', '.join(KINDS_OF_JURISDICTION)}"
        raise problem("fields-malformed", why=why)
    check_text("name", new.name, LONGEST_NAME)

    def work(tx: Tx) -> Jurisdiction:
        if jurisdictions.find(tx, new.id) is not None:
            raise problem("already-there", noun="jurisdiction", name=new.id)
        if new.parent is not None:
            _known_jurisdiction(tx, new.parent)
        jurisdictions.add(tx, new)
        return new

    detail = {"parent": new.parent, "kind": new.kind}
    return acted(ctx, by, "jurisdiction.add", f"jurisdiction:{new.id}", work, detail)


def _known_jurisdiction(tx: Tx, name: str) -> None:
    if jurisdictions.find(tx, name) is None:
        known = [one.id for one in jurisdictions.every(tx)]
        raise _unknown("jurisdiction", name, known)


# -- facilities -----------------------------------------------------------------------------------


_FIELDS: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "name": (str,),
    "country": (str,),
    "jurisdiction": (str,),
    "checklist": (str,),
    "limits": (str, type(None)),
    "example": (bool,),
}
_OPTIONAL = {"limits", "example"}


def read_facility(body: bytes) -> dict[str, Any]:
    """The fields of a facility from JSON bytes; raises `fields-malformed`, naming every fault."""
    try:
        found = strict_json(body)
    except (ValueError, RecursionError) as exc:
        raise problem("fields-malformed", why=f"it is not JSON: {str(exc)[:120]}") from exc
    if not isinstance(found, dict):
        raise problem("fields-malformed", why="it is not an object")
    faults = [f"{key}: not known here" for key in found if key not in _FIELDS]
    for key, types in _FIELDS.items():
        if key not in found:
            faults += [] if key in _OPTIONAL else [f"{key}: missing"]
        elif not isinstance(found[key], types):
            faults.append(f"{key}: is not {'true or false' if bool in types else 'text'}")
    if faults:
        raise problem("fields-malformed", why="; ".join(faults)[:500])
    return found


def add_facility(ctx: Context, by: str, fields: Mapping[str, Any]) -> Facility:
    """Add a facility; `fields` holds id, name, country, jurisdiction, checklist, limits, example.

    Checklist and limits are names of published documents. Raises `fields-malformed`,
    `noun-unknown` and `already-there`.
    """
    now = ctx.now()
    new = Facility(
        id=fields["id"],
        name=fields["name"].strip(),
        country=fields["country"],
        jurisdiction=fields["jurisdiction"],
        checklist=fields["checklist"],
        limits=fields.get("limits"),
        example=fields.get("example", False),
        created_at=now,
    )
    if not _SLUG.match(new.id):
        raise problem("fields-malformed", why="id: use 3 to 40 of a-z, 0-9 and -")
    if not _COUNTRY.match(new.country):
        raise problem("fields-malformed", why="country: use two capital letters (ISO 3166)")
    check_text("name", new.name, LONGEST_NAME)

    def work(tx: Tx) -> Facility:
        if facilities.get(tx, new.id) is not None:
            raise problem("already-there", noun="facility", name=new.id)
        _known_jurisdiction(tx, new.jurisdiction)
        for kind, name in (("checklist", new.checklist), ("limits", new.limits)):
            if name is not None and documents.newest(tx, kind, name) is None:
                raise _unknown(f"published {kind}", name, documents.names(tx, kind))
        facilities.add(tx, new)
        gradings.mark_stale(tx, new.id, day_of(now), now)
        return new

    detail = facilities.as_json(new)
    return acted(ctx, by, "facility.add", f"facility:{new.id}", work, detail)


# -- declarations ---------------------------------------------------------------------------------


def read_filing(body: bytes) -> Declaration:
    """Read a filing's bytes and check that its coordinates can be used.

    Raises `declaration-malformed`, `crs-unknown`, `polygon-malformed` and `place-malformed`.
    """
    try:
        document = strict_json(body)
    except (ValueError, RecursionError) as exc:
        raise problem("declaration-malformed", why=f"it is not JSON: {str(exc)[:120]}") from exc
    declaration = read_declaration(document)
    for shape in (declaration.location, declaration.boundary):
        if shape is not None:
            _check_shape(shape, is_point=shape is declaration.location)
    return declaration


def file_declaration(ctx: Context, by: str, body: bytes) -> tuple[Filing, bool]:
    """Keep a filing as it came; the same filing again changes nothing.

    Returns the filing and whether it is new. Everyone assigned to the facility is told, and its
    grade is worked out again. Raises what `read_filing` raises and `noun-unknown`.
    """
    declaration, now = read_filing(body), ctx.now()
    if declaration.filed > day_of(now + 86_400_000):
        raise problem("declaration-malformed", why="filed lies in the future")
    new = Filing(
        declaration.id,
        declaration.facility,
        declaration.filed,
        declaration.speaks_of,
        declaration.digest,
        now,
    )
    with ctx.db.read() as tx:
        there = declarations.find(tx, new.id)
        if facilities.get(tx, new.facility) is None:
            raise _unknown("facility", new.facility, facilities.ids(tx))
    if there is not None:
        return there, False

    def work(tx: Tx) -> None:
        if declarations.find(tx, new.id) is not None:  # filed by somebody else meanwhile
            raise problem("already-there", noun="declaration", name=new.id)
        declarations.add(tx, new, body)
        gradings.mark_stale(tx, new.facility, day_of(now), now)
        tell(tx, assignments.current_people(tx, [new.facility]), [("declaration", new.id)], now)

    detail = {"declaration": new.id, "digest": new.digest, "filed": new.filed}
    acted(ctx, by, "declaration.file", f"facility:{new.facility}", work, detail)
    return new, True


def _check_shape(shape: GivenShape, *, is_point: bool) -> None:
    rings = [[(point.first, point.second) for point in ring] for ring in shape.rings]
    if is_point:
        convert(*rings[0][0], shape.crs, shape.axes)
    else:
        area(shape.crs, shape.axes, rings)


# -- inside ---------------------------------------------------------------------------------------


def _unknown(noun: str, name: str, known: list[str]) -> Exception:
    near = difflib.get_close_matches(name, known, 3, 0.4) or known[:5]
    return problem("noun-unknown", noun=noun, name=name[:80], nearest=", ".join(near) or "none yet")
