"""A fork's branch is set aside whole, in however many segments and requests it comes (S3, S2, L4).

Everything is held against the branch's own chain: what comes again is known, what goes on is kept,
and what no chain leads to is nobody's branch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from server.store import audit, branches
from server.store.branches import BranchRun
from server.store.transaction import Tx
from sync.log import Head, Segment, link, verify_chain
from sync.problems import Problem

HashAt = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch as a whole: where it left its log, how far it goes, and the runs it came in."""

    device: str
    inspection: str
    root: str
    fork: int
    last: int
    came_at: int
    runs: tuple[BranchRun, ...]

    @property
    def lines(self) -> int:
        return sum(len(run.lines) for run in self.runs)


def whole(runs: Iterable[BranchRun]) -> list[Branch]:
    """Runs put together to the branches that they are of, in the order in which those began."""
    by_root: dict[str, list[BranchRun]] = {}
    for run in runs:
        by_root.setdefault(run.root, []).append(run)
    return [
        Branch(
            of[0].device,
            of[0].inspection,
            root,
            of[0].fork,
            max(run.last for run in of),
            min(run.received_at for run in of),
            tuple(of),
        )
        for root, of in by_root.items()
    ]


@dataclass(slots=True)
class Walked:
    """The branches of a log walked along their chains: (position, chain hash) -> a run there.

    The runs are kept without their lines.
    """

    at: dict[tuple[int, bytes], BranchRun] = field(default_factory=dict)

    def starts(self, seq: int) -> list[bytes]:
        """The chain hashes that any branch has at a position."""
        return [h for place, h in self.at if place == seq]


def walk(runs: Iterable[BranchRun], held_hash: HashAt) -> Walked:
    """Walk runs; those that were kept without the hash before them follow the log."""
    found = Walked()
    for run in runs:
        h = held_hash(run.first - 1) if run.before is None else run.before
        kept = replace(run, lines=())
        for seq, line in enumerate(run.lines, start=run.first):
            h = link(h, line)
            found.at.setdefault((seq, h), kept)
    return found


def begin(tx: Tx, segment: Segment, fork: int, held_hash: HashAt, now: int) -> int:
    """Set aside a verified segment that leaves the log at `fork`; where its branch left it."""
    walked = walk(branches.of_log(tx, segment.device, segment.inspection), held_hash)
    return _keep(tx, segment, held_hash(segment.first - 1), fork, walked, now)


def go_on(tx: Tx, segment: Segment, public_key: bytes, held_hash: HashAt, now: int) -> int | None:
    """Set aside a segment that goes on a branch; where that left the log, None if none fits."""
    runs = branches.of_log(tx, segment.device, segment.inspection)
    walked = walk(runs, held_hash)
    for start in walked.starts(segment.first - 1):
        try:
            verify_chain(public_key, Head(segment.first - 1, start), segment)
        except Problem:
            continue
        return _keep(tx, segment, start, segment.first, walked, now)
    return None


def _keep(tx: Tx, segment: Segment, start: bytes, fork: int, walked: Walked, now: int) -> int:
    """Keep what is new of a segment whose chain begins after the hash `start`."""
    of, before, new_from = walked.at.get((segment.first - 1, start)), start, segment.first
    h = start
    for seq, line in enumerate(segment.lines, start=segment.first):
        h = link(h, line)
        known = walked.at.get((seq, h))
        if known is not None or seq < fork:  # lines before the fork stand in the log itself
            of, before, new_from = known or of, h, seq + 1
    lines = segment.lines[new_from - segment.first :]
    if lines:
        of = _put(tx, segment, (new_from, lines), before, fork, of, now)
    return fork if of is None else of.fork


def _put(
    tx: Tx,
    segment: Segment,
    new: tuple[int, tuple[bytes, ...]],
    before: bytes,
    fork: int,
    of: BranchRun | None,
    now: int,
) -> BranchRun:
    first, lines = new
    digest = hashlib.sha256(segment.signature + b"\n".join(lines)).hexdigest()
    at = fork if of is None else of.fork
    run = BranchRun(
        segment.device,
        segment.inspection,
        first,
        lines,
        segment.signature,
        digest,
        now,
        f"other bytes than held from entry {at} on",
        digest if of is None else of.root,
        at,
        before,
    )
    if branches.put(tx, run) and of is None:
        audit.record(
            tx,
            now,
            who=f"device:{segment.device}",
            action="log.forked",
            subject=f"log:{segment.device}/{segment.inspection}",
            detail={"seq": at, "branch": digest},
        )
    return run
