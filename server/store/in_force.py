"""From which day a published document applies where; and which one that makes it on a day.

The nearest jurisdiction that has one in force decides: a state's own comes before its country's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select

from server.store import jurisdictions
from server.store.tables import in_force
from server.store.transaction import Tx

EVERYWHERE = ""  # as a jurisdiction
ALWAYS = ""  # as a day: before all others


@dataclass(frozen=True, slots=True)
class InForce:
    """A document in force: `effective` is the first day (YYYY-MM-DD), `at` when that was decided,
    UTC milliseconds.
    """

    kind: str
    name: str
    jurisdiction: str
    effective: str
    digest: str
    at: int


_COLUMNS = tuple(in_force.c[name] for name in InForce.__slots__)


def put(tx: Tx, new: InForce) -> bool:
    """Note that a document applies there from that day; False where that was so already."""
    known = select(in_force.c.id).where(
        in_force.c.digest == new.digest,
        in_force.c.jurisdiction == new.jurisdiction,
        in_force.c.effective == new.effective,
    )
    if tx.execute(known).first() is not None:
        return False
    tx.execute(insert(in_force).values({n: getattr(new, n) for n in InForce.__slots__}))
    return True


def every(tx: Tx) -> list[InForce]:
    """All of them, by kind and name, the one that begins last first."""
    return _ordered(_read(tx, select(*_COLUMNS)))


def of_digest(tx: Tx, digest: str) -> list[InForce]:
    """Where one document applies from when, the latest day first."""
    return _ordered(_read(tx, select(*_COLUMNS).where(in_force.c.digest == digest)))


def reaching(
    tx: Tx, kind: str, name: str, jurisdiction: str, proposed: Sequence[InForce] = ()
) -> list[InForce]:
    """What is or will be in force in a jurisdiction, the nearest jurisdiction's first and of one
    jurisdiction the latest day's; what is listed before another one that began displaces it.

    `proposed` are taken as though they had been decided.
    """
    line = [*jurisdictions.line_of(tx, jurisdiction), EVERYWHERE]
    query = (
        select(*_COLUMNS)
        .where(in_force.c.kind == kind, in_force.c.name == name)
        .where(in_force.c.jurisdiction.in_(line))
    )
    found = _read(tx, query)
    found += [one for one in proposed if one.jurisdiction in line]
    return sorted(_ordered(found), key=lambda one: line.index(one.jurisdiction))


def applying(rows: Sequence[InForce], day: str) -> str | None:
    """Of what reaches a jurisdiction, the digest of the document that applies on a day, or None."""
    return next((one.digest for one in rows if one.effective <= day), None)


def coming(rows: Sequence[InForce], day: str) -> list[tuple[str, str]]:
    """(day, digest) of every change of the document that applies there after a day, by day."""
    before = applying(rows, day)
    found: list[tuple[str, str]] = []
    for later in sorted({one.effective for one in rows if one.effective > day}):
        then = applying(rows, later)
        if then is not None and then != before:
            found.append((later, then))
            before = then
    return found


def _read(tx: Tx, query: Select[Any]) -> list[InForce]:
    return [InForce(*row) for row in tx.execute(query)]


def _ordered(found: Sequence[InForce]) -> list[InForce]:
    """Of two that begin on one day the one decided later first; of one moment the same always."""
    rows = list(found)
    rows.sort(key=lambda one: (one.jurisdiction, one.digest))
    rows.sort(key=lambda one: (one.effective, one.at), reverse=True)
    rows.sort(key=lambda one: (one.kind, one.name))
    return rows
