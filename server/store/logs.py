"""Logs as devices sent them: heads, lines, segments, and what was set aside in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from server.store.tables import devices, inspections, lines, logs, quarantine, receipts, segments
from server.store.transaction import Tx
from sync.log import Head, Segment, genesis, link
from sync.receipt import SignedBytes


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log and whose it is; `seq` and `h` are its head."""

    id: int
    device: str
    inspection: str
    seq: int
    h: bytes
    public_key: bytes
    person: str

    @property
    def head(self) -> Head:
        return Head(self.seq, self.h)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    last: int
    signature: bytes
    received_at: int
    offset_ms: int


_LOG = (
    logs.c.id,
    logs.c.device,
    logs.c.inspection,
    logs.c.seq,
    logs.c.h,
    devices.c.public_key,
    devices.c.person,
)


def owner_of(tx: Tx, device: str) -> tuple[bytes, str] | None:
    """The public key and the person of a device that was enrolled here."""
    row = tx.execute(
        select(devices.c.public_key, devices.c.person).where(devices.c.id == device)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def find_log(tx: Tx, device: str, inspection: str) -> LogRow | None:
    """The log of this device on this inspection, if any line of it was ever held."""
    row = tx.execute(
        select(*_LOG)
        .join(devices, devices.c.id == logs.c.device)
        .where(logs.c.device == device, logs.c.inspection == inspection)
    ).one_or_none()
    return None if row is None else LogRow(*row)


def logs_of(tx: Tx, inspection: str) -> list[LogRow]:
    """All logs of an inspection, in the order in which they were first heard of."""
    query = (
        select(*_LOG)
        .join(devices, devices.c.id == logs.c.device)
        .where(logs.c.inspection == inspection)
        .order_by(logs.c.id)
    )
    return [LogRow(*row) for row in tx.execute(query)]


def all_logs(tx: Tx) -> list[LogRow]:
    """Every log that is held."""
    query = select(*_LOG).join(devices, devices.c.id == logs.c.device).order_by(logs.c.id)
    return [LogRow(*row) for row in tx.execute(query)]


def lines_of(tx: Tx, log_id: int, first: int = 1, last: int | None = None) -> list[bytes]:
    """The stored lines of a log from `first` to `last`, as the bytes first written."""
    query = select(lines.c.line).where(lines.c.log == log_id, lines.c.seq >= first)
    if last is not None:
        query = query.where(lines.c.seq <= last)
    return list(tx.execute(query.order_by(lines.c.seq)).scalars())


def segments_of(tx: Tx, log_id: int) -> list[SegmentRow]:
    """The signed runs that carried a log's lines, in order."""
    query = (
        select(
            segments.c.last,
            segments.c.signature,
            segments.c.received_at,
            segments.c.offset_ms,
        )
        .where(segments.c.log == log_id)
        .order_by(segments.c.last)
    )
    return [SegmentRow(*row) for row in tx.execute(query)]


def hash_at(tx: Tx, log: LogRow, seq: int) -> bytes:
    """The chain hash of a log at a position, as kept there, else recomputed from its lines."""
    if seq == log.seq:
        return log.h
    kept = tx.execute(
        select(lines.c.h).where(lines.c.log == log.id, lines.c.seq == seq)
    ).scalar_one_or_none()
    if kept is not None:
        return bytes(kept)
    running = genesis(log.public_key, log.inspection)
    for line in lines_of(tx, log.id, 1, seq) if seq else ():
        running = link(running, line)
    return running


def append(
    tx: Tx,
    segment: Segment,
    held: LogRow | None,
    new_lines: Sequence[bytes],
    head: Head,
    *,
    now: int,
    offset_ms: int,
) -> None:
    """Store the lines that follow the held head, the segment's signature, and the new head."""
    if held is None:
        key = tx.execute(
            insert(logs).values(
                device=segment.device, inspection=segment.inspection, seq=head.seq, h=head.h
            )
        ).inserted_primary_key
        log_id, first = (key[0] if key is not None else 0), 1
    else:
        log_id, first = held.id, held.seq + 1
        tx.execute(update(logs).where(logs.c.id == log_id).values(seq=head.seq, h=head.h))
    rows: list[dict[str, object]] = []
    running = _start_of(tx, segment) if held is None else held.h
    for i, line in enumerate(new_lines):
        running = link(running, line)
        rows.append(
            {"log": log_id, "seq": first + i, "line": line, "received_at": now, "h": running}
        )
    tx.execute(insert(lines), rows)
    tx.execute(
        insert(segments).values(
            log=log_id,
            last=head.seq,
            signature=segment.signature,
            received_at=now,
            offset_ms=offset_ms,
        )
    )


def _start_of(tx: Tx, segment: Segment) -> bytes:
    key = tx.execute(
        select(devices.c.public_key).where(devices.c.id == segment.device)
    ).scalar_one()
    return genesis(key, segment.inspection)


def set_aside(tx: Tx, segment: Segment, why: str, digest: str, now: int) -> bool:
    """Keep a branch that cannot be appended, once; whether it is new here (S3)."""
    if tx.execute(select(quarantine.c.id).where(quarantine.c.digest == digest)).first():
        return False
    tx.execute(
        insert(quarantine).values(
            device=segment.device,
            inspection=segment.inspection,
            first=segment.first,
            why=why,
            branch=b"\n".join(segment.lines),
            signature=segment.signature,
            digest=digest,
            received_at=now,
        )
    )
    return True


def keep_receipt(tx: Tx, device: str, receipt: SignedBytes, now: int) -> None:
    """Remember a receipt in the transaction that it speaks of (S4)."""
    tx.execute(
        insert(receipts).values(
            device=device, payload=receipt.payload, signature=receipt.signature, at=now
        )
    )


# -- inspections ----------------------------------------------------------------------------------


def touch_inspection(
    tx: Tx, inspection: str, now: int, facility: str | None, mode: str | None
) -> str | None:
    """Note that an inspection changed; the first facility and mode it names stay. Returns the
    facility that it names, if any.
    """
    row = tx.execute(
        select(inspections.c.facility, inspections.c.mode).where(inspections.c.id == inspection)
    ).one_or_none()
    if row is None:
        tx.execute(
            insert(inspections).values(
                id=inspection,
                facility=facility,
                mode=mode,
                first_seen_at=now,
                changed_at=now,
            )
        )
        return facility
    kept_facility, kept_mode = row[0] or facility, row[1] or mode
    tx.execute(
        update(inspections)
        .where(inspections.c.id == inspection)
        .values(facility=kept_facility, mode=kept_mode, changed_at=now)
    )
    return kept_facility


@dataclass(frozen=True, slots=True)
class InspectionRow:
    id: str
    facility: str | None
    mode: str | None
    first_seen_at: int
    changed_at: int


def find_inspection(tx: Tx, inspection: str) -> InspectionRow | None:
    """The inspection's row, if any line of it was ever held."""
    row = tx.execute(select(inspections).where(inspections.c.id == inspection)).one_or_none()
    return None if row is None else InspectionRow(*row)


def inspections_at(tx: Tx, facility: str) -> list[InspectionRow]:
    """All inspections that name this facility, oldest first."""
    query = (
        select(inspections)
        .where(inspections.c.facility == facility)
        .order_by(inspections.c.first_seen_at, inspections.c.id)
    )
    return [InspectionRow(*row) for row in tx.execute(query)]
