"""What of an inspection needs a look before it counts, or was not understood: derived (S3, S8, S9).

Worked out with the facility's assessment, so that a page asks for it without reading a log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from server.store.tables import devices, facilities, held_aside, inspections, logs
from server.store.transaction import Tx

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AsideRow:
    """How many entries of an inspection wait for a ruling (of people not assigned, or under a
    revoked device's key), cannot be read, or were carried by a later generation, some unsigned.
    """

    inspection: str
    facility: str
    set_aside: int
    revoked: int
    unread: int
    carried: int
    unsigned: int

    @property
    def anything(self) -> bool:
        return bool(self.set_aside or self.revoked or self.unread or self.carried)


def replace(tx: Tx, facility: str, rows: Sequence[AsideRow]) -> None:
    """Let the facility's rows be exactly these; those that say nothing are not kept."""
    tx.execute(delete(held_aside).where(held_aside.c.facility == facility))
    wanted = [asdict(row) for row in rows if row.anything]
    if wanted:
        tx.execute(insert(held_aside), wanted)


def at_facilities(tx: Tx, wanted: Collection[str]) -> list[AsideRow]:
    """The rows of these facilities' inspections, by facility and inspection."""
    ids = sorted(wanted)
    found: list[AsideRow] = []
    for at in range(0, len(ids), _AT_ONCE):
        query = (
            select(held_aside)
            .where(held_aside.c.facility.in_(ids[at : at + _AT_ONCE]))
            .order_by(held_aside.c.facility, held_aside.c.inspection)
        )
        found += [AsideRow(*row) for row in tx.execute(query)]
    return found


@dataclass(frozen=True, slots=True)
class UnplacedRow:
    """A log of an inspection of which no listed facility is known: whose, how many entries, since
    when the inspection is known (UTC ms), and the facility that it claims, if it does.
    """

    inspection: str
    device: str
    device_name: str
    person: str
    entries: int
    first_seen_at: int
    claimed: str | None


def unplaced(tx: Tx) -> list[UnplacedRow]:
    """Every log of inspections whose facility is not known here, the latest inspection first."""
    query = (
        select(
            logs.c.inspection,
            logs.c.device,
            devices.c.name,
            devices.c.person,
            logs.c.seq,
            inspections.c.first_seen_at,
            inspections.c.facility,
        )
        .join(inspections, inspections.c.id == logs.c.inspection)
        .join(devices, devices.c.id == logs.c.device)
        .outerjoin(facilities, facilities.c.id == inspections.c.facility)
        .where(facilities.c.id.is_(None))
        .order_by(inspections.c.first_seen_at.desc(), logs.c.inspection, logs.c.device)
    )
    return [UnplacedRow(*row) for row in tx.execute(query)]


def delete_all(tx: Tx) -> None:
    """Delete every row; they are derived and can be computed again."""
    tx.execute(delete(held_aside))
