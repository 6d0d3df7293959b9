"""The one way in: a device's request -> verified, stored in one transaction, acknowledged.

CLI, phone, bundle and foreign clients all end here. Rules cited: S1, S2, S3, S4, S9, S12.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from server.context import Context
from server.services.changes import changes_after
from server.store import audit, files, gradings, logs
from server.store.transaction import Tx
from sync.inspection_reader import read_inspection
from sync.log import DEVICE_LOG, Entry, Head, Record, Segment, genesis
from sync.merge import merge
from sync.problems import Problem, problem
from sync.receipt import Receipt, ReceiptLog, SignedBytes, sign_receipt
from sync.session import (
    Answer,
    Append,
    Fork,
    Gap,
    LogState,
    Request,
    place_segment,
    read_request,
    write_answer,
)


@dataclass(slots=True)
class _Taken:
    """What one transaction took in."""

    states: list[LogState] = field(default_factory=list)
    heads: dict[tuple[str, str], ReceiptLog] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    facilities: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    receipt: SignedBytes | None = None


def receive(ctx: Context, device: str, person: str, body: bytes) -> bytes:
    """Take in a request (unpacked bytes) of an enrolled device; return the answer's bytes.

    The answer is made after the commit (S4). Raises the problems of sync.session.read_request,
    and `device-not-yours`, `cursor-malformed`.
    """
    request = read_request(body)
    if request.device != device:
        raise problem("device-not-yours")
    now = ctx.now()
    taken = _Taken()
    if request.segments or request.awaiting:
        taken = ctx.db.write(partial(_take_in, ctx=ctx, request=request, person=person, now=now))
    with ctx.db.read() as tx:
        page = changes_after(ctx, tx, person, device, request.cursor)
    missing = (taken.named | set(request.awaiting)) - taken.held
    return write_answer(
        Answer(
            taken.receipt,
            tuple(taken.states),
            tuple(sorted(missing)),
            page.changes,
            page.cursor,
            page.more,
            now,
        )
    )


def _take_in(tx: Tx, *, ctx: Context, request: Request, person: str, now: int) -> _Taken:
    taken = _Taken()
    offset = now - request.at if request.at is not None else 0
    for segment in request.segments:
        try:
            state = _take_segment(tx, segment, taken, now=now, offset_ms=offset)
        except Problem as refused:
            # 1. L4: only this segment is refused; nothing of it was written, the others go on.
            state = LogState(segment.device, segment.inspection, "refused", 0, refused.to_json())
        taken.states.append(state)
    # 2. S6: a digest answers as held only within the scope of the person who sends.
    asked = files.named_by(tx, person, request.awaiting) if request.awaiting else set()
    taken.held = files.held_for(tx, person, taken.named | asked)
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    for facility in sorted(taken.facilities):
        gradings.mark_stale(tx, facility, today, now)
    # 3. S4: the receipt is part of the transaction it speaks of and leaves after its commit.
    if taken.heads or taken.held:
        receipt = Receipt(
            ctx.id,
            audit.epoch(tx),
            now,
            request.device,
            tuple(taken.heads[key] for key in sorted(taken.heads)),
            tuple(sorted(taken.held)),
        )
        taken.receipt = sign_receipt(ctx.key, receipt)
        logs.keep_receipt(tx, request.device, taken.receipt, now)
    return taken


def _take_segment(tx: Tx, segment: Segment, taken: _Taken, *, now: int, offset_ms: int) -> LogState:
    owner = logs.owner_of(tx, segment.device)
    if owner is None:
        raise problem("device-not-yours")
    public_key, person = owner
    row = logs.find_log(tx, segment.device, segment.inspection)
    start = Head(0, genesis(public_key, segment.inspection))

    def held_lines(first: int, last: int) -> list[bytes]:
        return [] if row is None else logs.lines_of(tx, row.id, first, last)

    def held_hash(seq: int) -> bytes:
        return start.h if row is None or seq == 0 else logs.hash_at(tx, row, seq)

    held = start if row is None else row.head
    placed = place_segment(public_key, held, held_lines, held_hash, segment)
    state = partial(LogState, segment.device, segment.inspection)
    if isinstance(placed, Gap):
        return state("gap", placed.next_seq)
    if isinstance(placed, Fork):
        _set_aside(tx, segment, placed, now)
        return state("forked", placed.seq)
    if isinstance(placed, Append):
        logs.append(tx, segment, row, placed.lines, placed.head, now=now, offset_ms=offset_ms)
        _note_records(tx, segment, placed.records, taken, person, now)
        held = placed.head
    else:
        _note_names(tx, segment, taken)
    key = (segment.device, segment.inspection)
    taken.heads[key] = ReceiptLog(*key, held.seq, held.h.hex())
    return state("held", held.seq)


def _set_aside(tx: Tx, segment: Segment, fork: Fork, now: int) -> None:
    digest = hashlib.sha256(segment.signature + b"\n".join(segment.lines)).hexdigest()
    why = f"other bytes than held from entry {fork.seq} on"
    if logs.set_aside(tx, segment, why, digest, now):
        audit.record(
            tx,
            now,
            who=f"device:{segment.device}",
            action="log.forked",
            subject=f"log:{segment.device}/{segment.inspection}",
            detail={"seq": fork.seq, "branch": digest},
        )


def _note_records(
    tx: Tx,
    segment: Segment,
    records: Iterable[Record],
    taken: _Taken,
    person: str,
    now: int,
) -> None:
    """Keep what other parts look up: the inspection's facility and the files that are named."""
    if segment.inspection == DEVICE_LOG:
        return
    read = read_inspection(
        segment.inspection,
        merge(r for r in records if isinstance(r, Entry) and _indexed(r.path)),
    )
    # The creator's first entry fixes facility and mode, however the log is cut into requests (L5).
    told = (*read.about.heads, *read.about.earlier)
    about = min(told, key=lambda one: one.written.seq, default=None)
    facility = logs.touch_inspection(
        tx,
        segment.inspection,
        now,
        about.facility if about else None,
        about.mode if about else None,
    )
    if facility is not None:
        taken.facilities.add(facility)
    named = [
        files.NamedFile(e.sha256, segment.inspection, segment.device, person, e.media_type, e.kind)
        for slot in read.evidence.values()
        for e in slot.heads
    ]
    files.name_files(tx, named)
    taken.named.update(one.sha256 for one in named)


def _indexed(path: str) -> bool:
    return path == "about" or path.startswith("evidence/")


def _note_names(tx: Tx, segment: Segment, taken: _Taken) -> None:
    """Lines that came again name their files again, so that a lost answer is repeated whole."""
    taken.named.update(
        one.sha256 for one in files.names_in(tx, segment.inspection) if one.device == segment.device
    )


def receive_file(
    ctx: Context, person: str, sha256: str, chunks: Iterable[bytes]
) -> tuple[int | None, bool]:
    """Take in a file that an acknowledged entry names; return its size, and whether it is new.

    The digest is verified before the file counts (S6); bytes that this person sent before are not
    read again. Raises `file-not-named`, `file-digest`, `file-too-large`, `disk-full`.
    """
    with ctx.db.read() as tx:
        if not files.is_named_by(tx, sha256, person):
            raise problem("file-not-named", sha256=sha256)
        if files.held_for(tx, person, [sha256]):
            return None, False
    size = ctx.blobs.put(sha256, chunks)
    now = ctx.now()
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()

    def note(tx: Tx) -> None:
        for facility in files.hold(tx, sha256, size, person, now):
            gradings.mark_stale(tx, facility, today, now)

    ctx.db.write(note)
    return size, True
