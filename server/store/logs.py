"""Logs as devices sent them: heads, lines and the segments that brought them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, update

from server.store.among import among
from server.store.bulk import insert_rows
from server.store.devices import ACCOUNT, REVOKED
from server.store.runs import cut, hash_in, hashes_in, numbers_in, pack, pack_numbers
from server.store.tables import devices, inspections, logs, receipts, segments
from server.store.transaction import Tx
from sync.log import Head, Segment, genesis, link
from sync.receipt import SignedBytes
from sync.session import Append


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log and whose it is; `seq` and `h` are its head, `kind` that of its device."""

    id: int
    device: str
    inspection: str
    seq: int
    h: bytes
    public_key: bytes
    person: str
    kind: str

    @property
    def head(self) -> Head:
        return Head(self.seq, self.h)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    last: int
    signature: bytes
    received_at: int
    offset_ms: int | None


LogKey = tuple[str, str]  # device, inspection


class Owner(NamedTuple):
    """Whose a device is: its public key, its person, whether it was revoked (S8), and whether it
    is an account that the server keeps (S9).
    """

    public_key: bytes
    person: str
    revoked: bool = False
    account: bool = False


@dataclass(frozen=True, slots=True)
class NewLines:
    """Lines that follow the head of a log, which is None while nothing of the log is held.

    `now` is the server's clock, `offset_ms` that clock minus the device's (L9), None where
    the device did not tell its own. `revoked` marks what came after its device was revoked (S8).
    """

    segment: Segment
    held: LogRow | None
    new: Append
    now: int
    offset_ms: int | None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class NewReceipt:
    device: str
    receipt: SignedBytes
    at: int


_LOG = (
    logs.c.id,
    logs.c.device,
    logs.c.inspection,
    logs.c.seq,
    logs.c.h,
    devices.c.public_key,
    devices.c.person,
    devices.c.kind,
)


# Statements of the way in are put together once: that costs more than running them.
_OWNERS = select(
    devices.c.id, devices.c.public_key, devices.c.person, devices.c.status, devices.c.kind
).where(among(devices.c.id, "ids"))
_FIND = (
    select(*_LOG)
    .join(devices, devices.c.id == logs.c.device)
    .where(among(logs.c.inspection, "inspections"))
    .where(among(logs.c.device, "devices"))
)
# Who was revoked stays so; of everybody else's runs, which are long rows, none is looked at.
_CAME = (
    select(segments.c.log, segments.c.received_at)
    .where(segments.c.log.in_(bindparam("ids", expanding=True)))
    .distinct()
    .order_by(segments.c.log, segments.c.received_at)
)
_LATE = (
    select(logs.c.device, logs.c.inspection, func.min(segments.c.first))
    .join(devices, devices.c.id == logs.c.device)
    .join(segments, segments.c.log == logs.c.id)
    .where(among(logs.c.inspection, "inspections"))
    .where(devices.c.status == REVOKED, segments.c.revoked.is_(True))
    .group_by(logs.c.device, logs.c.inspection)
)
_IDS = select(logs.c.id, logs.c.device, logs.c.inspection).where(
    among(logs.c.inspection, "inspections")
)
_MARKED = (
    select(logs.c.device, logs.c.inspection, segments.c.late)
    .join(logs, logs.c.id == segments.c.log)
    .where(logs.c.inspection.in_(bindparam("inspections", expanding=True)))
    .where(segments.c.late.is_not(None))
    .order_by(logs.c.id, segments.c.last)
)
_NEW_HEAD = (
    update(logs)
    .where(logs.c.id == bindparam("log"))
    .values(seq=bindparam("to_seq"), h=bindparam("to_h"))
)
_SEGMENT = tuple(column.name for column in segments.columns if column.name != "late")
_INSPECTIONS = select(inspections).where(among(inspections.c.id, "ids"))
_TOUCHED = (
    update(inspections)
    .where(inspections.c.id == bindparam("inspection"))
    .values(
        facility=bindparam("to_facility"),
        mode=bindparam("to_mode"),
        creator=bindparam("to_creator"),
        settled=bindparam("to_settled"),
        changed_at=bindparam("at"),
    )
)


def owners_of(tx: Tx, ids: Collection[str]) -> dict[str, Owner]:
    """Device -> its owner, for those of the devices that were enrolled here."""
    rows = tx.execute(_OWNERS, {"ids": sorted(ids)})
    return {
        device: Owner(public_key, person, status == REVOKED, kind == ACCOUNT)
        for device, public_key, person, status, kind in rows
    }


