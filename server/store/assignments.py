"""Assignments: who inspects which facility, why, and between which days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from server.store.among import among
from server.store.tables import assignments, facilities
from server.store.transaction import Tx

GRACE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Assignment:
    """`not_before` and `not_after` are YYYY-MM-DD, both days included; `grace_days` are how many
    days a visit may begin early or run over and still be the one that was meant (S9).

    `ended_at` (UTC milliseconds) is None unless staff ended it: what was recorded until then
    counts on, and the person is told of nothing new. `conflict`: a device needs a passphrase (S11).
    """

    id: str
    facility: str
    person: str
    purpose: str
    not_before: str
    not_after: str
    created_at: int
    ended_at: int | None = None
    grace_days: int = GRACE_DAYS
    conflict: bool | None = None


def add(tx: Tx, assignment: Assignment) -> None:
    """Store a new assignment."""
    row = {name: getattr(assignment, name) for name in Assignment.__slots__}
    tx.execute(insert(assignments).values(**row))


def get(tx: Tx, assignment: str) -> Assignment | None:
    """The assignment of this id, or None."""
    row = tx.execute(select(assignments).where(assignments.c.id == assignment)).first()
    return None if row is None else Assignment(*row)


def find(tx: Tx, assignment: str) -> dict[str, Any] | None:
    """An assignment as it travels to its person's devices, or None."""
    found = get(tx, assignment)
    return None if found is None else as_json(found)


def as_json(assignment: Assignment) -> dict[str, Any]:
    """An assignment as JSON values."""
    return {
        "id": assignment.id,
        "facility": assignment.facility,
        "person": assignment.person,
        "purpose": assignment.purpose,
        "not_before": assignment.not_before,
        "not_after": assignment.not_after,
        "grace_days": assignment.grace_days,
        **({"conflict": True} if assignment.conflict else {}),
    }


def same(tx: Tx, facility: str, person: str, not_before: str) -> Assignment | None:
    """The assignment of this person to this facility from this day on, or None."""
    query = select(assignments).where(
        assignments.c.facility == facility,
        assignments.c.person == person,
        assignments.c.not_before == not_before,
    )
    row = tx.execute(query).first()
    return None if row is None else Assignment(*row)


def end(tx: Tx, assignment: str, at: int) -> None:
    """Note that staff ended an assignment."""
    ended = update(assignments).where(assignments.c.id == assignment).values(ended_at=at)
    tx.execute(ended)


def reopen(
    tx: Tx,
    assignment: str,
    purpose: str,
    not_after: str,
    grace_days: int = GRACE_DAYS,
    conflict: bool = False,
) -> None:
    """Give an assignment that was ended a new purpose, last day, grace and mark."""
    again: dict[str, Any] = {"purpose": purpose, "not_after": not_after, "ended_at": None}
    again |= {"grace_days": grace_days, "conflict": conflict or None}
    tx.execute(update(assignments).where(assignments.c.id == assignment).values(**again))


# Asked whenever lines of a shared inspection come in, so it is put together once.
_AT = (
    select(assignments)
    .where(among(assignments.c.facility, "facilities"))
    .order_by(assignments.c.not_before, assignments.c.id)
)


def at_facilities(tx: Tx, wanted: Collection[str]) -> list[Assignment]:
    """All assignments to these facilities, ended ones too, by their first day."""
    return [Assignment(*row) for row in tx.execute(_AT, {"facilities": sorted(wanted)})]


def of_person(tx: Tx, person: str) -> list[Assignment]:
    """A person's assignments by their first day."""
    query = (
        select(assignments)
        .where(assignments.c.person == person)
        .order_by(assignments.c.not_before, assignments.c.id)
    )
    return [Assignment(*row) for row in tx.execute(query)]


def people_of(tx: Tx, wanted: Collection[str]) -> set[str]:
    """The people who are or were assigned to any of these facilities."""
    query = select(assignments.c.person).where(assignments.c.facility.in_(sorted(wanted)))
    return set(tx.execute(query.distinct()).scalars())


def current_people(tx: Tx, wanted: Collection[str]) -> set[str]:
    """The people with an assignment to any of these facilities that was not ended."""
    query = select(assignments.c.person).where(
        assignments.c.facility.in_(sorted(wanted)), assignments.c.ended_at.is_(None)
    )
    return set(tx.execute(query.distinct()).scalars())


def is_assigned(tx: Tx, person: str, facility: str) -> bool:
    """Whether the person has any assignment to the facility."""
    query = select(assignments.c.id).where(
        assignments.c.person == person, assignments.c.facility == facility
    )
    return tx.execute(query.limit(1)).first() is not None


def page(tx: Tx, within: Collection[str], after: str, limit: int) -> list[Assignment]:
    """Assignments to facilities of these jurisdictions whose id comes after `after`, by id."""
    query = (
        select(assignments)
        .join(facilities, facilities.c.id == assignments.c.facility)
        .where(facilities.c.jurisdiction.in_(sorted(within)), assignments.c.id > after)
        .order_by(assignments.c.id)
        .limit(limit)
    )
    return [Assignment(*row) for row in tx.execute(query)]
