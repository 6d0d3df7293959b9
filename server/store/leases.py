"""Leases: which of several workers does a job now."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from server.store.tables import leases
from server.store.transaction import Tx


def take(tx: Tx, name: str, holder: str, now: int, until: int) -> bool:
    """Take or extend the lease until that moment (UTC ms); False while another one holds it."""
    row = tx.execute(
        select(leases.c.holder, leases.c.until).where(leases.c.name == name)
    ).one_or_none()
    if row is None:
        tx.execute(insert(leases).values(name=name, holder=holder, until=until))
        return True
    if row[0] != holder and row[1] > now:
        return False
    tx.execute(update(leases).where(leases.c.name == name).values(holder=holder, until=until))
    return True


def give_back(tx: Tx, holder: str) -> None:
    """End every lease of this holder, so that the next worker need not wait."""
    tx.execute(delete(leases).where(leases.c.holder == holder))
