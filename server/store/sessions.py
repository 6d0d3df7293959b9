"""Sessions of people in a browser: only the digest of a session's token is stored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import grants, people, sessions
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Whose session it is, the person's grants, and the session's CSRF token."""

    person: str
    person_name: str
    csrf: str
    expires_at: int
    grants: tuple[tuple[str, str], ...]


def add(
    tx: Tx, token_digest: str, person: str, csrf: str, created_at: int, expires_at: int
) -> None:
    """Store a new session and drop those that have run out."""
    tx.execute(delete(sessions).where(sessions.c.expires_at <= created_at))
    tx.execute(
        insert(sessions).values(
            token_digest=token_digest,
            person=person,
            csrf=csrf,
            created_at=created_at,
            expires_at=expires_at,
        )
    )


def find(tx: Tx, token_digest: str, now: int) -> OpenSession | None:
    """The session with this token digest, if it runs and its person is active."""
    rows = tx.execute(
        select(
            sessions.c.person,
            people.c.name,
            sessions.c.csrf,
            sessions.c.expires_at,
            grants.c.role,
            grants.c.jurisdiction,
        )
        .join(people, people.c.id == sessions.c.person)
        .join(grants, grants.c.person == people.c.id, isouter=True)
        .where(sessions.c.token_digest == token_digest, sessions.c.expires_at > now)
        .where(people.c.active)
        .order_by(grants.c.role, grants.c.jurisdiction)
    ).all()
    if not rows:
        return None
    first = rows[0]
    granted = tuple((row.role, row.jurisdiction) for row in rows if row.role is not None)
    return OpenSession(first.person, first.name, first.csrf, first.expires_at, granted)


def end(tx: Tx, token_digest: str) -> bool:
    """End a session; whether there was one."""
    ended = tx.execute(delete(sessions).where(sessions.c.token_digest == token_digest))
    return ended.rowcount > 0


def end_all(tx: Tx, person: str) -> None:
    """End every session of a person."""
    tx.execute(delete(sessions).where(sessions.c.person == person))
