"""An inspection as the server holds it: what counts, what was signed, what was set aside.

Rules cited: L6, L7, S9 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.services.authority import authority_at, part
from server.store import devices, people
from server.store.admissions import Admission
from server.store.logs import LogRow, find_inspection, lines_of, logs_of
from server.store.transaction import Tx
from sync.conflicts import Conflict, conflicts_of
from sync.entry import Entry, attributed
from sync.inspection import Inspection, SignedLog
from sync.inspection_reader import read_inspection
from sync.log import Record, records_of
from sync.merge import merge


@dataclass(frozen=True, slots=True)
class Aside:
    """What of a log is set aside (S9), and what staff ruled about that log, if they did.

    Nothing is aside where all of it was admitted; the ruling is still there to be taken back.
    """

    log: LogRow
    records: tuple[Record, ...]
    ruling: Admission | None

    @property
    def open(self) -> bool:
        """Whether somebody is still to rule: on all of it, or on what came since."""
        if not self.records:
            return False
        return self.ruling is None or self.ruling.seq < self.records[-1].seq


@dataclass(frozen=True, slots=True)
class Awaited:
    """A sign-off that covers entries of a device which do not stand here (L7), and how many.

    `why` is `missing` where they have not arrived, `aside` where they are set aside (S9), and
    `differs` where other entries lie there than those that were signed.
    """

    signer: str
    device: str
    count: int
    why: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One inspection, merged from its logs.

    `current` reads every entry that counts, `signed` exactly those that sign-offs cover (None
    while nothing is signed), `amendments` are the entries that came after. `decided` is `signed`
    with what officers decided since (None while nothing is signed). `counted` is how many entries
    count: what they say is in `current`, and is not kept twice. `aside` are entries of people who
    are not assigned to the facility (S9): visible, counted nowhere. `conflicts` are those of
    `current`. `people` and `devices` give names. `first_seen_at` is the server's clock, UTC
    milliseconds.
    """

    id: str
    facility: str | None
    mode: str | None
    first_seen_at: int
    current: Inspection
    signed: Inspection | None
    decided: Inspection | None
    counted: int
    amendments: tuple[Record, ...]
    aside: tuple[Aside, ...]
    conflicts: tuple[Conflict, ...]
    awaited: tuple[Awaited, ...]
    logs: tuple[LogRow, ...]
    people: Mapping[str, str]
    devices: Mapping[str, str]

    @property
    def inspection(self) -> Inspection:
        """What is assessed: what was signed with officers' decisions, or what there is so far."""
        return self.current if self.decided is None else self.decided

    @property
    def set_aside(self) -> tuple[Record, ...]:
        """All entries that are set aside."""
        return tuple(record for one in self.aside for record in one.records)

    @property
    def accounts(self) -> frozenset[str]:
        """The logs that the server keeps for accounts: not signed at the source."""
        return frozenset(log.device for log in self.logs if log.kind == devices.ACCOUNT)

    @property
    def auditors(self) -> frozenset[str]:
        """Whoever wrote to it from a device."""
        return frozenset(log.person for log in self.logs if log.kind != devices.ACCOUNT)


def load_inspection(tx: Tx, inspection_id: str) -> Loaded | None:
    """Read and merge all logs of an inspection; None when no line of it was ever held."""
    row = find_inspection(tx, inspection_id)
    if row is None:
        return None
    logs = logs_of(tx, inspection_id)
    authority = authority_at(tx, row.facility, [inspection_id])
    counted: list[Record] = []
    aside: list[Aside] = []
    for log in logs:
        parted = part(tx, authority, log, records_of_log(tx, log))
        counted.extend(parted.counted)
        ruling = authority.rulings.get((log.device, inspection_id))
        if parted.aside or ruling is not None:
            aside.append(Aside(log, parted.aside, ruling))
    state = merge(counted)
    current = read_inspection(inspection_id, state)
    covered = signed_records(current, counted)
    within = {(r.device, r.seq) for r in covered}
    signed = decided = read_inspection(inspection_id, merge(covered)) if covered else None
    kept_here = {log.device for log in logs if log.kind == devices.ACCOUNT}
    rulings = [r for r in counted if r.device in kept_here and (r.device, r.seq) not in within]
    if covered and rulings:
        decided = read_inspection(inspection_id, merge([*covered, *rulings]))
    return Loaded(
        inspection_id,
        row.facility,
        row.mode,
        row.first_seen_at,
        current,
        signed,
        decided,
        len(counted),
        _amendments(counted, within) if covered else (),
        tuple(aside),
        conflicts_of(state),
        awaited(current, counted, logs),
        tuple(logs),
        people.names(tx, {log.person for log in logs} | _named(counted)),
        devices.names(tx, {log.device for log in logs}),
    )


