"""What was read from held files: derived, deletable. And where else a file was submitted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, exists, insert, or_, select, update

from server.store.tables import (
    assignments,
    devices,
    facilities,
    file_facts,
    file_names,
    file_scopes,
    files,
    inspections,
)
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class FactsRow:
    """What a picture's bytes say (canonical JSON), or why they cannot be read."""

    sha256: str
    facts: bytes | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class OtherUse:
    """A counted inspection in which these bytes were submitted as a photograph."""

    sha256: str
    inspection: str
    facility: str
    facility_name: str
    at: int


def unread(tx: Tx, after: str, limit: int) -> list[str]:
    """Held pictures behind `after` whose bytes have not been read yet, in digest order."""
    return list(tx.execute(unread_query(after, limit)).scalars())


def unread_query(after: str, limit: int) -> Select[Any]:
    """What `unread` asks: an index has the files that were not read, and no others."""
    return (
        select(files.c.sha256)
        .where(
            files.c.sha256 > after,
            files.c.was_read.is_(None),
            exists().where(
                file_names.c.sha256 == files.c.sha256,
                or_(file_names.c.kind == "photo", file_names.c.media_type.like("image/%")),
            ),
        )
        .order_by(files.c.sha256)
        .limit(limit)
    )


def keep(tx: Tx, row: FactsRow) -> None:
    """Store what was read from one file, once."""
    if not tx.execute(select(file_facts.c.sha256).where(file_facts.c.sha256 == row.sha256)).first():
        tx.execute(
            insert(file_facts).values(sha256=row.sha256, facts=row.facts, problem=row.problem)
        )
    tx.execute(update(files).where(files.c.sha256 == row.sha256).values(was_read=True))


def facts_of(tx: Tx, digests: Collection[str]) -> dict[str, FactsRow]:
    """What is known of these files' bytes."""
    return {row.sha256: row for row in each_of(tx, digests)}


def each_of(tx: Tx, digests: Collection[str]) -> Iterator[FactsRow]:
    """What is known of these files' bytes, one at a time."""
    wanted = sorted(set(digests))
    for at in range(0, len(wanted), 500):
        query = select(file_facts).where(file_facts.c.sha256.in_(wanted[at : at + 500]))
        for row in tx.execute(query.execution_options(yield_per=50)):
            yield FactsRow(*row)


def delete_all(tx: Tx) -> None:
    """Delete every fact; they are derived and can be read again."""
    tx.execute(delete(file_facts))
    tx.execute(update(files).where(files.c.was_read.is_not(None)).values(was_read=None))


def forget_lost(tx: Tx) -> None:
    """Files whose facts are gone, however that came, are to be read again. Looks at every file."""
    lost = files.c.was_read.is_not(None) & ~exists().where(file_facts.c.sha256 == files.c.sha256)
    tx.execute(update(files).where(lost).values(was_read=None))


def all_digests(tx: Tx) -> list[str]:
    """The files of which anything was read."""
    return list(tx.execute(select(file_facts.c.sha256).order_by(file_facts.c.sha256)).scalars())


def held(tx: Tx, inspection: str, digests: Collection[str]) -> set[str]:
    """Those of the digests that somebody who names them in this inspection delivered (S6)."""
    found: set[str] = set()
    wanted = sorted(set(digests))
    for at in range(0, len(wanted), 500):
        query = (
            select(file_names.c.sha256)
            .join(
                file_scopes,
                (file_scopes.c.sha256 == file_names.c.sha256)
                & (file_scopes.c.person == file_names.c.person),
            )
            .where(
                file_names.c.inspection == inspection,
                file_names.c.sha256.in_(wanted[at : at + 500]),
            )
        )
        found.update(tx.execute(query).scalars())
    return found


def facilities_naming(tx: Tx, digests: Collection[str]) -> set[str]:
    """The facilities whose inspections name one of these files."""
    found: set[str] = set()
    wanted = sorted(set(digests))
    for at in range(0, len(wanted), 500):
        query = (
            select(inspections.c.facility)
            .join(file_names, file_names.c.inspection == inspections.c.id)
            .where(
                file_names.c.sha256.in_(wanted[at : at + 500]),
                inspections.c.facility.is_not(None),
            )
            .distinct()
        )
        found.update(tx.execute(query).scalars())
    return found


def other_uses(tx: Tx, inspection: str) -> list[OtherUse]:
    """Other live visits to listed facilities that submitted a photograph of this inspection.

    Only entries that count are looked at: those of people assigned to that facility (S9).
    """
    here = file_names.alias("here")
    query = (
        select(
            file_names.c.sha256,
            file_names.c.inspection,
            facilities.c.id,
            facilities.c.name,
            inspections.c.first_seen_at,
        )
        .join(here, here.c.sha256 == file_names.c.sha256)
        .join(inspections, inspections.c.id == file_names.c.inspection)
        .join(facilities, facilities.c.id == inspections.c.facility)
        .join(devices, devices.c.id == file_names.c.device)
        .where(
            here.c.inspection == inspection,
            file_names.c.inspection != inspection,
            file_names.c.kind == "photo",
            inspections.c.mode == "live",
            exists().where(
                assignments.c.facility == facilities.c.id,
                assignments.c.person == devices.c.person,
            ),
        )
        .distinct()
        .order_by(file_names.c.sha256, file_names.c.inspection)
    )
    return [OtherUse(*row) for row in tx.execute(query)]
