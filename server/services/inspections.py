"""An inspection as the server holds it: what counts, what was signed, what was set aside.

Rules cited: L6, L7, S3, S8, S9 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.services.authority import Authority, Parted, authority_at, part
from server.services.late import late_in
from server.store import devices, people
from server.store.admissions import Admission
from server.store.logs import (
    LogRow,
    find_inspection,
    lines_of,
    logs_of,
    owners_of,
)
from server.store.transaction import Tx
from sync.adopted import PREFIX, expand, is_adopted
from sync.conflicts import Conflict, conflicts_of, unsettled_of
from sync.entry import Entry, attributed
from sync.hazard import ACKNOWLEDGED
from sync.inspection import Inspection, SignedLog, SignOff
from sync.inspection_reader import read_inspection
from sync.lineage import branch_up_to
from sync.log import Record, records_of
from sync.merge import merge
from sync.ranges import count_in, holds, less, ranges_of
from sync.ruling import RULED


@dataclass(frozen=True, slots=True)
class Aside:
    """What of a log is set aside, and what staff ruled about that log, if they did.

    It is there because its writer was not assigned at that time (S9), or because it came after its
    device was revoked (S8), which `late` are. Nothing is aside where all of it was admitted; the
    ruling is still there to be taken back.
    """

    log: LogRow
    records: tuple[Record, ...]
    ruling: Admission | None
    late: frozenset[int] = frozenset()

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
    while nothing is signed), `amendments` are the entries that count and are not signed. Those of
    them that a sign-off says did not count when it was made are `left_out`, by their h. `decided`
    is `signed` with what officers decided since (None while nothing is signed). `counted` is how
    many entries count: what they say is in `current`, and is not kept twice. `aside` are entries
    of people who are not assigned to the facility (S9) or that came after their device was revoked
    (S8): visible, counted nowhere. `adopted` says which entries that count came in the log of a
    later generation alone (S3). `conflicts` are those of `current`, `unsettled` the answers by
    which one of those who disagreed ended theirs. `people` and `devices` give names.
    `first_seen_at` is the server's clock, UTC milliseconds.
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
    left_out: frozenset[str]
    aside: tuple[Aside, ...]
    adopted: tuple[Carried, ...]
    conflicts: tuple[Conflict, ...]
    unsettled: tuple[Conflict, ...]
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
        """The entries of people who were not assigned (S9)."""
        return tuple(r for one in self.aside for r in one.records if r.seq not in one.late)

    @property
    def revoked(self) -> tuple[Record, ...]:
        """The entries that came after their device was revoked (S8)."""
        return tuple(r for one in self.aside for r in one.records if r.seq in one.late)

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
    marked = late_in(tx, inspection_id)
    owners = Owners(tx, logs)
    for log in logs:
        late = marked.get(log.device, frozenset())
        parted = part_log(tx, authority, log, late, owners)
        counted.extend(parted.counted)
        ruling = authority.rulings.get((log.device, inspection_id))
        if parted.aside or ruling is not None:
            aside.append(Aside(log, parted.aside, ruling, late))
    counted = owners.attribute(expand(counted, owners))
    adopted = _carried(counted)
    state = merge(counted)
    current = read_inspection(inspection_id, state)
    covered = signed_records(current, counted)
    within = {r.h for r in covered}
    signed = decided = read_inspection(inspection_id, merge(covered)) if covered else None
    kept_here = {log.device for log in logs if log.kind == devices.ACCOUNT}
    rulings = [r for r in counted if r.device in kept_here and r.h not in within]
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
        len({r.h for r in counted if not is_adopted(r)}),
        _amendments(counted, within, kept_here) if covered else (),
        left_out(current, counted) - within if covered else frozenset(),
        tuple(aside),
        adopted,
        conflicts_of(state),
        unsettled_of(state),
        awaited(current, counted, logs),
        tuple(logs),
        people.names(tx, {log.person for log in logs} | _named(counted)),
        devices.names(tx, {log.device for log in logs} | {one.device for one in adopted}),
    )


def part_log(
    tx: Tx, authority: Authority, log: LogRow, late: Collection[int], owners: Owners
) -> Parted:
    """A log's records, parted into what counts and what is set aside (S8, S9)."""
    records = records_of_log(tx, log)
    return part(tx, authority, log, records, _claims(records, owners), late)


def set_aside(
    tx: Tx, authority: Authority, log: LogRow, late: Collection[int], came: Collection[int]
) -> frozenset[int]:
    """The positions of a log's entries that are set aside; `came` is when its runs did (UTC ms).

    Where everything came while its writer was expected, no line is read for it.
    """
    if log.kind == devices.ACCOUNT:
        return frozenset()
    ruling = authority.rulings.get((log.device, log.inspection))
    admitted = ruling is not None and ruling.covers(log.seq)
    expected = not late and all(authority.within(log.person, at) for at in came)
    if admitted or expected:
        return frozenset()
    parted = part_log(tx, authority, log, late, Owners(tx, [log]))
    return frozenset(record.seq for record in parted.aside)


