"""An inspection as the server holds it: what counts, what was signed, what was set aside.

Rules cited: L7, S3, S8, S9 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.store import assignments, devices, people
from server.store.logs import (
    LogRow,
    find_inspection,
    lines_of,
    logs_of,
    owners_of,
    revoked_runs,
)
from server.store.transaction import Tx
from sync.adopted import expand, is_adopted
from sync.inspection import Inspection
from sync.inspection_reader import read_inspection
from sync.lineage import branch_up_to
from sync.log import Record, records_of
from sync.merge import merge


@dataclass(frozen=True, slots=True)
class Carried:
    """Entries of an ended generation that count and that another one's log carries: how many."""

    device: str
    by: str
    entries: int
    unsigned: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """One inspection, merged from its logs.

    `current` reads every entry that counts, `signed` exactly those that sign-offs cover (None
    while nothing is signed), `amendments` are the entries that came after. `counted` is how many
    entries count: what they say is in `current`, and is not kept twice. `set_aside` are entries
    of people who are not assigned to the facility (S9), `revoked` those that came after their
    device was revoked (S8): visible, counted nowhere. `adopted` says which entries that count came
    in the log of a later generation alone (S3). `people` and `devices` give names. `first_seen_at`
    is the server's clock, UTC milliseconds.
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
    revoked: tuple[Record, ...]
    adopted: tuple[Carried, ...]
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
    revoked: list[Record] = []
    marked = revoked_runs(tx, inspection_id)
    for log in logs:
        records = records_of(lines_of(tx, log.id), log.public_key, log.device, inspection_id)
        # S9: the device's person decides, not the name that an entry gives.
        if log.person not in assigned:
            aside += records
        elif log.device in marked:
            late = {n for first, last in marked[log.device] for n in range(first, last + 1)}
            counted += [r for r in records if r.seq not in late]
            revoked += [r for r in records if r.seq in late]
        else:
            counted += records
    counted = expand(counted, _Owners(tx, logs))
    adopted = _carried(counted)
    current = read_inspection(inspection_id, merge(counted))
    covered = signed_records(current, counted)
    signed = read_inspection(inspection_id, merge(covered)) if covered else None
    return Loaded(
        inspection_id,
        row.facility,
        row.mode,
        row.first_seen_at,
        current,
        signed,
        len({r.h for r in counted if not is_adopted(r)}),
        _amendments(counted, {r.h for r in covered}) if covered else (),
        tuple(aside),
        tuple(revoked),
        adopted,
        tuple(logs),
        people.names(tx, {log.person for log in logs} | _signers(current)),
        devices.names(tx, {log.device for log in logs} | {one.device for one in adopted}),
    )


class _Owners:
    """Device -> its key and person: of the inspection's logs, and of others when asked for."""

    def __init__(self, tx: Tx, logs: Iterable[LogRow]) -> None:
        self.tx = tx
        self.known: dict[str, tuple[bytes, str] | None] = {
            log.device: (log.public_key, log.person) for log in logs
        }

    def __call__(self, device: str) -> tuple[bytes, str] | None:
        if device not in self.known:
            found = owners_of(self.tx, [device]).get(device)
            self.known[device] = None if found is None else (found.public_key, found.person)
        return self.known[device]


def _carried(records: Iterable[Record]) -> tuple[Carried, ...]:
    given = list(records)
    held = {r.h for r in given if r.adopted is None}
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for record in given:
        if record.adopted is not None and record.h not in held and not is_adopted(record):
            of = found.setdefault((record.device, record.adopted.by), {})
            of[record.h] = record.adopted.signed
    return tuple(
        Carried(device, by, len(of), sum(not signed for signed in of.values()))
        for (device, by), of in sorted(found.items())
    )


def signed_records(current: Inspection, records: Iterable[Record]) -> list[Record]:
    """The records that the standing sign-offs cover (L7).

    A sign-off covers of each log that it lists the entries up to that position, and counts only
    where every such log has the stated hash there. Only what a device writes to its own sign-off
    path counts. Of a log that forked it is the branch with that hash, wherever it is carried (S3).
    """
    given = list(records)
    covered: set[str] = set()
    for device, slot in current.sign_offs.items():
        for sign_off in slot.heads:
            if sign_off.written.device != device:
                continue
            # What was signed is exactly what it lists: until all of that is here, nothing is.
            upto = [branch_up_to(given, log.device, log.seq, log.h) for log in sign_off.logs]
            if None not in upto:
                covered.update(*(one for one in upto if one is not None))
    carriers = {(r.device, r.seq) for r in given if r.h in covered and is_adopted(r)}
    return sorted(
        (r for r in given if r.h in covered or _carrier(r) in carriers),
        key=lambda r: (r.device, r.seq, r.h),
    )


def _carrier(record: Record) -> tuple[str, int] | None:
    return None if record.adopted is None else (record.adopted.by, record.adopted.seq)


def _amendments(records: Iterable[Record], within: set[str]) -> tuple[Record, ...]:
    """What was written after the sign-off: the sign-off itself amends nothing."""
    after = {
        r.h: r
        for r in records
        if r.h not in within and not is_adopted(r) and not (r.path or "").startswith("sign-off/")
    }
    return tuple(after.values())


def _signers(current: Inspection) -> set[str]:
    return {s.written.by for slot in current.sign_offs.values() for s in slot.heads}
