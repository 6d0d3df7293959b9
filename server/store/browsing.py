"""What the pages read: a few queries for a whole page, however many rows it shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, exists, select

from server.store.flags import FlagRow
from server.store.logs import InspectionRow
from server.store.tables import (
    assessments,
    assignments,
    declarations,
    devices,
    documents,
    facilities,
    file_facts,
    file_names,
    file_scopes,
    files,
    gradings,
    inspections,
    jurisdictions,
    logs,
    people,
)
from server.store.tables import (
    flags as flag_table,
)
from sync.sealed import KINDS as SEALED_KINDS

_AT_ONCE = 500
_FETCHED = 50  # rows with bodies that are here at the same time


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A facility with the state of its grade; `grade_state` is None before the first assessment.

    `stale` tells that something arrived which the stored score has not read yet.
    """

    id: str
    name: str
    country: str
    jurisdiction: str
    jurisdiction_name: str
    checklist: str
    limits: str | None
    example: bool
    grade: str | None
    grade_state: str | None
    as_of: str | None
    stale: bool


@dataclass(frozen=True, slots=True)
class FileRow:
    """What is known of a file here: when its bytes came, and what was read from them."""

    sha256: str
    held_at: int | None
    size: int | None
    facts: bytes | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class FileUse:
    """Where a file is named, and by which facility's jurisdiction it can be seen."""

    inspection: str
    facility: str | None
    jurisdiction: str
    media_type: str
    kind: str


_FACILITY = (
    select(
        facilities.c.id,
        facilities.c.name,
        facilities.c.country,
        facilities.c.jurisdiction,
        jurisdictions.c.name,
        facilities.c.checklist,
        facilities.c.limits,
        facilities.c.example,
        assessments.c.grade,
        assessments.c.grade_state,
        assessments.c.as_of,
        gradings.c.stale,
    )
    .join(jurisdictions, jurisdictions.c.id == facilities.c.jurisdiction)
    .outerjoin(
        assessments,
        (assessments.c.scope == "facility") & (assessments.c.subject == facilities.c.id),
    )
    .outerjoin(gradings, gradings.c.facility == facilities.c.id)
)


def facilities_in(tx: Connection, visible: Collection[str]) -> list[FacilityRow]:
    """The facilities of these jurisdictions, by name."""
    found: list[FacilityRow] = []
    for some in _parts(visible):
        query = _FACILITY.where(facilities.c.jurisdiction.in_(some))
        found.extend(_facility(row) for row in tx.execute(query))
    return sorted(found, key=lambda f: (f.name, f.id))


def facility(tx: Connection, facility_id: str) -> FacilityRow | None:
    """One facility with the state of its grade."""
    row = tx.execute(_FACILITY.where(facilities.c.id == facility_id)).one_or_none()
    return None if row is None else _facility(row)


def _facility(row: Any) -> FacilityRow:
    found = FacilityRow(*row)
    return replace(found, stale=bool(found.stale))


def flags_of_facilities(tx: Connection, ids: Collection[str]) -> Iterator[FlagRow]:
    """All flags of these facilities, one at a time, in no order: there may be many."""
    for some in _parts(ids):
        query = select(flag_table).where(flag_table.c.facility.in_(some))
        for row in tx.execute(query.execution_options(yield_per=_FETCHED)):
            yield FlagRow(*row)


def flags_of_inspection(tx: Connection, inspection: str) -> Iterator[FlagRow]:
    """All flags of one inspection, one at a time, in no order: there may be many."""
    query = select(flag_table).where(flag_table.c.inspection == inspection)
    for row in tx.execute(query.execution_options(yield_per=_FETCHED)):
        yield FlagRow(*row)


def flags_with_ids(tx: Connection, ids: Collection[str]) -> dict[str, FlagRow]:
    """These flags, by id."""
    found: dict[str, FlagRow] = {}
    for some in _parts(ids):
        rows = tx.execute(select(flag_table).where(flag_table.c.id.in_(some)))
        found.update((row.id, FlagRow(*row)) for row in rows)
    return found


def scores_of(tx: Connection, scope: str, subjects: Collection[str]) -> dict[str, bytes]:
    """The stored scores of these facilities or inspections."""
    found: dict[str, bytes] = {}
    for some in _parts(subjects):
        query = select(assessments.c.subject, assessments.c.score).where(
            assessments.c.scope == scope, assessments.c.subject.in_(some)
        )
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found


