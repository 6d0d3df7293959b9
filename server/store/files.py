"""Which files entries name, which bytes are held, and for whom they answer as held (S4, S6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import file_names, file_scopes, files, inspections
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an entry of an inspection names."""

    sha256: str
    inspection: str
    device: str
    person: str
    media_type: str
    kind: str


def name_files(tx: Tx, named: Iterable[NamedFile]) -> None:
    """Remember the files that new entries name; naming one again changes nothing."""
    for one in named:
        there = tx.execute(
            select(file_names.c.sha256).where(
                file_names.c.sha256 == one.sha256,
                file_names.c.inspection == one.inspection,
                file_names.c.device == one.device,
            )
        ).first()
        if there is None:
            tx.execute(
                insert(file_names).values(
                    sha256=one.sha256,
                    inspection=one.inspection,
                    device=one.device,
                    person=one.person,
                    media_type=one.media_type,
                    kind=one.kind,
                )
            )


def is_named_by(tx: Tx, sha256: str, person: str) -> bool:
    """Whether an acknowledged entry of this person names the file."""
    query = select(file_names.c.sha256).where(
        file_names.c.sha256 == sha256, file_names.c.person == person
    )
    return tx.execute(query.limit(1)).first() is not None


def held_for(tx: Tx, person: str, digests: Collection[str]) -> set[str]:
    """Those of the digests that answer as held within this person's own scope (S6)."""
    found: set[str] = set()
    wanted = sorted(digests)
    for at in range(0, len(wanted), 500):
        query = select(file_scopes.c.sha256).where(
            file_scopes.c.person == person, file_scopes.c.sha256.in_(wanted[at : at + 500])
        )
        found.update(tx.execute(query).scalars())
    return found


def named_by(tx: Tx, person: str, digests: Collection[str]) -> set[str]:
    """Those of the digests that an acknowledged entry of this person names."""
    found: set[str] = set()
    wanted = sorted(digests)
    for at in range(0, len(wanted), 500):
        query = select(file_names.c.sha256).where(
            file_names.c.person == person, file_names.c.sha256.in_(wanted[at : at + 500])
        )
        found.update(tx.execute(query).scalars())
    return found


def hold(tx: Tx, sha256: str, size: int, person: str, now: int) -> list[str]:
    """Note that verified bytes are held for this person; return the facilities this touches."""
    if tx.execute(select(files.c.sha256).where(files.c.sha256 == sha256)).first() is None:
        tx.execute(insert(files).values(sha256=sha256, size=size, held_at=now))
    if not held_for(tx, person, [sha256]):
        tx.execute(insert(file_scopes).values(sha256=sha256, person=person, at=now))
    query = (
        select(inspections.c.facility)
        .join(file_names, file_names.c.inspection == inspections.c.id)
        .where(file_names.c.sha256 == sha256, inspections.c.facility.is_not(None))
        .distinct()
        .order_by(inspections.c.facility)
    )
    return list(tx.execute(query).scalars())


def names_in(tx: Tx, inspection: str) -> list[NamedFile]:
    """The files that an inspection's entries name, in digest order."""
    query = (
        select(file_names)
        .where(file_names.c.inspection == inspection)
        .order_by(file_names.c.sha256, file_names.c.device)
    )
    return [NamedFile(*row) for row in tx.execute(query)]