def revoked_runs(tx: Tx, inspection: str) -> dict[str, list[tuple[int, int]]]:
    """Device -> first and last position of each run that came after it was revoked (S8)."""
    query = (
        select(logs.c.device, segments.c.first, segments.c.last)
        .join(logs, logs.c.id == segments.c.log)
        .where(logs.c.inspection == inspection, segments.c.revoked.is_(True))
        .order_by(logs.c.device, segments.c.last)
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for device, first, last in tx.execute(query):
        found.setdefault(device, []).append((first, last))
    return found


def late_adopted(tx: Tx, wanted: Collection[str]) -> dict[LogKey, list[int]]:
    """The positions that `mark_late` was given of logs of these inspections, rising (S3, S8)."""
    found: dict[LogKey, list[int]] = {}
    for device, inspection, late in tx.execute(_MARKED, {"inspections": sorted(wanted)}):
        found.setdefault((device, inspection), []).extend(numbers_in(late))
    return found


def mark_late(tx: Tx, device: str, inspection: str, positions: Collection[int]) -> None:
    """Mark adopted entries of a log as carrying lines that came after their device was revoked."""
    log = find_logs(tx, [(device, inspection)])[device, inspection].id
    for seq in sorted(positions):
        there = (segments.c.log == log, segments.c.first <= seq, segments.c.last >= seq)
        late = tx.execute(select(segments.c.late).where(*there)).scalar_one()
        marked = pack_numbers(sorted({*numbers_in(late or b""), seq}))
        tx.execute(update(segments).where(*there).values(late=marked))


def late_from(tx: Tx, wanted: Collection[str]) -> dict[LogKey, int]:
    """Where in logs of these inspections what came after their device was revoked begins (S8)."""
    rows = tx.execute(_LATE, {"inspections": sorted(wanted)})
    return {(device, inspection): first for device, inspection, first in rows}


def came_at(tx: Tx, ids: Collection[int]) -> dict[int, list[int]]:
    """Log id -> when its runs came, UTC milliseconds, in order and each time once."""
    found: dict[int, list[int]] = {}
    for log, at in tx.execute(_CAME, {"ids": sorted(ids)}) if ids else ():
        found.setdefault(log, []).append(at)
    return found


def find_logs(tx: Tx, keys: Collection[LogKey]) -> dict[LogKey, LogRow]:
    """Those of the logs (device, inspection) of which any line was ever held."""
    wanted = set(keys)
    asked = {
        "devices": sorted({device for device, _ in wanted}),
        "inspections": sorted({inspection for _, inspection in wanted}),
    }
    found = {(row.device, row.inspection): LogRow(*row) for row in tx.execute(_FIND, asked)}
    return {key: row for key, row in found.items() if key in wanted}


def logs_of(tx: Tx, inspection: str) -> list[LogRow]:
    """All logs of an inspection, in the order in which they were first heard of."""
    query = (
        select(*_LOG)
        .join(devices, devices.c.id == logs.c.device)
        .where(logs.c.inspection == inspection)
        .order_by(logs.c.id)
    )
    return [LogRow(*row) for row in tx.execute(query)]


def logs_by(tx: Tx, device: str) -> list[LogRow]:
    """All logs of a device, in the order in which they were first heard of."""
    query = (
        select(*_LOG)
        .join(devices, devices.c.id == logs.c.device)
        .where(logs.c.device == device)
        .order_by(logs.c.id)
    )
    return [LogRow(*row) for row in tx.execute(query)]


def all_logs(tx: Tx) -> list[LogRow]:
    """Every log that is held."""
    query = select(*_LOG).join(devices, devices.c.id == logs.c.device).order_by(logs.c.id)
    return [LogRow(*row) for row in tx.execute(query)]


def lines_of(tx: Tx, log_id: int, first: int = 1, last: int | None = None) -> list[bytes]:
    """The stored lines of a log from `first` to `last`, as the bytes first written."""
    query = select(segments.c.first, segments.c.lines, segments.c.lengths).where(
        segments.c.log == log_id, segments.c.last >= first
    )
    if last is not None:
        query = query.where(segments.c.first <= last)
    found: list[bytes] = []
    begins = first
    for n, (start, packed, lengths) in enumerate(tx.execute(query.order_by(segments.c.last))):
        found += cut(packed, lengths)
        begins = start if n == 0 else begins
    return found[max(first - begins, 0) : None if last is None else max(last - begins + 1, 0)]


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of a log as they lie in one row, with the chain hash of each and the signature.

    `hashes` is None for rows of a server that did not keep them.
    """

    first: int
    lines: tuple[bytes, ...]
    hashes: tuple[bytes, ...] | None
    signature: bytes


_RUNS = (
    select(
        segments.c.first,
        segments.c.lines,
        segments.c.lengths,
        segments.c.hashes,
        segments.c.signature,
    )
    .where(segments.c.log == bindparam("log"))
    .where(segments.c.last >= bindparam("from_seq"), segments.c.first <= bindparam("to_seq"))
    .order_by(segments.c.last)
)


def runs_of(tx: Tx, log_id: int, first: int, last: int) -> list[Run]:
    """The signed runs that any line from `first` to `last` lies in, in order."""
    asked = {"log": log_id, "from_seq": first, "to_seq": last}
    return [
        Run(
            start,
            tuple(cut(packed, lengths)),
            None if hashes is None else tuple(hashes_in(hashes)),
            signature,
        )
        for start, packed, lengths, hashes, signature in tx.execute(_RUNS, asked)
    ]


def line_sizes(tx: Tx, log_id: int) -> list[list[int]]:
    """How many bytes each line of a log has, run by run from the first on."""
    query = select(segments.c.lengths).where(segments.c.log == log_id).order_by(segments.c.last)
    return [numbers_in(lengths) for lengths in tx.execute(query).scalars()]


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
        select(segments.c.first, segments.c.hashes).where(
            segments.c.log == log.id, segments.c.first <= seq, segments.c.last >= seq
        )
    ).one_or_none()
    if kept is not None and kept.hashes is not None:
        return hash_in(kept.hashes, seq - kept.first)
    running = genesis(log.public_key, log.inspection)
    for line in lines_of(tx, log.id, 1, seq) if seq else ():
        running = link(running, line)
    return running


def append(tx: Tx, runs: Sequence[NewLines]) -> None:
    """Store lines that follow their logs' heads, the segments' signatures, and the new heads.

    No log may stand among the runs twice.
    """
    ids = _ids(tx, runs)
    rows = []
    for run in runs:
        log, new = ids[run.segment.device, run.segment.inspection], run.new
        stored = (*pack(new.lines), b"".join(new.hashes), run.segment.signature)
        rows.append(
            (log, new.first, new.head.seq, *stored, run.now, run.offset_ms, run.revoked or None)
        )
    insert_rows(tx, segments, _SEGMENT, rows)


def _ids(tx: Tx, runs: Sequence[NewLines]) -> dict[LogKey, int]:
    """The logs' ids once their rows stand at the new heads."""
    ids: dict[LogKey, int] = {}
    moved, made = [], []
    for run in runs:
        head = run.new.head
        if run.held is None:
            made.append((run.segment.device, run.segment.inspection, head.seq, head.h))
        else:
            ids[run.held.device, run.held.inspection] = run.held.id
            moved.append({"log": run.held.id, "to_seq": head.seq, "to_h": head.h})
    if moved:
        tx.execute(_NEW_HEAD, moved)
    if made:
        insert_rows(tx, logs, ("device", "inspection", "seq", "h"), made)
        asked = {"inspections": sorted({row[1] for row in made})}
        ids |= {(device, name): log for log, device, name in tx.execute(_IDS, asked)}
    return ids


def keep_receipts(tx: Tx, given: Iterable[NewReceipt]) -> None:
    """Remember receipts in the transaction that they speak of (S4)."""
    rows = [(one.device, one.receipt.payload, one.receipt.signature, one.at) for one in given]
    insert_rows(tx, receipts, ("device", "payload", "signature", "at"), rows)


# -- inspections ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InspectionRow:
    """An inspection; `creator` is the person whose entry said what it is about, if that is known,
    and `settled` whether that was somebody who may: until then the first who may says it (S9).

    Times are the server's clock in UTC milliseconds.
    """

    id: str
    facility: str | None
    mode: str | None
    first_seen_at: int
    changed_at: int
    creator: str | None = None
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Touch:
    """New entries of an inspection at a time (UTC milliseconds), and what they say it is.

    `person` is whose device wrote them; `settles` whether they may say what it is (S9).
    """

    inspection: str
    now: int
    facility: str | None
    mode: str | None
    person: str | None = None
    settles: bool = True


@dataclass(frozen=True, slots=True)
class Touched:
    """The inspections as they stand now; `placed` had lines before it was known where they are.

    `left` are facilities that inspections were taken for until now, with the time of the touch.
    """

    rows: tuple[InspectionRow, ...] = ()
    placed: frozenset[str] = frozenset()
    left: tuple[tuple[str, int], ...] = ()

    @property
    def facilities(self) -> dict[str, int]:
        """The facilities that they name or named, each with the time of the last touch."""
        found: dict[str, int] = {}
        named = ((row.facility, row.changed_at) for row in self.rows)
        for facility, at in (*named, *self.left):
            if facility is not None:
                found[facility] = max(at, found.get(facility, at))
        return found


def touch_inspections(tx: Tx, touches: Sequence[Touch]) -> Touched:
    """Note that inspections changed; what the first says who may settles facility and mode."""
    if not touches:
        return Touched()
    asked = {"ids": sorted({touch.inspection for touch in touches})}
    before = {row.id: InspectionRow(*row) for row in tx.execute(_INSPECTIONS, asked)}
    now: dict[str, InspectionRow] = {}
    for touch in touches:
        row = now.get(touch.inspection) or before.get(touch.inspection)
        now[touch.inspection] = _touched(row, touch)
    moved = [
        {
            "inspection": row.id,
            "at": row.changed_at,
            "to_facility": row.facility,
            "to_mode": row.mode,
            "to_creator": row.creator,
            "to_settled": row.settled,
        }
        for row in now.values()
        if row.id in before
    ]
    if moved:
        tx.execute(_TOUCHED, moved)
    columns = ("id", "facility", "mode", "first_seen_at", "changed_at", "creator", "settled")
    made = [row for row in now.values() if row.id not in before]
    rows = [tuple(getattr(row, column) for column in columns) for row in made]
    insert_rows(tx, inspections, columns, rows)
    moved_to = [(row, now[i]) for i, row in before.items() if row.facility != now[i].facility]
    left = tuple((row.facility, after.changed_at) for row, after in moved_to if row.facility)
    placed = frozenset(row.id for row in before.values() if _placed(row, now[row.id]))
    return Touched(tuple(now.values()), placed, left)


def _placed(before: InspectionRow, now: InspectionRow) -> bool:
    """Whether it is only known now where and by whom it was begun."""
    return (before.facility, before.creator) != (now.facility, now.creator)


def _touched(row: InspectionRow | None, touch: Touch) -> InspectionRow:
    if row is None:
        row = InspectionRow(touch.inspection, None, None, touch.now, touch.now, settled=False)
    row = replace(row, changed_at=touch.now)
    if row.settled or touch.facility is None or not (touch.settles or row.facility is None):
        return row
    return replace(
        row,
        facility=touch.facility,
        mode=touch.mode,
        creator=touch.person,
        settled=touch.settles,
    )


def settle(
    tx: Tx, inspection: str, facility: str, mode: str, creator: str | None, settled: bool
) -> None:
    """Say what an inspection is, where that was open or is open again (S9)."""
    says = {"facility": facility, "mode": mode, "creator": creator, "settled": settled}
    tx.execute(update(inspections).where(inspections.c.id == inspection).values(**says))


def find_inspection(tx: Tx, inspection: str) -> InspectionRow | None:
    """The inspection's row, if any line of it was ever held."""
    row = tx.execute(select(inspections).where(inspections.c.id == inspection)).one_or_none()
    return None if row is None else InspectionRow(*row)


def find_inspections(tx: Tx, ids: Collection[str]) -> list[InspectionRow]:
    """Those of the inspections of which any line was ever held, by their ids."""
    found = tx.execute(_INSPECTIONS, {"ids": sorted(set(ids))})
    return sorted((InspectionRow(*row) for row in found), key=lambda row: row.id)


def inspections_of_person(tx: Tx, person: str) -> list[InspectionRow]:
    """The inspections of which a device of this person has a log, by their ids."""
    query = (
        select(inspections)
        .join(logs, logs.c.inspection == inspections.c.id)
        .join(devices, devices.c.id == logs.c.device)
        .where(devices.c.person == person)
        .distinct()
        .order_by(inspections.c.id)
    )
    return [InspectionRow(*row) for row in tx.execute(query)]


def inspections_at(tx: Tx, facility: str) -> list[InspectionRow]:
    """All inspections that name this facility, oldest first."""
    query = (
        select(inspections)
        .where(inspections.c.facility == facility)
        .order_by(inspections.c.first_seen_at, inspections.c.id)
    )
    return [InspectionRow(*row) for row in tx.execute(query)]