def declarations_of(tx: Connection, ids: Collection[str]) -> dict[str, list[bytes]]:
    """The declarations of these facilities as they were filed, oldest first."""
    found: dict[str, list[bytes]] = {}
    for some in _parts(ids):
        query = (
            select(declarations.c.facility, declarations.c.body)
            .where(declarations.c.facility.in_(some))
            .order_by(declarations.c.filed, declarations.c.received_at, declarations.c.id)
        )
        for facility_id, body in tx.execute(query):
            found.setdefault(facility_id, []).append(body)
    return found


def inspections_of(tx: Connection, ids: Collection[str]) -> dict[str, list[InspectionRow]]:
    """The inspections of these facilities, the newest first."""
    found: dict[str, list[InspectionRow]] = {}
    for some in _parts(ids):
        query = (
            select(inspections)
            .where(inspections.c.facility.in_(some))
            .order_by(inspections.c.first_seen_at.desc(), inspections.c.id)
        )
        for row in tx.execute(query):
            visit = InspectionRow(*row)
            found.setdefault(str(visit.facility), []).append(visit)
    return found


def auditors_of(tx: Connection, ids: Collection[str]) -> dict[str, list[str]]:
    """For each inspection, the names of the assigned people who wrote in it (S9), by name."""
    found: dict[str, list[str]] = {}
    for some in _parts(ids):
        query = (
            select(logs.c.inspection, people.c.name)
            .join(devices, devices.c.id == logs.c.device)
            .join(people, people.c.id == devices.c.person)
            .join(inspections, inspections.c.id == logs.c.inspection)
            .where(
                logs.c.inspection.in_(some),
                exists().where(
                    assignments.c.facility == inspections.c.facility,
                    assignments.c.person == devices.c.person,
                ),
            )
            .distinct()
            .order_by(people.c.name)
        )
        for inspection_id, name in tx.execute(query):
            found.setdefault(inspection_id, []).append(name)
    return found


def devices_named(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Device id -> the device's name, for these devices."""
    query = select(devices.c.id, devices.c.name).where(devices.c.id.in_(sorted(ids)))
    return {row[0]: row[1] for row in tx.execute(query)}


def people_named(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Person id -> name, for these people."""
    query = select(people.c.id, people.c.name).where(people.c.id.in_(sorted(ids)))
    return {row[0]: row[1] for row in tx.execute(query)}


def files_known(tx: Connection, digests: Collection[str]) -> Iterator[FileRow]:
    """What is known of each of these files whose bytes are here, one at a time."""
    for some in _parts(digests):
        query = (
            select(
                files.c.sha256,
                files.c.held_at,
                files.c.size,
                file_facts.c.facts,
                file_facts.c.problem,
            )
            .outerjoin(file_facts, file_facts.c.sha256 == files.c.sha256)
            .where(files.c.sha256.in_(some))
        )
        for row in tx.execute(query.execution_options(yield_per=_FETCHED)):
            yield FileRow(*row)


def file_uses(tx: Connection, sha256: str) -> list[FileUse]:
    """Every inspection of a listed facility that names this file and whose sender delivered it.

    Naming a digest gives no access to bytes that somebody else sent (S6), and what is sealed is
    not for these readers (L8).
    """
    query = (
        select(
            file_names.c.inspection,
            inspections.c.facility,
            facilities.c.jurisdiction,
            file_names.c.media_type,
            file_names.c.kind,
        )
        .join(inspections, inspections.c.id == file_names.c.inspection)
        .join(facilities, facilities.c.id == inspections.c.facility)
        .join(
            file_scopes,
            (file_scopes.c.sha256 == file_names.c.sha256)
            & (file_scopes.c.person == file_names.c.person),
        )
        .where(file_names.c.sha256 == sha256, file_names.c.kind.not_in(SEALED_KINDS))
        .order_by(file_names.c.inspection, file_names.c.device)
    )
    return [FileUse(*row) for row in tx.execute(query)]


def documents_named(tx: Connection, digests: Collection[str]) -> dict[str, tuple[str, str]]:
    """Digest -> (name, version) of these published documents."""
    query = select(documents.c.digest, documents.c.name, documents.c.version).where(
        documents.c.digest.in_(sorted(digests))
    )
    return {row[0]: (row[1], row[2]) for row in tx.execute(query)}


def _parts(ids: Iterable[str]) -> list[list[str]]:
    wanted = sorted(set(ids))
    return [wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)]
