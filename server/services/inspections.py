"""An inspection as the server holds it: what counts, what was signed, what was set aside.

Rules cited: L7, S9 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.store import assignments, devices, people
from server.store.logs import LogRow, find_inspection, lines_of, logs_of
from server.store.transaction import Tx
from sync.inspection import Inspection, SignedLog
from sync.inspection_reader import read_inspection
from sync.log import Record, records_of
from sync.merge import merge


@dataclass(frozen=True, slots=True)
class Loaded:
    """One inspection, merged from its logs.

    `current` reads every entry that counts, `signed` exactly those that sign-offs cover (None
    while nothing is signed), `amendments` are the entries that came after. `counted` is how many
    entries count: what they say is in `current`, and is not kept twice. `set_aside` are entries
    of people who are not assigned to the facility (S9): visible, counted nowhere. `people` and
    `devices` give names. `first_seen_at` is the server's clock, UTC milliseconds.
    """

    id: str
    facility: str | None
    mode: str | None
    first_seen_at: int
    current: Inspection
    signed: Inspection | None
    counted: int
    amendments: tuple[Record, ...]
    set_aside: tuple[Record, ...]
    logs: tuple[LogRow, ...]
    people: Mapping[str, str]
    devices: Mapping[str, str]

    @property
    def inspection(self) -> Inspection:
        """What was signed, or while nothing is signed what there is."""
        return self.current if self.signed is None else self.signed


def load_inspection(tx: Tx, inspection_id: str) -> Loaded | None:
    """Read and merge all logs of an inspection; None when no line of it was ever held."""
    row = find_inspection(tx, inspection_id)
    if row is None:
        return None
    logs = logs_of(tx, inspection_id)
    assigned = assignments.people_of(tx, [row.facility]) if row.facility is not None else set()
    counted: list[Record] = []
    aside: list[Record] = []
    for log in logs:
        records = records_of(lines_of(tx, log.id), log.public_key, log.device, inspection_id)
        # S9: the device's person decides, not the name that an entry gives.
        (counted if log.person in assigned else aside).extend(records)
    current = read_inspection(inspection_id, merge(counted))
    covered = signed_records(current, counted)
    signed = read_inspection(inspection_id, merge(covered)) if covered else None
    within = {(r.device, r.seq) for r in covered}
    return Loaded(
        inspection_id,
        row.facility,
        row.mode,
        row.first_seen_at,
        current,
        signed,
        len(counted),
        _amendments(counted, within) if covered else (),
        tuple(aside),
        tuple(logs),
        people.names(tx, {log.person for log in logs} | _signers(current)),
        devices.names(tx, {log.device for log in logs}),
    )


def signed_records(current: Inspection, records: Iterable[Record]) -> list[Record]:
    """The records that the standing sign-offs cover (L7).

    A sign-off covers of each log that it lists the entries up to that position, and counts only
    where every such log has the stated hash there. Only what a device writes to its own sign-off
    path counts.
    """
    by_log: dict[str, dict[int, Record]] = {}
    for record in records:
        by_log.setdefault(record.device, {})[record.seq] = record
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


def _signers(current: Inspection) -> set[str]:
    return {s.written.by for slot in current.sign_offs.values() for s in slot.heads}
