"""Proposals: documents that one person wants in force, until another person has decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select, update

from server.store.tables import proposals
from server.store.transaction import Tx

APPROVED = "approved"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document with the day (YYYY-MM-DD) from which it is to apply in each jurisdiction.

    `ruling`, `reason`, `ruled_by` and `ruled_at` are None while nobody has decided.
    """

    id: str
    kind: str
    name: str
    version: str
    digest: str
    body: bytes
    effective: Mapping[str, str]
    proposed_by: str
    proposed_at: int
    ruling: str | None = None
    reason: str | None = None
    ruled_by: str | None = None
    ruled_at: int | None = None


_COLUMNS = tuple(proposals.c[name] for name in Proposal.__slots__)


def add(tx: Tx, new: Proposal) -> None:
    """Store a proposal."""
    values = {name: getattr(new, name) for name in Proposal.__slots__}
    values["effective"] = json.dumps(dict(new.effective), sort_keys=True)
    tx.execute(insert(proposals).values(values))


def get(tx: Tx, proposal: str) -> Proposal | None:
    """The proposal of this id, or None."""
    found = _read(tx, select(*_COLUMNS).where(proposals.c.id == proposal))
    return found[0] if found else None


def waiting(tx: Tx) -> list[Proposal]:
    """Those that nobody has decided, the oldest first."""
    order = (proposals.c.proposed_at, proposals.c.id)
    return _read(tx, select(*_COLUMNS).where(proposals.c.ruling.is_(None)).order_by(*order))


def decided(tx: Tx, most: int) -> list[Proposal]:
    """The last `most` that were decided, the newest first."""
    order = (proposals.c.ruled_at.desc(), proposals.c.id)
    ruled = select(*_COLUMNS).where(proposals.c.ruling.is_not(None))
    return _read(tx, ruled.order_by(*order).limit(most))


def approved(tx: Tx, digest: str) -> list[Proposal]:
    """The approved proposals of a document, the oldest first."""
    query = select(*_COLUMNS).where(proposals.c.digest == digest, proposals.c.ruling == APPROVED)
    return _read(tx, query.order_by(proposals.c.ruled_at, proposals.c.id))


def rule(tx: Tx, proposal: str, ruling: str, reason: str, person: str, at: int) -> bool:
    """Decide a proposal, at UTC milliseconds; False where it was decided before."""
    changed = tx.execute(
        update(proposals)
        .where(proposals.c.id == proposal, proposals.c.ruling.is_(None))
        .values(ruling=ruling, reason=reason, ruled_by=person, ruled_at=at)
    )
    return bool(changed.rowcount)


def _read(tx: Tx, query: Select[Any]) -> list[Proposal]:
    found = [dict(row) for row in tx.execute(query).mappings()]
    return [Proposal(**{**row, "effective": json.loads(row["effective"])}) for row in found]
