"""Declarations as operators filed them: the bytes, and the two times they speak of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import declarations
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Filing:
    """A filed declaration without its body; dates are YYYY-MM-DD, `received_at` UTC ms.

    `digest` is that of checklists.discrepancies.declaration: over the canonical JSON of the body.
    """

    id: str
    facility: str
    filed: str
    speaks_of: str
    digest: str
    received_at: int


_COLUMNS = [declarations.c[name] for name in Filing.__slots__]


def add(tx: Tx, filing: Filing, body: bytes) -> None:
    """Store a filing with the bytes it came as."""
    row = {name: getattr(filing, name) for name in Filing.__slots__}
    tx.execute(insert(declarations).values(**row, body=body))


def find(tx: Tx, declaration: str) -> Filing | None:
    """The filing of this id, or None."""
    row = tx.execute(select(*_COLUMNS).where(declarations.c.id == declaration)).first()
    return None if row is None else Filing(*row)


def body(tx: Tx, declaration: str) -> bytes | None:
    """The bytes of a filing as they came, or None."""
    query = select(declarations.c.body).where(declarations.c.id == declaration)
    found: bytes | None = tx.execute(query).scalar_one_or_none()
    return found


def of_facility(tx: Tx, facility: str) -> list[Filing]:
    """A facility's filings in the order they were filed and received."""
    query = (
        select(*_COLUMNS)
        .where(declarations.c.facility == facility)
        .order_by(declarations.c.filed, declarations.c.received_at, declarations.c.id)
    )
    return [Filing(*row) for row in tx.execute(query)]


def bodies(tx: Tx, facility: str) -> list[bytes]:
    """The bytes of a facility's filings, in the order of `of_facility`."""
    query = (
        select(declarations.c.body)
        .where(declarations.c.facility == facility)
        .order_by(declarations.c.filed, declarations.c.received_at, declarations.c.id)
    )
    return list(tx.execute(query).scalars())