def records_of_log(tx: Tx, log: LogRow) -> Sequence[Record]:
    """All records of a log. S9: the device's person decides, not the name that an entry gives."""
    found = records_of(lines_of(tx, log.id), log.public_key, log.device, log.inspection)
    signed = log.kind != devices.ACCOUNT
    return [attributed(record, log.person, signed) for record in found]


def signed_records(current: Inspection, records: Iterable[Record]) -> list[Record]:
    """The records that the standing sign-offs cover (L7).

    A sign-off covers of each log that it lists the entries up to that position, and counts only
    where every such log has the stated hash there. Only what a device writes to its own sign-off
    path counts.
    """
    by_log = _by_log(records)
    upto: dict[str, int] = {}
    for device, slot in current.sign_offs.items():
        for sign_off in slot.heads:
            if sign_off.written.device != device:
                continue
            # What was signed is exactly what it lists: until all of that is here, nothing is.
            if all(_matches(log, by_log) for log in sign_off.logs):
                for log in sign_off.logs:
                    upto[log.device] = max(upto.get(log.device, 0), log.seq)
    return [
        record
        for device in sorted(upto)
        for seq, record in sorted(by_log[device].items())
        if seq <= upto[device]
    ]


def _matches(log: SignedLog, by_log: Mapping[str, Mapping[int, Record]]) -> bool:
    stated = by_log.get(log.device, {}).get(log.seq)
    return stated is not None and stated.h == log.h


def _amendments(records: Iterable[Record], within: set[tuple[str, int]]) -> tuple[Record, ...]:
    """What was written after the sign-off: the sign-off itself amends nothing."""
    return tuple(
        r
        for r in records
        if (r.device, r.seq) not in within and not (r.path or "").startswith("sign-off/")
    )


def awaited(
    current: Inspection, records: Iterable[Record], logs: Iterable[LogRow]
) -> tuple[Awaited, ...]:
    """Which entries that standing sign-offs cover have not arrived, or are not those (L7)."""
    by_log = _by_log(records)
    held = {log.device: log.seq for log in logs}
    found: list[Awaited] = []
    for device, slot in sorted(current.sign_offs.items()):
        for sign_off in slot.heads:
            for log in sign_off.logs if sign_off.written.device == device else ():
                here, last = by_log.get(log.device, {}), held.get(log.device, 0)
                if _matches(log, by_log):
                    continue
                if last < log.seq:
                    found.append(Awaited(device, log.device, log.seq - last, "missing"))
                elif log.seq not in here:
                    aside = log.seq - sum(1 for seq in here if seq <= log.seq)
                    found.append(Awaited(device, log.device, aside, "aside"))
                else:
                    found.append(Awaited(device, log.device, log.seq, "differs"))
    return tuple(found)


def _by_log(records: Iterable[Record]) -> dict[str, dict[int, Record]]:
    found: dict[str, dict[int, Record]] = {}
    for record in records:
        found.setdefault(record.device, {})[record.seq] = record
    return found


def _named(records: Iterable[Record]) -> set[str]:
    """Other people than the devices' whom entries name (S9)."""
    return {r.named for r in records if isinstance(r, Entry) and r.named}
