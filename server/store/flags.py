"""Flags as they stand, derived from the cases; and the rulings about them, which are primary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import flags, rulings
from server.store.transaction import Tx

OPEN = "open"


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A stored flag; `body` is the flag as canonical JSON, as the rule gave it."""

    id: str
    facility: str
    inspection: str
    rule: str
    severity: str
    subject: str
    status: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an officer ruled: upheld, dismissed, rejected or reopened, with reason and name."""

    id: str
    kind: str
    subject: str
    ruling: str
    reason: str
    person: str
    at: int


def replace(tx: Tx, facility: str, rows: Sequence[FlagRow]) -> None:
    """Let the facility's flags be exactly these; the rulings about the others stay."""
    tx.execute(delete(flags).where(flags.c.facility == facility))
    if rows:
        tx.execute(insert(flags), [asdict(row) for row in rows])


def of_facility(tx: Tx, facility: str) -> list[FlagRow]:
    """The flags of a facility, by inspection, rule and id."""
    query = (
        select(flags)
        .where(flags.c.facility == facility)
        .order_by(flags.c.inspection, flags.c.rule, flags.c.id)
    )
    return [FlagRow(*row) for row in tx.execute(query)]


def delete_all(tx: Tx) -> None:
    """Delete every flag; they are derived and can be raised again."""
    tx.execute(delete(flags))


def latest_rulings(tx: Tx, kind: str, subjects: Collection[str]) -> dict[str, Ruling]:
    """The newest ruling on each of these subjects.

    The subject of kind `flag` is the flag's id; of kind `evidence`, `INSPECTION/SHA256`.
    """
    found: dict[str, Ruling] = {}
    wanted = sorted(set(subjects))
    for at in range(0, len(wanted), 500):
        query = (
            select(rulings)
            .where(rulings.c.kind == kind, rulings.c.subject.in_(wanted[at : at + 500]))
            .order_by(rulings.c.at, rulings.c.id)
        )
        found.update((row.subject, Ruling(*row)) for row in tx.execute(query))
    return found
