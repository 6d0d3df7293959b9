"""Everything that was stored, row by row as it lies there, for being verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat

from sqlalchemy import select

from server.store.runs import cut, fits, hashes_in
from server.store.tables import (
    declarations,
    devices,
    documents,
    file_names,
    files,
    inspections,
    logs,
    proposals,
    receipts,
    segments,
)
from server.store.transaction import Tx

AT_ONCE = 500  # rows that are fetched together, where there is no end to how many there are


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device's row; `certificate` are the bytes of its column, read by nobody yet."""

    id: str
    public_key: bytes
    person: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class StoredLog:
    id: int
    device: str
    inspection: str
    seq: int
    h: bytes


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line and the chain hash kept beside it; None where none was kept."""

    seq: int
    line: bytes
    h: bytes | None


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A signed run; `fits` says whether what is noted of its lines agrees with their bytes."""

    first: int
    last: int
    signature: bytes
    fits: bool = True
    received_at: int = 0


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    id: int
    device: str
    payload: bytes
    signature: bytes
    at: int


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A document's bytes, and the digest that is stored of them."""

    what: str
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredDeclaration:
    """A filing's bytes, and what its columns say of them."""

    id: str
    facility: str
    filed: str
    speaks_of: str
    digest: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredInspection:
    id: str
    facility: str | None
    mode: str | None


@contextmanager
def damaged_text_shown(tx: Tx) -> Iterator[None]:
    """Let text that is no longer UTF-8 be read, its damaged bytes written out, so that a fault in
    it is named and ends nothing. SQLite only: PostgreSQL does not store such text.
    """
    raw = tx.connection.dbapi_connection
    if raw is None or tx.dialect.name != "sqlite":
        yield
        return
    before = raw.text_factory
    raw.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
    try:
        yield
    finally:
        raw.text_factory = before


def all_devices(tx: Tx) -> list[StoredDevice]:
    """Every device, by id."""
    query = select(
        devices.c.id, devices.c.public_key, devices.c.person, devices.c.certificate
    ).order_by(devices.c.id)
    return [StoredDevice(*row) for row in tx.execute(query)]


def all_logs(tx: Tx) -> list[StoredLog]:
    """Every log, in the order in which they were first heard of."""
    return [StoredLog(*row) for row in tx.execute(select(logs).order_by(logs.c.id))]


def lines_of(tx: Tx, log: int) -> Iterator[StoredLine]:
    """A log's lines as they lie there, by their seq, one at a time."""
    query = (
        select(segments.c.first, segments.c.lines, segments.c.lengths, segments.c.hashes)
        .where(segments.c.log == log)
        .order_by(segments.c.last)
    )
    for first, packed, lengths, hashes in tx.execute(query.execution_options(yield_per=10)):
        kept = repeat(None) if hashes is None else chain(hashes_in(hashes), repeat(None))
        for seq, (line, h) in enumerate(zip(cut(packed, lengths), kept, strict=False), first):
            yield StoredLine(seq, line, h)


def segments_of(tx: Tx, log: int) -> list[StoredSegment]:
    """A log's segments, by their last position."""
    named = ("first", "last", "lines", "lengths", "hashes", "signature", "received_at")
    columns = [segments.c[name] for name in named]
    query = select(*columns).where(segments.c.log == log).order_by(segments.c.last)
    return [
        StoredSegment(
            row.first,
            row.last,
            row.signature,
            fits(row.lines, row.lengths, row.hashes, row.last - row.first + 1),
            row.received_at,
        )
        for row in tx.execute(query)
    ]


def all_receipts(tx: Tx) -> Iterator[StoredReceipt]:
    """Every receipt that was ever given."""
    query = select(receipts).order_by(receipts.c.id)
    for row in tx.execute(query.execution_options(yield_per=AT_ONCE)):
        yield StoredReceipt(*row)


def all_files(tx: Tx) -> list[tuple[str, int]]:
    """Every file that counts as held: its digest and size."""
    query = select(files.c.sha256, files.c.size).order_by(files.c.sha256)
    return [(row[0], row[1]) for row in tx.execute(query)]


def missing_files(tx: Tx) -> list[str]:
    """The digests that acknowledged entries name and whose bytes have not arrived."""
    query = (
        select(file_names.c.sha256)
        .outerjoin(files, files.c.sha256 == file_names.c.sha256)
        .where(files.c.sha256.is_(None))
        .distinct()
        .order_by(file_names.c.sha256)
    )
    return list(tx.execute(query).scalars())


def named_files(tx: Tx, inspection: str, device: str) -> set[str]:
    """The digests noted as named by this device's entries in this inspection."""
    query = select(file_names.c.sha256).where(
        file_names.c.inspection == inspection, file_names.c.device == device
    )
    return set(tx.execute(query).scalars())


def all_documents(tx: Tx) -> list[StoredBody]:
    """Every published document, and behind them every one that was proposed."""
    query = select(documents).order_by(documents.c.kind, documents.c.name, documents.c.digest)
    found = [
        StoredBody(f"{row.kind} {row.name} {row.version}", row.digest, row.body)
        for row in tx.execute(query)
    ]
    for row in tx.execute(select(proposals).order_by(proposals.c.id)):
        found.append(StoredBody(f"proposal {row.id}", row.digest, row.body))
    return found


def all_declarations(tx: Tx) -> list[StoredDeclaration]:
    """Every declaration that was filed."""
    query = select(
        declarations.c.id,
        declarations.c.facility,
        declarations.c.filed,
        declarations.c.speaks_of,
        declarations.c.digest,
        declarations.c.body,
    ).order_by(declarations.c.facility, declarations.c.id)
    return [StoredDeclaration(*row) for row in tx.execute(query)]


def all_inspections(tx: Tx) -> list[StoredInspection]:
    """Every inspection that was ever heard of."""
    query = select(inspections.c.id, inspections.c.facility, inspections.c.mode).order_by(
        inspections.c.id
    )
    return [StoredInspection(*row) for row in tx.execute(query)]
