"""Holds everything that is stored against its digests, chains and signatures.

Nothing is changed. A wrong byte in a stored log is named by device, inspection and entry.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from checklists.discrepancies.declaration import read_declaration
from server.context import Context
from server.services.checkpoints import faults_in
from server.services.take_in import INDEXED
from server.services.verify_aside import adopted_count, branch_faults
from server.services.verify_log import LogFault, Walk, check_log, check_times
from server.store import audit, branches, checkpoints, sealed, stored
from server.store.devices import read_certificate as stored_certificate
from server.store.transaction import Tx
from server.store.types import storable_key
from sync import receipt as signing
from sync.adopted import expand
from sync.checkpoint import AUDIT, log_name
from sync.inspection import Inspection
from sync.inspection_reader import read_inspection
from sync.log import DEVICE_LOG, Entry, Record, device_id, may_stand_below, read_line
from sync.merge import merge
from sync.problems import Problem
from sync.receipt import Receipt, SignedBytes, read_receipt
from sync.sealed import named_files


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was stored: what kind of thing, where it lies, and why."""

    what: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `counts` says how many of each thing were looked at.

    Files that entries name and that have not arrived are counted as `files missing`: no fault.
    """

    faults: tuple[Fault, ...]
    counts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"faults": [asdict(fault) for fault in self.faults], "counts": self.counts}


@dataclass(slots=True)
class _Found:
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[tuple[str, str], list[tuple[int, str, int]]] = field(default_factory=dict)
    given_at: dict[int, int] = field(default_factory=dict)  # receipt -> the time that it says
    wanted: dict[str, set[int]] = field(default_factory=dict)  # what checkpoints hold of each log
    hashes: dict[tuple[str, int], set[str]] = field(default_factory=dict)  # and what stands there
    abouts: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    owners: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)  # inspections with a log that has a fault

    def fault(self, what: str, where: str, why: str) -> None:
        self.faults.append(Fault(what, where, why))


def verify(ctx: Context) -> Report:
    """Verify logs, certificates, receipts, checkpoints, files, audit trail, documents, filings."""
    found = _Found()
    with ctx.db.read() as tx, stored.damaged_text_shown(tx):
        keys = _devices(ctx, tx, found)
        _receipts(ctx, tx, found)
        _want_heads(tx, found)
        _logs(tx, found, keys)
        _inspections(tx, found)
        _branches(tx, found, keys)
        _audit(tx, found)
        _checkpoints(ctx, tx, found)
        _documents(tx, found)
        _declarations(tx, found)
        held = stored.all_files(tx)
        withdrawn = {one.key for one in sealed.all_withdrawn(tx)}
        found.counts["files missing"] = len(set(stored.missing_files(tx)) - withdrawn)
    _files(ctx, found, held)
    _withdrawn(ctx, found, withdrawn)
    return Report(tuple(found.faults), dict(sorted(found.counts.items())))


# -- devices and receipts (S4, S8) ----------------------------------------------------------------


def _devices(ctx: Context, tx: Tx, found: _Found) -> dict[str, bytes]:
    """Check every certificate; return the key to verify each device's logs with."""
    keys: dict[str, bytes] = {}
    for device in stored.all_devices(tx):
        found.counts["devices"] += 1
        where = f"device {device.id}"
        keys[device.id] = device.public_key
        found.owners[device.id] = (device.public_key, device.person)
        certified = _certified_key(ctx, device, found)
        if device_id(device.public_key) != device.id:
            found.fault("device", where, "its public key is not the one its id is made from")
            if certified is not None:
                keys[device.id] = certified
    return keys


def _certified_key(ctx: Context, device: stored.StoredDevice, found: _Found) -> bytes | None:
    where = f"device {device.id}"
    try:
        signed = stored_certificate(device.certificate)
        body = signing.read_certificate(ctx.receipt_keys, signed)
        key = base64.b64decode(str(body.get("public_key")), validate=True)
    except (Problem, ValueError):
        found.fault("certificate", where, "it is not signed by this server, or its bytes changed")
        return None
    told = (body.get("device"), key, body.get("person"))
    if told != (device.id, device.public_key, device.person):
        found.fault("certificate", where, "it speaks of another device, key or person")
    return key if device_id(key) == device.id else None


