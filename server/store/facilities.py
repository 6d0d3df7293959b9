"""Facilities: what is inspected, where it belongs, and which checklist and limits apply to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from server.store.tables import facilities
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Facility:
    """`checklist` and `limits` are names: the newest published of that name applies."""

    id: str
    name: str
    country: str
    jurisdiction: str
    checklist: str
    limits: str | None
    example: bool
    created_at: int


def add(tx: Tx, facility: Facility) -> None:
    """Store a new facility."""
    row = {name: getattr(facility, name) for name in Facility.__slots__}
    tx.execute(insert(facilities).values(**row))


def get(tx: Tx, facility: str) -> Facility | None:
    """The facility of this id, or None."""
    row = tx.execute(select(facilities).where(facilities.c.id == facility)).first()
    return None if row is None else Facility(*row)


def find(tx: Tx, facility: str) -> dict[str, Any] | None:
    """A facility as it travels to a device, or None."""
    found = get(tx, facility)
    return None if found is None else as_json(found)


def as_json(facility: Facility) -> dict[str, Any]:
    """A facility as JSON values."""
    return {
        "id": facility.id,
        "name": facility.name,
        "country": facility.country,
        "jurisdiction": facility.jurisdiction,
        "checklist": facility.checklist,
        "limits": facility.limits,
        "example": facility.example,
    }


def page(tx: Tx, within: Collection[str], after: str, limit: int) -> list[Facility]:
    """Facilities of these jurisdictions whose id comes after `after`, by id, at most `limit`."""
    query = (
        select(facilities)
        .where(facilities.c.jurisdiction.in_(sorted(within)), facilities.c.id > after)
        .order_by(facilities.c.id)
        .limit(limit)
    )
    return [Facility(*row) for row in tx.execute(query)]


def ids(tx: Tx) -> list[str]:
    """The ids of all facilities, sorted."""
    return list(tx.execute(select(facilities.c.id).order_by(facilities.c.id)).scalars())


def using(tx: Tx, kind: str, name: str) -> list[str]:
    """The ids of the facilities that a published document of this kind and name applies to."""
    if kind == "checklist":
        query = select(facilities.c.id).where(facilities.c.checklist == name)
    elif kind == "limits":
        query = select(facilities.c.id).where(facilities.c.limits == name)
    else:  # profile and rules: "default" applies everywhere
        query = select(facilities.c.id) if name == "default" else select(facilities.c.id).limit(0)
    return sorted(tx.execute(query).scalars())


def every(tx: Tx) -> list[Facility]:
    """All facilities, by id."""
    return [Facility(*row) for row in tx.execute(select(facilities).order_by(facilities.c.id))]
