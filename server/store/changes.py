"""Changes for devices (S5): numbered last in the transaction, under the writer's lock."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, insert, select

from server.store.tables import changes
from server.store.transaction import Tx

PAGE = 200


def tell(tx: Tx, people: Iterable[str], things: Iterable[tuple[str, str]], at: int) -> None:
    """Note for each of these people that (kind, ref) came or changed. Call it last in a write."""
    n = tx.execute(select(func.coalesce(func.max(changes.c.n), 0))).scalar_one()
    rows = []
    wanted = list(things)
    for person in sorted(set(people)):
        for kind, ref in wanted:
            n += 1
            rows.append({"n": n, "person": person, "kind": kind, "ref": ref, "at": at})
    if rows:
        tx.execute(insert(changes), rows)


def after(tx: Tx, person: str, n: int, limit: int = PAGE) -> list[tuple[int, str, str]]:
    """The changes of one person after number `n`, in order: (n, kind, ref)."""
    query = (
        select(changes.c.n, changes.c.kind, changes.c.ref)
        .where(changes.c.person == person, changes.c.n > n)
        .order_by(changes.c.n)
        .limit(limit)
    )
    return [tuple(row) for row in tx.execute(query)]


def newest(tx: Tx) -> int:
    """The number of the newest change of anybody."""
    found: int = tx.execute(select(func.coalesce(func.max(changes.c.n), 0))).scalar_one()
    return found
