"""What was set aside, and what was adopted, against its chain and signatures (S3, L4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.services.branches import HashAt, walk
from server.store import logs
from server.store.branches import BranchRun
from server.store.logs import LogRow
from server.store.transaction import Tx
from sync.adopted import expand, is_adopted
from sync.log import Record, Unread, genesis, verify_signature
from sync.problems import Problem


@dataclass(frozen=True, slots=True)
class AsideFault:
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class AdoptedCount:
    """The adopted lines of one log: all of them, and those that no signature speaks for."""

    lines: int
    unsigned: int
    faults: tuple[AsideFault, ...]


def branch_faults(
    tx: Tx, runs: Sequence[BranchRun], keys: Mapping[str, bytes]
) -> Iterator[AsideFault]:
    """Every run that does not have its digest, its place in a chain, or its device's signature."""
    by_log: dict[tuple[str, str], list[BranchRun]] = {}
    for run in runs:
        by_log.setdefault((run.device, run.inspection), []).append(run)
    held = logs.find_logs(tx, by_log.keys()) if by_log else {}
    for key, of_log in by_log.items():
        public_key = keys.get(key[0])
        if public_key is None:
            yield AsideFault(_where(of_log[0]), "its device is not known here")
            continue
        held_hash = _held_hash(tx, held.get(key), public_key, key[1])
        walked = walk(of_log, held_hash)
        for run in of_log:
            why = _fault(run, public_key, held_hash, set(walked.at))
            if why is not None:
                yield AsideFault(_where(run), why)


def adopted_count(
    records: Sequence[Record], owners: Mapping[str, tuple[bytes, str]]
) -> AdoptedCount:
    """The adopted entries of one log; those whose line does not fit what is stated of it."""
    wrapped = {(r.device, r.seq) for r in records if is_adopted(r)}
    if not wrapped:
        return AdoptedCount(0, 0, ())
    found = expand(records, owners.get)
    came = [r for r in found if r.adopted is not None]
    faults = tuple(
        AsideFault(f"device {r.device}, inspection {r.inspection}, entry {r.seq}", r.why)
        for r in found
        if isinstance(r, Unread) and r.adopted is None and (r.device, r.seq) in wrapped
    )
    return AdoptedCount(len(came), sum(not r.adopted.signed for r in came if r.adopted), faults)


def _held_hash(tx: Tx, log: LogRow | None, public_key: bytes, inspection: str) -> HashAt:
    def held_hash(seq: int) -> bytes:
        if log is None or seq == 0:
            return genesis(public_key, inspection)
        return logs.hash_at(tx, log, seq) if seq <= log.seq else b""

    return held_hash


def _fault(
    run: BranchRun, public_key: bytes, held_hash: HashAt, known: set[tuple[int, bytes]]
) -> str | None:
    digest = hashlib.sha256(run.signature + b"\n".join(run.lines)).hexdigest()
    if digest != run.digest:
        return "its bytes do not have the digest that is stored"
    place = run.first - 1
    if run.before not in (None, held_hash(place)) and (place, run.before) not in known:
        return "neither the log nor its branch has the hash that it follows"
    ends = [h for seq, h in walk([run], held_hash).at if seq == run.last]
    try:
        verify_signature(public_key, ends[0], run.signature, run.inspection)
    except Problem:
        return "its device's signature does not fit its chain"
    return None


def _where(run: BranchRun) -> str:
    return f"branch of device {run.device}, inspection {run.inspection}, from entry {run.first}"
