"""Changes for devices (S5): numbered last in the transaction, under the writer's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, or_, select

from server.store.bulk import insert_rows
from server.store.tables import changes, devices, server
from server.store.transaction import Tx

PAGE = 200


# Asked by every request of a device, so they are put together once.
_AFTER = (
    select(changes.c.n, changes.c.kind, changes.c.ref)
    .where(changes.c.person == bindparam("person"), changes.c.n > bindparam("n"))
    .where(or_(changes.c.ref < bindparam("own"), changes.c.ref >= bindparam("beyond")))
    .order_by(changes.c.n)
    .limit(bindparam("most"))
)
_NEWEST = select(func.coalesce(func.max(changes.c.n), 0))
_POSITION = select(
    select(func.coalesce(func.max(server.c.epoch), 1)).scalar_subquery(),
    _NEWEST.scalar_subquery(),
)


def tell(tx: Tx, people: Iterable[str], things: Iterable[tuple[str, str]], at: int) -> None:
    """Note for each of these people that (kind, ref) came or changed. Call it last in a write."""
    n = tx.execute(_NEWEST).scalar_one()
    rows = []
    wanted = list(things)
    for person in sorted(set(people)):
        for kind, ref in wanted:
            n += 1
            rows.append({"n": n, "person": person, "kind": kind, "ref": ref, "at": at})
    if rows:
        tx.execute(insert(changes), rows)


@dataclass(frozen=True, slots=True)
class News:
    """One change for one person: what came or changed, and when (UTC milliseconds)."""

    person: str
    kind: str
    ref: str
    at: int


def tell_all(tx: Tx, news: Sequence[News]) -> None:
    """Note these changes in this order. Call it last in a write."""
    if not news:
        return
    n = tx.execute(_NEWEST).scalar_one()
    rows = [(n + i, one.person, one.kind, one.ref, one.at) for i, one in enumerate(news, start=1)]
    insert_rows(tx, changes, ("n", "person", "kind", "ref", "at"), rows)


def after(
    tx: Tx, person: str, n: int, limit: int = PAGE, device: str = ""
) -> list[tuple[int, str, str]]:
    """The changes of one person after number `n`, in order: (n, kind, ref).

    Those of logs that `device` wrote itself are left out: it is told nothing by them.
    """
    # What a log's change speaks of begins with its device and a slash; "0" is the next character.
    own = (f"{device}/", f"{device}0") if device else ("", "")
    asked = {"person": person, "n": n, "most": limit, "own": own[0], "beyond": own[1]}
    return [tuple(row) for row in tx.execute(_AFTER, asked)]


def untold(tx: Tx, kind: str, ref: str) -> list[str]:
    """The people who have devices and were never told of this change."""
    told = select(changes.c.person).where(changes.c.kind == kind, changes.c.ref == ref)
    query = select(devices.c.person).distinct().where(devices.c.person.not_in(told))
    return list(tx.execute(query.order_by(devices.c.person)).scalars())


def position(tx: Tx) -> tuple[int, int]:
    """The server's epoch, and the number of the newest change of anybody."""
    epoch, newest = tx.execute(_POSITION).one()
    return epoch, newest
