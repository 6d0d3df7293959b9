"""Sealed entries (L8): where they lie, and the keys of them that were destroyed for good."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import and_, insert, select, update

from server.store.tables import facilities, files, inspections, sealed_entries, withdrawals
from server.store.transaction import Tx

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed entry as it is found: digests of payload and key, the number of files with it, the
    bytes of ciphertext, and the day that it claims (UTC ms).
    """

    id: str
    inspection: str
    device: str
    payload: str
    key: str
    files: int
    size: int
    day: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A key that is not to be held again: of which entry, why, by whom, and when it went."""

    key: str
    entry: str
    inspection: str
    reason: str
    by: str
    at: int
    destroyed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A sealed entry with its facility, whether its key is here, and its withdrawal if any."""

    row: SealedRow
    facility: str
    facility_name: str
    country: str
    example: bool
    held: bool
    withdrawn_at: int | None


def note(tx: Tx, rows: Iterable[SealedRow]) -> None:
    """Remember the sealed entries that came; one that is known changes nothing."""
    wanted = {(r.id, r.inspection, r.device, r.key): r for r in rows}
    for row in _among(tx, {r.id for r in wanted.values()}):
        wanted.pop((row.id, row.inspection, row.device, row.key), None)
    if wanted:
        values = [{f: getattr(r, f) for f in SealedRow.__slots__} for r in wanted.values()]
        tx.execute(insert(sealed_entries), values)


def of_entry(tx: Tx, entry: str) -> list[SealedRow]:
    """What is known under the number of a sealed entry; more than one where it was amended."""
    return _among(tx, [entry])


def places(tx: Tx, jurisdictions: Collection[str]) -> list[Place]:
    """Every sealed entry of listed facilities in these jurisdictions, the latest day first."""
    query = (
        select(
            sealed_entries,
            facilities.c.id.label("facility"),
            facilities.c.name.label("facility_name"),
            facilities.c.country,
            facilities.c.example,
            files.c.sha256.label("there"),
            withdrawals.c.at.label("withdrawn_at"),
        )
        .join(inspections, inspections.c.id == sealed_entries.c.inspection)
        .join(facilities, facilities.c.id == inspections.c.facility)
        .outerjoin(files, files.c.sha256 == sealed_entries.c.key)
        .outerjoin(withdrawals, withdrawals.c.key == sealed_entries.c.key)
        .where(facilities.c.jurisdiction.in_(sorted(jurisdictions)))
        .order_by(sealed_entries.c.day.desc(), sealed_entries.c.id, sealed_entries.c.device)
    )
    return [
        Place(
            SealedRow(*(getattr(row, f) for f in SealedRow.__slots__)),
            row.facility,
            row.facility_name,
            row.country,
            row.example,
            row.there is not None,
            row.withdrawn_at,
        )
        for row in tx.execute(query)
    ]


# -- withdrawn consent ----------------------------------------------------------------------------


def withdraw(tx: Tx, new: Withdrawal) -> None:
    """Note that a key is never to be held again; noting it again changes nothing."""
    if not is_withdrawn(tx, [new.key]):
        row = {name: getattr(new, name) for name in Withdrawal.__slots__}
        tx.execute(insert(withdrawals).values(**row))


def is_withdrawn(tx: Tx, digests: Collection[str]) -> set[str]:
    """Those of the digests that are keys which were withdrawn."""
    wanted, found = sorted(set(digests)), set[str]()
    for at in range(0, len(wanted), _AT_ONCE):
        query = select(withdrawals.c.key).where(withdrawals.c.key.in_(wanted[at : at + _AT_ONCE]))
        found.update(tx.execute(query).scalars())
    return found


def all_withdrawn(tx: Tx) -> list[Withdrawal]:
    """Every withdrawal, the oldest first."""
    order = (withdrawals.c.at, withdrawals.c.key)
    return [Withdrawal(*row) for row in tx.execute(select(withdrawals).order_by(*order))]


def not_destroyed(tx: Tx) -> list[str]:
    """Withdrawn keys whose bytes may still be on the shelf."""
    query = select(withdrawals.c.key).where(withdrawals.c.destroyed_at.is_(None))
    return sorted(tx.execute(query).scalars())


def mark_destroyed(tx: Tx, key: str, at: int) -> None:
    """Note that the bytes of a withdrawn key are gone."""
    tx.execute(
        update(withdrawals)
        .where(and_(withdrawals.c.key == key, withdrawals.c.destroyed_at.is_(None)))
        .values(destroyed_at=at)
    )


def destroy_again(tx: Tx) -> None:
    """Have the bytes of every withdrawn key looked for again, as after a restore."""
    tx.execute(update(withdrawals).values(destroyed_at=None))


def _among(tx: Tx, entries: Collection[str]) -> list[SealedRow]:
    wanted, found = sorted(set(entries)), list[SealedRow]()
    for at in range(0, len(wanted), _AT_ONCE):
        query = (
            select(sealed_entries)
            .where(sealed_entries.c.id.in_(wanted[at : at + _AT_ONCE]))
            .order_by(
                sealed_entries.c.id,
                sealed_entries.c.inspection,
                sealed_entries.c.device,
                sealed_entries.c.key,
            )
        )
        found += [SealedRow(*row) for row in tx.execute(query)]
    return found
