"""Any number of devices' requests taken in by one transaction: placed, stored, acknowledged.

Each table is asked and written once for all of them, so that a busy hour costs little more than a
quiet one. Rules cited: L5, S2, S3, S4, S6, S9.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from server.context import Context
from server.services import branches, sharing, urgent
from server.services.authority import Spoken, first_said, times_of
from server.services.carrying import innermost
from server.services.decisions_back import know_again, note_returned
from server.services.identifiers import day_of
from server.services.late import mark_carried
from server.services.refusals import note_refused
from server.services.sealed_names import files_of_sealed, row_of
from server.store import changes, checkpoints, files, gradings, logs, sealed
from server.store.logs import InspectionRow, LogKey, LogRow, NewLines, Owner, Touch, Touched
from server.store.transaction import Tx
from sync.hazard import ACKNOWLEDGED, PREFIX
from sync.inspection_reader import read_about, read_evidence
from sync.log import DEVICE_LOG, Entry, Head, Segment, genesis, lines_below, read_line
from sync.problems import Problem, problem
from sync.receipt import Receipt, ReceiptLog, SignedBytes, sign_receipt
from sync.sealed import named_files, read_sealed
from sync.session import (
    Append,
    Fork,
    Gap,
    Known,
    LogState,
    Placement,
    Request,
    place_segment,
)

# The families of paths whose entries other parts look up.
INDEXED = (b"about", b"evidence", b"sealed", b"adopted")
HAZARDS = (PREFIX.encode(), ACKNOWLEDGED.encode())
PREVIEW = "preview"  # the kind of a file that stands in for a photograph, and is no evidence


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, who sends it, and the server's clock when it came (UTC milliseconds)."""

    ctx: Context
    request: Request
    person: str
    now: int


@dataclass(slots=True)
class Taken:
    """What became of one request; `held` are those of the digests that are held for its sender,
    `gone` those that nobody is to send again, as consent was withdrawn (L8).

    `position` is the server's epoch and the number of its newest change at that moment.
    """

    states: list[LogState] = field(default_factory=list)
    heads: dict[LogKey, ReceiptLog] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    receipt: SignedBytes | None = None
    position: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A segment on its way in, and the request it came with."""

    segment: Segment
    asked: Asked
    taken: Taken
    n: int  # among all segments of the requests

    @property
    def key(self) -> LogKey:
        return self.segment.device, self.segment.inspection

    @property
    def offset_ms(self) -> int | None:
        at = self.asked.request.at
        # L9: the clock of whoever carries another's lines says nothing of theirs.
        carried = self.segment.device != self.asked.request.device
        return None if at is None or carried else self.asked.now - at


@dataclass(slots=True)
class _New:
    """What was appended in all rounds, by where it stood among the requests, and to what."""

    appended: dict[int, sharing.Appended] = field(default_factory=dict)
    rows: dict[str, InspectionRow] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)

    def in_order(self) -> list[sharing.Appended]:
        return [self.appended[n] for n in sorted(self.appended)]


def take_in(tx: Tx, requests: Sequence[Asked]) -> list[Taken]:
    """Take in these requests in order; the outcome is that of taking them one after another."""
    done = [Taken() for _ in requests]
    new = _New()
    for asked in requests:
        by = f"device:{asked.request.device}"
        know_again(tx, asked.ctx, asked.request.certificates, by, asked.now)
    for together in _rounds(requests, done):
        _take_segments(tx, together, new)
    for asked, taken in zip(requests, done, strict=True):
        note_refused(tx, asked.request.device, taken.states, asked.now)
    _note_held(tx, requests, done)
    # S5: numbers of changes are given last in the transaction.
    changes.tell_all(tx, sharing.news_of_lines(tx, new.in_order(), new.rows, new.placed))
    _acknowledge(tx, requests, done)
    return done


def _rounds(requests: Sequence[Asked], done: Sequence[Taken]) -> Iterator[list[_Incoming]]:
    """The segments in rounds that hold each log at most once, each inspection's in order."""
    rounds: list[list[_Incoming]] = []
    of_log: dict[LogKey, int] = {}
    of_inspection: dict[str, int] = {}
    numbers = count()
    for asked, taken in zip(requests, done, strict=True):
        for segment in asked.request.segments:
            one = _Incoming(segment, asked, taken, next(numbers))
            n = max(of_log.get(one.key, -1) + 1, of_inspection.get(segment.inspection, 0))
            of_log[one.key] = of_inspection[segment.inspection] = n
            if n == len(rounds):
                rounds.append([])
            rounds[n].append(one)
    return iter(rounds)


