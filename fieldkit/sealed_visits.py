"""Sealing an inspection after its sign-off (S11): what the server holds safely goes from here.

What stays is that there was one, how far its log went, and the receipts. The log ends in the hash
that is kept, so lines that the server gives back are held against it and fill it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from fieldkit.blobs import Blobs
from fieldkit.capture import about_of, load_inspection
from fieldkit.carried import answered_at
from fieldkit.freeing import HOLD_MS, free, may_go
from fieldkit.interviews import count_waiting
from fieldkit.ledger import Ledger
from fieldkit.server_keys import trusted_keys
from fieldkit.signing import standing
from fieldkit.store import Identity, Store
from sync.log import genesis, link, read_line
from sync.problems import problem
from sync.receipt import SignedBytes, read_receipt


@dataclass(frozen=True, slots=True)
class SealedVisit:
    """An inspection that is not on this device any more; `sealed_at` is UTC milliseconds."""

    log: str
    facility: str
    seq: int
    h: bytes
    files: int
    sealed_at: int


def sealed_visits(store: Store) -> list[SealedVisit]:
    """The inspections that were sealed on this device, oldest first."""
    return [
        SealedVisit(*row)
        for row in store.database.rows(
            "select log, facility, seq, h, files, sealed_at from sealed_visits "
            "order by sealed_at, log"
        )
    ]


def seal_visit(
    store: Store, blobs: Blobs, identity: Identity, inspection: str, now: int
) -> SealedVisit:
    """Take a signed inspection off this device; raises `seal-too-early`, and OSError of files."""
    ledger = Ledger(store.database)
    why = obstacle(store, ledger, identity, inspection)
    if why is not None:
        raise problem("seal-too-early", inspection=inspection, why=why)
    facility = about_of(load_inspection(store, inspection)).facility
    files = ledger.files(inspection)
    free(ledger, blobs, inspection)
    head = next(h[1:] for h in store.heads(inspection) if h[0] == identity.device)
    sealed = SealedVisit(inspection, facility, *head, len(files), now)
    with store.database.write("what is sealed") as tx:
        now_at = tx.execute(
            "select max(seq) from lines where log = ? and device = ?",
            (inspection, identity.device),
        ).fetchone()[0]
        if now_at != head[0]:
            raise problem("seal-too-early", inspection=inspection, why="entries came meanwhile")
        _forget(tx, inspection)
        tx.execute(
            "insert into sealed_visits (log, facility, seq, h, files, sealed_at) "
            "values (?, ?, ?, ?, ?, ?)",
            (inspection, facility, *head, len(files), now),
        )
    # What was deleted is in the notes beside the file too, until they are written in.
    store.database.rows("pragma wal_checkpoint(truncate)")
    return sealed


def obstacle(store: Store, ledger: Ledger, identity: Identity, inspection: str) -> str | None:
    """Why an inspection cannot be sealed yet, in words; None where it can."""
    read = load_inspection(store, inspection)
    heads = {device: seq for device, seq, _ in store.heads(inspection)}
    if identity.device not in heads:
        return "nothing in it was recorded on this device"
    entries = {one.device: one.seqs for one in store.logs(inspection)}
    signed = standing(entries, read, store.carriers(inspection))
    if identity.device not in signed.devices:
        return "it is not signed off"
    if signed.after:
        return "entries came after the sign-off; sign again"
    if count_waiting(store, inspection):
        return "protected entries wait for the sign-off"
    if ledger.waiting_lines(identity, inspection):
        return "the server has not signed for all entries; sync first"
    answered = answered_at(store.database)
    files = ledger.files(inspection)
    if any(f.held_at is None for f in files):
        return "the server has not signed for all files; sync first"
    if not all(may_go(f, answered) for f in files):
        return "files are kept until seven days after the server's receipt; sync again then"
    since = _signed_for_at(store, identity, inspection, heads[identity.device])
    if since is None or answered - since < HOLD_MS:
        return "entries are kept until seven days after the server's receipt; sync again then"
    return None


def refill(store: Store, identity: Identity, log: str, lines: Sequence[bytes]) -> int:
    """Fill a sealed inspection again with its own lines as the server gives them back.

    Every line is held against the chain that ends in the hash kept here. Returns how many came;
    raises `lines-unfit` and keeps nothing of them then.
    """
    sealed = next((s for s in sealed_visits(store) if s.log == log), None)
    if sealed is None or len(lines) < sealed.seq:
        raise problem("lines-unfit", device=identity.device, log=log, why="lines are missing")
    h = genesis(identity.public_key, log)
    rows = []
    for seq, line in enumerate(lines[: sealed.seq], start=1):
        h = link(h, line)
        rows.append((log, identity.device, seq, _path_of(line, identity, log, seq, h), line, h))
    if h != sealed.h:
        why = "it ends in another hash than the one that was sealed"
        raise problem("lines-unfit", device=identity.device, log=log, why=why)
    with store.database.write("the inspection") as tx:
        tx.executemany(
            "insert into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)", rows
        )
        tx.execute("delete from sealed_visits where log = ?", (log,))
        # S5: colleagues' lines were left out meanwhile, and are read anew.
        tx.execute("delete from meta where name = 'cursor'")
    return len(rows)


def _path_of(line: bytes, identity: Identity, log: str, seq: int, h: bytes) -> str | None:
    return read_line(line, identity.device, log, seq, h.hex()).path


def _signed_for_at(store: Store, identity: Identity, inspection: str, seq: int) -> int | None:
    """When the server, in its epoch of now, first signed for the log up to there (UTC ms)."""
    epoch, trusted = store.note("epoch"), trusted_keys(store)
    for payload, signature in Ledger(store.database).receipts():
        receipt = read_receipt(trusted, SignedBytes(payload, signature))
        if str(receipt.epoch) == epoch and any(
            one.device == identity.device and one.log == inspection and one.seq >= seq
            for one in receipt.logs
        ):
            return receipt.at
    return None


def _forget(tx: Connection, inspection: str) -> None:
    # SQLite then writes zeros over what it deletes.
    tx.execute("pragma secure_delete = on")
    tx.execute(
        "delete from facts where sha256 in (select sha256 from files where log = ?)", (inspection,)
    )
    # What is left of colleagues' logs would not fit what comes of them once this is filled again.
    for table in ("lines", "files", "clocks", "holes", "proofs", "not_taken"):
        tx.execute(f"delete from {table} where log = ?", (inspection,))  # noqa: S608 - fixed text
    tx.execute("delete from meta where name = 'current' and value = ?", (inspection,))
