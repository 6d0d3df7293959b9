"""Safeguarding keys (L8): the public halves, whose they are, and until when they are used."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from server.store.tables import safeguarding_keys
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class SafeguardingKey:
    """A published key; times are UTC milliseconds, `ended_at` None while it is in force."""

    recipient: str
    name: str
    added_by: str
    added_at: int
    ended_at: int | None = None


def add(tx: Tx, key: SafeguardingKey) -> None:
    """Store a newly published key."""
    row = {name: getattr(key, name) for name in SafeguardingKey.__slots__}
    tx.execute(insert(safeguarding_keys).values(**row))


def every(tx: Tx) -> list[SafeguardingKey]:
    """Every key that was ever published, in the order of publishing."""
    order = (safeguarding_keys.c.added_at, safeguarding_keys.c.recipient)
    found = tx.execute(select(safeguarding_keys).order_by(*order))
    return [SafeguardingKey(*row) for row in found]


def end(tx: Tx, recipient: str, at: int) -> None:
    """Let a key be used no more from here on; what was sealed to it before stays so."""
    tx.execute(
        update(safeguarding_keys)
        .where(safeguarding_keys.c.recipient == recipient, safeguarding_keys.c.ended_at.is_(None))
        .values(ended_at=at)
    )