def _take_segments(tx: Tx, incoming: Sequence[_Incoming], new: _New) -> None:
    owners = logs.owners_of(tx, {one.segment.device for one in incoming})
    held = logs.find_logs(tx, [one.key for one in incoming])
    appended: list[tuple[_Incoming, Append]] = []
    for one in incoming:
        row = held.get(one.key)
        try:
            placed = _place(tx, one.segment, row, owners)
        except Problem as refused:
            # L4: only this segment is refused; nothing of it is written, the others go on.
            unproved = refused.code == "segment-signature"
            if not (unproved and _goes_on_a_branch(tx, one, row, owners)):
                _say(one, "refused", 0, refused)
            continue
        if isinstance(placed, Gap):
            if not _goes_on_a_branch(tx, one, row, owners):
                _say(one, "gap", placed.next_seq)
        elif isinstance(placed, Fork):
            held_hash = _held_hash(tx, one.segment, row, owners)
            fork = branches.begin(tx, one.segment, placed.seq, held_hash, one.asked.now)
            _say(one, "forked", fork)
        elif isinstance(placed, Known):
            # Only as far as it was sent: a device that was put back from a backup does not have
            # what the log holds beyond, and could not take a receipt for it (S3, S4).
            _acknowledge_head(one, placed.head)
            _note_names(tx, one)
        else:
            appended.append((one, placed))
            _acknowledge_head(one, placed.head)
    runs = [
        NewLines(
            one.segment,
            held.get(one.key),
            placed,
            one.asked.now,
            one.offset_ms,
            owners[one.segment.device].revoked,
        )
        for one, placed in appended
    ]
    logs.append(tx, runs)
    late = [_late_in(tx, run, owners[run.segment.device]) for run in runs]
    for one, placed in appended:
        if owners[one.segment.device].account:
            note_returned(tx, one.segment, placed, one.asked.request.device, one.asked.now)
        if one.segment.inspection != DEVICE_LOG:
            new.appended[one.n] = sharing.Appended(
                one.segment.inspection,
                one.segment.device,
                owners[one.segment.device].person,
                (placed.first, placed.head.seq),
                list(map(len, placed.lines)),
                one.key not in held,
                one.asked.now,
                owners[one.segment.device].account,
                owners[one.segment.device].revoked,
            )
    touched = _note_entries(tx, appended, owners, late)
    new.rows |= {row.id: row for row in touched.rows}
    new.placed |= touched.placed


def _late_in(tx: Tx, run: NewLines, owner: Owner) -> Collection[int]:
    """The positions of a run that wait for staff: it came after a revocation (S8, S3)."""
    if run.revoked:
        return range(run.new.first, run.new.head.seq + 1)
    if run.segment.inspection == DEVICE_LOG:
        return ()
    return mark_carried(tx, run, owner.person)


def _place(tx: Tx, segment: Segment, row: LogRow | None, owners: dict[str, Owner]) -> Placement:
    if segment.device not in owners:
        raise problem("device-not-yours")
    public_key = owners[segment.device].public_key

    def held_lines(first: int, last: int) -> list[bytes]:
        return [] if row is None else logs.lines_of(tx, row.id, first, last)

    head = Head(0, genesis(public_key, segment.inspection)) if row is None else row.head
    held_hash = _held_hash(tx, segment, row, owners)
    return place_segment(public_key, head, held_lines, held_hash, segment)


def _held_hash(
    tx: Tx, segment: Segment, row: LogRow | None, owners: dict[str, Owner]
) -> Callable[[int], bytes]:
    def held_hash(seq: int) -> bytes:
        if row is None or seq == 0:
            return genesis(owners[segment.device].public_key, segment.inspection)
        return logs.hash_at(tx, row, seq)

    return held_hash


def _goes_on_a_branch(tx: Tx, one: _Incoming, row: LogRow | None, owners: dict[str, Owner]) -> bool:
    """S3: whether a segment goes on a branch of its log; then it is set aside with that."""
    if row is None:
        return False
    public_key = owners[one.segment.device].public_key
    held_hash = _held_hash(tx, one.segment, row, owners)
    fork = branches.go_on(tx, one.segment, public_key, held_hash, one.asked.now)
    if fork is not None:
        _say(one, "forked", fork)
    return fork is not None


def _say(one: _Incoming, state: str, seq: int, refused: Problem | None = None) -> None:
    why = None if refused is None else refused.to_json()
    one.taken.states.append(LogState(*one.key, state, seq, why))


def _acknowledge_head(one: _Incoming, head: Head) -> None:
    _say(one, "held", head.seq)
    one.taken.heads[one.key] = ReceiptLog(*one.key, head.seq, head.h.hex())


def _note_names(tx: Tx, one: _Incoming) -> None:
    """Lines that came again name their files again, so that a lost answer is repeated whole."""
    for named in files.names_in(tx, one.segment.inspection):
        if named.device == one.segment.device:
            one.taken.named.add(named.sha256)


# -- what other parts look up ---------------------------------------------------------------------


