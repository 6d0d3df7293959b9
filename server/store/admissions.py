"""Staff's rulings on entries that were set aside (S9): primary records, never changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import admissions
from server.store.transaction import Tx

ADMITTED = "admitted"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Admission:
    """A ruling on a log's entries up to `seq`: admitted or refused, by whom, why, when (UTC ms)."""

    device: str
    inspection: str
    seq: int
    ruling: str
    reason: str
    person: str
    at: int

    def covers(self, seq: int) -> bool:
        """Whether it admits the entry at this position."""
        return self.ruling == ADMITTED and seq <= self.seq


_COLUMNS = tuple(admissions.c[name] for name in Admission.__slots__)


def rule(tx: Tx, new: Admission) -> None:
    """Keep a ruling; it stands until a later one on the same log."""
    tx.execute(insert(admissions).values({n: getattr(new, n) for n in Admission.__slots__}))


def of_inspections(tx: Tx, wanted: Collection[str]) -> dict[tuple[str, str], Admission]:
    """(device, inspection) -> the latest ruling on that log, for these inspections."""
    query = (
        select(*_COLUMNS)
        .where(admissions.c.inspection.in_(sorted(wanted)))
        .order_by(admissions.c.id)
    )
    return {(row.device, row.inspection): Admission(*row) for row in tx.execute(query)}