class Owners:
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

    def attribute(self, records: Iterable[Record]) -> list[Record]:
        """Carried lines belong to their device's person too, whatever name they give (S9)."""
        found = []
        for record in records:
            owner = None if record.adopted is None else self(record.device)
            found.append(record if owner is None else attributed(record, owner[1]))
        return found


def _claims(records: Sequence[Record], owners: Owners) -> dict[str, int]:
    """Path of an adopted entry -> when the line that it carries claims to have been written."""
    if not any(is_adopted(record) for record in records):
        return {}
    return {
        f"{PREFIX}{record.device}/{record.seq}": record.at
        for record in expand(records, owners)
        if record.adopted is not None
    }


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


def records_of_log(tx: Tx, log: LogRow) -> Sequence[Record]:
    """All records of a log. S9: the device's person decides, not the name that an entry gives."""
    found = records_of(lines_of(tx, log.id), log.public_key, log.device, log.inspection)
    signed = log.kind != devices.ACCOUNT
    return [attributed(record, log.person, signed) for record in found]


def signed_records(current: Inspection, records: Iterable[Record]) -> list[Record]:
    """The records that the standing sign-offs cover (L7).

    A sign-off covers of each log that it lists the entries up to that position, less those that it
    says did not count for the signer, and counts only where every such log has the stated hash
    there and all that it covers is here. Only what a device writes to its own sign-off path counts.
    Of a log that forked it is the branch with that hash, wherever it is carried (S3).
    """
    given = list(records)
    covered: set[str] = set()
    for sign_off in _standing(current):
        # What was signed is exactly what it lists: until all of that is here, nothing is.
        parts = [_signed(given, log) for log in sign_off.logs]
        if None not in parts:
            covered.update(*(one for one in parts if one is not None))
    return sorted(_with_carried(given, covered), key=lambda r: (r.device, r.seq, r.h))


def left_out(current: Inspection, records: Iterable[Record]) -> frozenset[str]:
    """The h of every record that a standing sign-off says did not count when it was made (L7)."""
    given = list(records)
    found: set[str] = set()
    for log in (log for sign_off in _standing(current) for log in sign_off.logs if log.without):
        line = branch_up_to(given, log.device, log.seq, log.h) or {}
        found |= {h for seq, h in line.items() if holds(log.without or (), seq)}
    return frozenset(r.h for r in _with_carried(given, found))


def awaited(
    current: Inspection, records: Iterable[Record], logs: Iterable[LogRow]
) -> tuple[Awaited, ...]:
    """Which entries that standing sign-offs cover have not arrived, or are not those (L7)."""
    given = list(records)
    held = {log.device: log.seq for log in logs}
    found: list[Awaited] = []
    for sign_off in _standing(current):
        for log in sign_off.logs:
            if _signed(given, log) is not None:
                continue
            here = {r.seq for r in given if r.device == log.device and r.adopted is None}
            line = branch_up_to(given, log.device, log.seq, log.h)
            last = held.get(log.device, 0)
            if line is None and last < log.seq:
                count, why = count_in(less(log.covered, ((1, last),))), "missing"
            elif line is None and log.seq in here:
                count, why = count_in(log.covered), "differs"
            else:
                lie = ranges_of(sorted(here if line is None else line))
                count, why = count_in(less(log.covered, lie)), "aside"
            found.append(Awaited(sign_off.device, log.device, count, why))
    return tuple(found)


def _standing(current: Inspection) -> Iterator[SignOff]:
    """The sign-offs that stand, of each device those that it wrote itself."""
    for device, slot in sorted(current.sign_offs.items()):
        yield from (one for one in slot.heads if one.written.device == device)


def _signed(records: Sequence[Record], log: SignedLog) -> set[str] | None:
    """The h of every record that is signed of a log; None where not all of it is here.

    A sign-off that does not say what it is without is over whatever counts here now.
    """
    line = branch_up_to(records, log.device, log.seq, log.h)
    if line is None:
        return None
    covered = log.covered
    found = {h for seq, h in line.items() if holds(covered, seq)}
    return None if log.without is not None and len(found) < count_in(covered) else found


def _named(records: Iterable[Record]) -> set[str]:
    """Other people than the devices' whom entries name (S9)."""
    return {r.named for r in records if isinstance(r, Entry) and r.named}


def _with_carried(records: Sequence[Record], hashes: Collection[str]) -> Iterator[Record]:
    """These records, and those that they carry (S3)."""
    carriers = {(r.device, r.seq) for r in records if r.h in hashes and is_adopted(r)}
    return (r for r in records if r.h in hashes or _carrier(r) in carriers)


def _carrier(record: Record) -> tuple[str, int] | None:
    return None if record.adopted is None else (record.adopted.by, record.adopted.seq)


def _amendments(
    records: Iterable[Record], within: set[str], accounts: set[str]
) -> tuple[Record, ...]:
    """What counts and is not signed. The sign-off itself amends nothing, nor does the office's word
    that it has seen a hazard, or ruled an answer out.
    """
    after = {
        r.h: r
        for r in records
        if r.h not in within
        and not is_adopted(r)
        and not (r.path or "").startswith("sign-off/")
        and not (r.device in accounts and (r.path or "").startswith((ACKNOWLEDGED, RULED)))
    }
    return tuple(after.values())