def _note_entries(
    tx: Tx,
    appended: Sequence[tuple[_Incoming, Append]],
    owners: dict[str, Owner],
    late: Sequence[Collection[int]],
) -> Touched:
    """Keep the inspections' facilities and the files that are named, and have them graded."""
    named: list[files.NamedFile] = []
    protected: list[sealed.SealedRow] = []
    reported: list[urgent.Reported] = []
    abouts: dict[int, list[Spoken]] = {}
    for n, (one, new) in enumerate(appended):
        segment = one.segment
        if segment.inspection == DEVICE_LOG:
            continue
        abouts[n] = []
        person = owners[segment.device].person
        for seq, entry in _indexed(tx, segment, new):
            if entry.path == "about":
                # The creator's first entry fixes both, however the log is cut into requests (L5).
                about = read_about(entry)
                if about is not None:
                    times = times_of(entry.at, one.asked.now, one.offset_ms)
                    waits = seq in late[n]
                    abouts[n].append(Spoken(about.facility, about.mode, person, times, waits))
            elif entry.path.startswith((PREFIX, ACKNOWLEDGED)):
                reported.append(urgent.Reported(entry, one.asked.now))
            elif entry.path.startswith("sealed/"):
                found = read_sealed(entry)
                if found is not None:
                    protected.append(row_of(found, segment.inspection, segment.device))
                    named += files_of_sealed(found, segment.inspection, segment.device, person)
                    one.taken.named.update(file.sha256 for _, file in named_files(found))
            else:
                evidence = read_evidence(entry)
                if evidence is not None:
                    one.taken.named.add(evidence.sha256)
                    named.append(
                        files.NamedFile(
                            evidence.sha256,
                            segment.inspection,
                            segment.device,
                            person,
                            evidence.media_type,
                            evidence.kind,
                        )
                    )
                if evidence is not None and evidence.preview:
                    one.taken.named.add(evidence.preview)
                    small = (evidence.preview, segment.inspection, segment.device, person)
                    named.append(files.NamedFile(*small, "image/jpeg", PREVIEW))
    files.name_files(tx, named)
    sealed.note(tx, protected)
    said = first_said(tx, abouts)
    touches = [
        Touch(one.segment.inspection, one.asked.now, *said[n])
        for n, (one, _) in enumerate(appended)
        if n in said
    ]
    touched = logs.touch_inspections(tx, touches)
    urgent.note(tx, reported)
    stale = {facility: (day_of(at), at) for facility, at in touched.facilities.items()}
    gradings.mark_all_stale(tx, stale)
    return touched


def _indexed(tx: Tx, segment: Segment, new: Append) -> Iterator[tuple[int, Entry]]:
    """The new entries that name a facility or a file, by position; other lines are not even read.

    What an adopted line names is named by the device that carries it (S3), at its position there.
    """
    for n in lines_below(new.lines, (*INDEXED, *HAZARDS)):
        line, h, seq = new.lines[n], new.hashes[n].hex(), new.first + n
        read = innermost(tx, read_line(line, segment.device, segment.inspection, seq, h))
        if not isinstance(read, Entry):
            continue
        family = read.path.split("/")[0].encode()
        if family in INDEXED or read.path.startswith((PREFIX, ACKNOWLEDGED)):
            yield seq, read


# -- acknowledging (S4, S6) -----------------------------------------------------------------------


def _note_held(tx: Tx, requests: Sequence[Asked], done: Sequence[Taken]) -> None:
    """S6: a digest answers as held only within the scope of the person who sends."""
    awaited = {(asked.person, d) for asked in requests for d in asked.request.awaiting}
    asked_for = files.named_pairs(tx, awaited) if awaited else set()
    wanted = asked_for | {
        (asked.person, d) for asked, taken in zip(requests, done, strict=True) for d in taken.named
    }
    held = files.held_pairs(tx, wanted) if wanted else set()
    for asked, taken in zip(requests, done, strict=True):
        mine = taken.named.union(asked.request.awaiting)
        taken.held = {d for d in mine if (asked.person, d) in held}
    withdrawn = sealed.is_withdrawn(tx, {d for _, d in wanted - held})
    for taken in done if withdrawn else ():
        taken.gone = withdrawn


def _acknowledge(tx: Tx, requests: Sequence[Asked], done: Sequence[Taken]) -> None:
    """S4: a receipt is part of the transaction it speaks of and leaves after its commit."""
    epoch, _ = position = changes.position(tx)
    checkpoint = checkpoints.newest(tx)  # S13
    given: list[logs.NewReceipt] = []
    for asked, taken in zip(requests, done, strict=True):
        taken.position = position
        if taken.heads or taken.held:
            receipt = Receipt(
                asked.ctx.id,
                epoch,
                asked.now,
                asked.request.device,
                tuple(taken.heads[key] for key in sorted(taken.heads)),
                tuple(sorted(taken.held)),
                checkpoint,
            )
            taken.receipt = sign_receipt(asked.ctx.key, receipt)
            given.append(logs.NewReceipt(asked.request.device, taken.receipt, asked.now))
    logs.keep_receipts(tx, given)
