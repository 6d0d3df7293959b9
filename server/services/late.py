"""What came after its device was revoked waits for staff, also in the log of another one (S8, S3).

Whoever has a revoked device's key can have its lines carried by another device of the same person.
Such an entry is marked when it makes them readable here, unless they were here before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from server.store import devices, logs
from server.store.logs import LogRow, NewLines, Run
from server.store.transaction import Tx
from sync.adopted import FAMILY, Owners, expand, is_adopted
from sync.entry import Entry, Record, lines_below, read_line
from sync.log import link

Place = tuple[str, int]  # device, position


def late_in(tx: Tx, inspection: str) -> dict[str, frozenset[int]]:
    """Device -> the positions of its log that wait for staff, as they came after a revocation."""
    found: dict[str, set[int]] = {}
    for device, runs in logs.revoked_runs(tx, inspection).items():
        for first, last in runs:
            found.setdefault(device, set()).update(range(first, last + 1))
    for (device, _), positions in logs.late_adopted(tx, [inspection]).items():
        found.setdefault(device, set()).update(positions)
    return {device: frozenset(positions) for device, positions in found.items()}


def mark_carried(tx: Tx, run: NewLines, person: str) -> frozenset[int]:
    """Mark what a run that was just appended makes readable of revoked devices' lines.

    The run is of a device of this person that is not revoked itself. Returns which of its entries
    are marked; entries that came before it may be too.
    """
    device, inspection, new = run.segment.device, run.segment.inspection, run.new
    if not lines_below(new.lines, (FAMILY.encode(),)):
        return frozenset()
    revoked = devices.revoked_of(tx, person)
    if not revoked:
        return frozenset()
    rows = logs.logs_of(tx, inspection)
    late = late_in(tx, inspection)
    carriers = [entry for row in rows for entry in _adopted_in(tx, row)]

    def in_time(entry: Entry) -> bool:
        fresh = entry.device == device and new.first <= entry.seq <= new.head.seq
        return not fresh and entry.seq not in late.get(entry.device, ())

    owners = _owners(tx)
    known = {r.h for r in expand([one for one in carriers if in_time(one)], owners)}
    came = [r for r in expand(carriers, owners) if r.adopted is not None]
    held = {row.device: row for row in rows}
    wanted = [
        r
        for r in came
        if r.device in revoked and r.h not in known and not _is_held(tx, r, held, late)
    ]
    marked: dict[str, set[int]] = {}
    for by, seq in _carriers_of(wanted, came, carriers):
        marked.setdefault(by, set()).add(seq)
    for by, positions in marked.items():
        logs.mark_late(tx, by, inspection, positions - late.get(by, frozenset()))
    return frozenset(marked.get(device, ()))


def _adopted_in(tx: Tx, log: LogRow) -> Iterator[Entry]:
    for run in logs.runs_of(tx, log.id, 1, log.seq):
        places = lines_below(run.lines, (FAMILY.encode(),))
        hashes = _hashes(tx, log, run) if places else ()
        for n in places:
            read = read_line(run.lines[n], log.device, log.inspection, run.first + n, hashes[n])
            if isinstance(read, Entry) and is_adopted(read):
                yield read


def _hashes(tx: Tx, log: LogRow, run: Run) -> list[str]:
    if run.hashes is not None:
        return [h.hex() for h in run.hashes]
    h = logs.hash_at(tx, log, run.first - 1)
    found = []
    for line in run.lines:
        h = link(h, line)
        found.append(h.hex())
    return found


def _owners(tx: Tx) -> Owners:
    known: dict[str, tuple[bytes, str] | None] = {}

    def owner(device: str) -> tuple[bytes, str] | None:
        if device not in known:
            found = logs.owners_of(tx, [device]).get(device)
            known[device] = None if found is None else (found.public_key, found.person)
        return known[device]

    return owner


def _is_held(
    tx: Tx, record: Record, held: Mapping[str, LogRow], late: Mapping[str, frozenset[int]]
) -> bool:
    """Whether its own log had this line before the device was revoked."""
    log = held.get(record.device)
    if log is None or record.seq > log.seq or record.seq in late.get(record.device, ()):
        return False
    return logs.hash_at(tx, log, record.seq).hex() == record.h


def _carriers_of(
    wanted: Iterable[Record], came: Iterable[Record], carriers: Iterable[Entry]
) -> Iterator[Place]:
    """The entries in logs held here that carry these, be it within others."""
    held = {entry.h: (entry.device, entry.seq) for entry in carriers}
    within: dict[str, set[str]] = {}
    for record in came:
        if record.adopted is not None:
            within.setdefault(record.h, set()).add(record.adopted.carrier)
    seen: set[str] = set()
    open_ = [r.adopted.carrier for r in wanted if r.adopted is not None]
    while open_:
        h = open_.pop()
        if h in seen:
            continue
        seen.add(h)
        if h in held:
            yield held[h]
        open_ += within.get(h, ())