def _receipts(ctx: Context, tx: Tx, found: _Found) -> None:
    promised: dict[str, int] = {}
    made = {(one.n, one.id) for one in checkpoints.every(tx)}
    for row in stored.all_receipts(tx):
        found.counts["receipts"] += 1
        where = f"receipt {row.id} to device {row.device}"
        try:
            receipt = read_receipt(ctx.receipt_keys, SignedBytes(row.payload, row.signature))
        except Problem:
            found.fault("receipt", where, "it is not signed by this server, or its bytes changed")
            continue
        if (receipt.device, receipt.at, receipt.server) != (row.device, row.at, ctx.id):
            found.fault("receipt", where, "it says another device, time or server than is noted")
        if receipt.checkpoint is not None and receipt.checkpoint not in made:
            why = f"it quotes checkpoint {receipt.checkpoint[0]}, which is gone or another one now"
            found.fault("receipt", where, why)
        found.given_at[row.id] = receipt.at
        _note_acknowledged(found, receipt, row.id)
        promised.update(dict.fromkeys(receipt.files, row.id))
    # L8: a key that was destroyed at its owner's wish is not lost.
    here = {sha256 for sha256, _ in stored.all_files(tx)}
    here |= {one.key for one in sealed.all_withdrawn(tx)}
    for sha256, number in sorted(promised.items()):
        if sha256 not in here:
            found.fault("file", f"file {sha256}", f"receipt {number} says it is held; it is gone")


def _note_acknowledged(found: _Found, receipt: Receipt, number: int) -> None:
    for log in receipt.logs:
        heads = found.acknowledged.setdefault((log.device, log.log), [])
        heads.append((log.seq, log.h, number))


# -- logs (L4) ------------------------------------------------------------------------------------


def _logs(tx: Tx, found: _Found, keys: dict[str, bytes]) -> None:
    for log in stored.all_logs(tx):
        acknowledged = found.acknowledged.pop((log.device, log.inspection), [])
        rows = list(stored.lines_of(tx, log.id))
        segments = stored.segments_of(tx, log.id)
        found.counts["logs"] += 1
        found.counts["entries"] += len(rows)
        found.counts["segments"] += len(segments)
        key = keys.get(log.device)
        if key is None:
            found.fault("log", _log_name(log), "its device is not known here")
            continue
        walked = check_log(key, log, rows, segments, acknowledged)
        _note_hashes(found, log, walked)
        given = [(seq, number, found.given_at[number]) for seq, _, number in acknowledged]
        walked.faults += check_times(segments, given)
        _adopted(found, log, rows)
        for fault in walked.faults:
            found.fault("entry", f"{_log_name(log)}, {_entries(fault)}", fault.why)
        if walked.faults:
            found.damaged.add(log.inspection)
        elif log.inspection != DEVICE_LOG:
            _names(tx, found, log, rows)
    for (device, name), heads in sorted(found.acknowledged.items()):
        where = f"device {device}, inspection {name}, entry {max(seq for seq, _, _ in heads)}"
        found.fault("entry", where, "a receipt acknowledged it, but the whole log is not there")


def _names(tx: Tx, found: _Found, log: stored.StoredLog, rows: list[stored.StoredLine]) -> None:
    """What other parts look up of a log: its facility and mode, and the files it names."""
    read = _read_named(found, log, rows)
    for about in (*read.about.heads, *read.about.earlier):
        noted = (storable_key(about.facility), about.mode)
        found.abouts.setdefault(log.inspection, set()).add(noted)
    wanted = {e.sha256 for slot in read.evidence.values() for e in slot.heads}
    sealed = (s for slot in read.sealed.values() for s in slot.heads)
    wanted |= {file.sha256 for one in sealed for _, file in named_files(one)}
    for sha256 in sorted(wanted - stored.named_files(tx, log.inspection, log.device)):
        why = f"it names the file {sha256}, which is not in the list of named files"
        found.fault("file", _log_name(log), why)


def _read_named(found: _Found, log: stored.StoredLog, rows: list[stored.StoredLine]) -> Inspection:
    named = (
        r
        for r in expand(_read_some(log, rows, INDEXED), found.owners.get)
        if isinstance(r, Entry) and r.path.split("/")[0].encode() in INDEXED
    )
    return read_inspection(log.inspection, merge(named))


def _read_some(
    log: stored.StoredLog, rows: list[stored.StoredLine], families: tuple[bytes, ...]
) -> list[Record]:
    return [
        read_line(row.line, log.device, log.inspection, row.seq, _hash_or_place(row))
        for row in rows
        if may_stand_below(row.line, families)
    ]


def _hash_or_place(row: stored.StoredLine) -> str:
    return f"{row.seq:064x}" if row.h is None else row.h.hex()


def _inspections(tx: Tx, found: _Found) -> None:
    for row in stored.all_inspections(tx):
        found.counts["inspections"] += 1
        if row.id in found.damaged:
            continue  # what its entries say cannot be relied on; the fault itself is named
        told = found.abouts.get(row.id, set())
        facilities: set[str | None] = {facility for facility, _ in told} or {None}
        modes: set[str | None] = {mode for _, mode in told} or {None}
        if row.facility not in facilities or row.mode not in modes:
            why = "its facility or mode is noted as no entry of it says"
            found.fault("inspection", f"inspection {row.id}", why)


