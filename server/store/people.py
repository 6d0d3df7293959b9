"""People, what they are granted, and how often a login failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from server.store.tables import grants, login_failures, people
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Person:
    """A person; `password` is an argon2 hash and never leaves the server."""

    id: str
    login: str
    name: str
    password: str
    active: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed logins in a row for a name, and when the last one was (UTC milliseconds)."""

    in_a_row: int
    last_at: int


def add(tx: Tx, person: Person) -> None:
    """Store a new person."""
    row = {name: getattr(person, name) for name in Person.__slots__}
    tx.execute(insert(people).values(**row))


def by_login(tx: Tx, login: str) -> Person | None:
    """The person who logs in with this name, or None."""
    row = tx.execute(select(people).where(people.c.login == login)).first()
    return None if row is None else Person(*row)


def by_id(tx: Tx, person: str) -> Person | None:
    """The person of this id, or None."""
    row = tx.execute(select(people).where(people.c.id == person)).first()
    return None if row is None else Person(*row)


def every(tx: Tx) -> list[Person]:
    """All people, by login."""
    return [Person(*row) for row in tx.execute(select(people).order_by(people.c.login))]


def set_password(tx: Tx, person: str, password: str) -> None:
    """Replace a person's password hash."""
    tx.execute(update(people).where(people.c.id == person).values(password=password))


def grant(tx: Tx, person: str, role: str, jurisdiction: str) -> None:
    """Grant a role for a jurisdiction and all below it; granting it again changes nothing."""
    row = {"person": person, "role": role, "jurisdiction": jurisdiction}
    if (role, jurisdiction) not in grants_of(tx, person):
        tx.execute(insert(grants).values(**row))


def grants_of(tx: Tx, person: str) -> tuple[tuple[str, str], ...]:
    """A person's grants as (role, jurisdiction), sorted."""
    query = (
        select(grants.c.role, grants.c.jurisdiction)
        .where(grants.c.person == person)
        .order_by(grants.c.role, grants.c.jurisdiction)
    )
    return tuple((row.role, row.jurisdiction) for row in tx.execute(query))


def names(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """Person id -> name, for these people."""
    query = select(people.c.id, people.c.name).where(people.c.id.in_(sorted(set(ids))))
    return {row.id: row.name for row in tx.execute(query)}


# -- failed logins --------------------------------------------------------------------------------


def failures(tx: Tx, login: str) -> Failures:
    """Failed logins in a row for this name."""
    row = tx.execute(
        select(login_failures.c.count, login_failures.c.last_at).where(
            login_failures.c.login == login
        )
    ).first()
    return Failures(0, 0) if row is None else Failures(row[0], row[1])


def count_failure(tx: Tx, login: str, at: int, forget_before: int) -> int:
    """Count a failed login; return how many in a row there were after `forget_before`.

    Counts whose last failure lies before `forget_before` are dropped, for every name.
    """
    tx.execute(delete(login_failures).where(login_failures.c.last_at <= forget_before))
    count = failures(tx, login).in_a_row + 1
    tx.execute(delete(login_failures).where(login_failures.c.login == login))
    tx.execute(insert(login_failures).values(login=login, count=count, last_at=at))
    return count


def forget_failures(tx: Tx, login: str) -> None:
    """Start counting a name's failed logins anew."""
    tx.execute(delete(login_failures).where(login_failures.c.login == login))
