"""One stored log against its own chain, its segments' signatures and the receipts given for it.

Pure: rows in, faults out. Rules cited: L4, S4 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from server.store.stored import StoredLine, StoredLog, StoredSegment
from sync.log import genesis, link, verify_signature
from sync.problems import Problem

LINE = "its line was changed: its bytes do not have the chain hash kept for it"
HASH = "the chain hash kept for it was changed: it is not that of its line"
EITHER = "its line and the chain hash kept for it do not fit each other"


@dataclass(frozen=True, slots=True)
class LogFault:
    """What is wrong in a log; `first` and `last` are the entries it may concern (0: the log)."""

    first: int
    last: int
    why: str


@dataclass(slots=True)
class Walk:
    """A log walked from its genesis: what was found, and what the hash may be at each position.

    Where a line and its kept hash disagree there are two candidates until the next line, the
    head or nothing decides between them.
    """

    hashes: dict[int, tuple[bytes, ...]]
    last: int = 0
    faults: list[LogFault] = field(default_factory=list)
    undecided: int | None = None  # index of the fault that the next line decides

    def at(self, seq: int) -> tuple[bytes, ...]:
        return self.hashes.get(seq, ())


def walk(public_key: bytes, inspection: str, lines: Iterable[StoredLine]) -> Walk:
    """Recompute the chain over the stored bytes; every entry that does not fit is named (L4)."""
    found = Walk({0: (genesis(public_key, inspection),)})
    for row in lines:
        before = found.at(found.last)
        if row.seq != found.last + 1:
            missing = LogFault(found.last + 1, max(found.last + 1, row.seq - 1), "it is not there")
            found.faults.append(missing)
            before, found.undecided = (), None
        computed = [link(one, row.line) for one in before]
        _step(found, row, computed)
        found.last = row.seq
    return found


def _step(found: Walk, row: StoredLine, computed: list[bytes]) -> None:
    if row.h is None:
        found.hashes[row.seq] = tuple(computed)
    elif row.h in computed:
        found.hashes[row.seq] = (row.h,)
        _decide(found, row.seq - 1, computed.index(row.h))
    elif not computed:
        found.hashes[row.seq] = (row.h,)  # nothing to hold it against: the entry before is gone
    else:
        found.undecided = len(found.faults)
        found.faults.append(LogFault(row.seq, row.seq, EITHER))
        found.hashes[row.seq] = (computed[-1], row.h)


def _decide(found: Walk, seq: int, candidate: int) -> None:
    """What follows fits one of the two candidates at `seq`: so the other one was changed."""
    if found.undecided is None:
        return
    kept = found.hashes[seq]
    found.hashes[seq] = (kept[candidate],)
    found.faults[found.undecided] = LogFault(seq, seq, LINE if candidate else HASH)
    found.undecided = None


def check_log(
    public_key: bytes,
    log: StoredLog,
    lines: Iterable[StoredLine],
    segments: Sequence[StoredSegment],
    receipts: Iterable[tuple[int, str, int]] = (),
) -> Walk:
    """Walk a log and hold its head, signatures and receipts against it.

    `receipts` are (seq, h in hex, number of the receipt) that the server once signed for the log.
    """
    found = walk(public_key, log.inspection, lines)
    _check_head(found, log)
    _check_segments(found, public_key, log, segments)
    for seq, h, number in receipts:
        if h not in {one.hex() for one in found.at(seq)}:
            why = f"receipt {number} acknowledged it with another hash, or it was taken away"
            found.faults.append(LogFault(seq, seq, why))
    return found


def check_times(
    segments: Iterable[StoredSegment], receipts: Iterable[tuple[int, int, int]]
) -> list[LogFault]:
    """The runs that were noted as received at another time than the first receipt for them says.

    `receipts` are (seq, number of the receipt, its time); times are UTC milliseconds (L9).
    """
    given = sorted(receipts, key=lambda one: one[1])
    found: list[LogFault] = []
    for segment in segments:
        first = next((one for one in given if one[0] >= segment.last), None)
        if first is not None and first[2] != segment.received_at:
            why = f"they are noted as received at another time than receipt {first[1]} says"
            found.append(LogFault(segment.first, segment.last, why))
    return found


def _check_head(found: Walk, log: StoredLog) -> None:
    if log.seq != found.last:
        why = f"the log's head is noted as entry {log.seq}, but its last line is entry {found.last}"
        found.faults.append(LogFault(found.last, found.last, why))
        return
    ends = found.at(found.last)
    if log.h not in ends:
        why = "the log's head is noted with another hash than its last line has"
        found.faults.append(LogFault(found.last, found.last, why))
    else:
        _decide(found, found.last, ends.index(log.h))


def _check_segments(
    found: Walk, public_key: bytes, log: StoredLog, segments: Sequence[StoredSegment]
) -> None:
    before = 0
    for segment in segments:
        if not any(
            _signed(public_key, end, segment.signature, log) for end in found.at(segment.last)
        ):
            why = "the signature of this run of entries does not fit them"
            found.faults.append(LogFault(before + 1, segment.last, why))
        if segment.first != before + 1 or not segment.fits:
            why = "what is noted of this run of entries does not fit them: their places or lengths"
            found.faults.append(LogFault(before + 1, segment.last, why))
        before = segment.last
    if before != found.last:
        why = "no signature covers them" if before < found.last else "signed, but not there"
        first, last = sorted((before, found.last))
        found.faults.append(LogFault(first + 1, last, why))


def _signed(public_key: bytes, end: bytes, signature: bytes, log: StoredLog) -> bool:
    try:
        verify_signature(public_key, end, signature, log.inspection)
    except Problem:
        return False
    return True