def _log_name(log: stored.StoredLog) -> str:
    return f"device {log.device}, inspection {log.inspection}"


def _entries(fault: LogFault) -> str:
    if fault.first == fault.last:
        return f"entry {fault.first}"
    return f"entries {fault.first} to {fault.last}"


# -- set aside, and adopted (S3) ------------------------------------------------------------------


def _branches(tx: Tx, found: _Found, keys: dict[str, bytes]) -> None:
    runs = branches.every(tx)
    found.counts["branches set aside"] = len({run.root for run in runs})
    for fault in branch_faults(tx, runs, keys):
        found.fault("branch", fault.where, fault.why)


def _adopted(found: _Found, log: stored.StoredLog, rows: list[stored.StoredLine]) -> None:
    records = _read_some(log, rows, (b"adopted",))
    count = adopted_count(records, found.owners)
    found.counts["adopted entries"] += count.lines
    found.counts["adopted without signature"] += count.unsigned
    for fault in count.faults:
        found.fault("adopted", fault.where, fault.why)


# -- everything else ------------------------------------------------------------------------------


def _files(ctx: Context, found: _Found, held: list[tuple[str, int]]) -> None:
    for sha256, size in held:
        found.counts["files"] += 1
        try:
            if ctx.blobs.size(sha256) != size:
                found.fault("file", f"file {sha256}", "it is gone, or not as long as it was")
            elif not ctx.blobs.digest_holds(sha256):
                found.fault("file", f"file {sha256}", "its bytes do not have this digest")
        except Problem as exc:
            if exc.code not in ("file-unreadable", "file-not-here"):
                raise  # says nothing about this file
            found.fault("file", f"file {sha256}", exc.happened)


def _withdrawn(ctx: Context, found: _Found, withdrawn: set[str]) -> None:
    """L8: what was to be destroyed is gone from the shelf."""
    for key in sorted(withdrawn):
        found.counts["keys destroyed"] += 1
        if ctx.blobs.size(key) is not None:
            why = "consent was withdrawn, and its bytes are still here; the worker destroys them"
            found.fault("file", f"file {key}", why)


def _audit(tx: Tx, found: _Found) -> None:
    found.counts["audit lines"] = audit.count(tx)
    for n, why in audit.faults(tx):
        found.fault("audit", f"audit line {n}", why)


# -- checkpoints (S13) ----------------------------------------------------------------------------


def _want_heads(tx: Tx, found: _Found) -> None:
    for one in checkpoints.every(tx):
        try:
            moved = checkpoints.moved_in(one.moved)
        except ValueError:
            continue  # said where the checkpoints themselves are looked at
        for name, (seq, _) in moved.items():
            found.wanted.setdefault(name, set()).add(seq)


def _note_hashes(found: _Found, log: stored.StoredLog, walked: Walk) -> None:
    name = log_name(log.device, log.inspection)
    for seq in found.wanted.get(name, ()):
        found.hashes[name, seq] = {one.hex() for one in walked.at(seq)}


def _checkpoints(ctx: Context, tx: Tx, found: _Found) -> None:
    def hold(name: str, seq: int) -> set[str]:
        if name == AUDIT:
            h = audit.hash_at(tx, seq)
            return set() if h is None else {h}
        return found.hashes.get((name, seq), set())

    for n, why in faults_in(ctx, checkpoints.every(tx), hold):
        found.fault("checkpoint", f"checkpoint {n}", why)
    found.counts["checkpoints"] = sum(1 for _ in checkpoints.every(tx))


def _documents(tx: Tx, found: _Found) -> None:
    for row in stored.all_documents(tx):
        found.counts["documents"] += 1
        if hashlib.sha256(row.body).hexdigest() != row.digest:
            found.fault("document", row.what, "its bytes do not have the digest that is stored")


def _declarations(tx: Tx, found: _Found) -> None:
    for row in stored.all_declarations(tx):
        found.counts["declarations"] += 1
        for why in _declaration_faults(row):
            found.fault("declaration", f"declaration {row.id} of {row.facility}", why)


def _declaration_faults(row: stored.StoredDeclaration) -> Iterator[str]:
    try:
        read = read_declaration(json.loads(row.body))
    except (Problem, ValueError):
        yield "its bytes are not a declaration any more"
        return
    if read.digest != row.digest:
        yield "what it says does not have the digest that is stored"
    if (read.facility, read.filed, read.speaks_of) != (row.facility, row.filed, row.speaks_of):
        yield "its facility or dates are noted otherwise than it says"
