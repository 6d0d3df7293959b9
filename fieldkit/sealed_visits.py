"""Sealing an inspection after its sign-off (S11): what the server holds safely goes from here.

What stays is that there was one, how far its log went, and the receipts. The log ends in the hash
that is kept, so lines that the server gives back are held against it and fill it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from fieldkit.blobs import Blobs
from fieldkit.capture import about_of
from fieldkit.carried import answered_at
from fieldkit.confirmed import not_counted
from fieldkit.freeing import HOLD_MS, free, may_go
from fieldkit.glance import glance
from fieldkit.interviews import count_waiting
from fieldkit.ledger import Ledger
from fieldkit.server_keys import trusted_keys
from fieldkit.signing import standing
from fieldkit.store import FORMER, Identity, Store
from sync.log import genesis, link, read_line
from sync.nearest import nearest
from sync.problems import problem
from sync.receipt import SignedBytes, read_receipt


@dataclass(frozen=True, slots=True)
class InBundle:
    """Which bundles an inspection was sealed into, when (UTC ms), and when the server said that it
    holds all of it; None while it has not.
    """

    places: tuple[str, ...]
    at: int
    confirmed_at: int | None


@dataclass(frozen=True, slots=True)
class SealedVisit:
    """An inspection that is not on this device any more; `sealed_at` is UTC milliseconds."""

    log: str
    facility: str
    seq: int
    h: bytes
    files: int
    sealed_at: int
    bundle: InBundle | None = None


def sealed_visits(store: Store) -> list[SealedVisit]:
    """The inspections that were sealed on this device, oldest first."""
    return [
        SealedVisit(log, facility, seq, h, files, at, _in_bundle(*bundle))
        for log, facility, seq, h, files, at, *bundle in store.database.rows(
            "select v.log, facility, seq, h, v.files, sealed_at, places, b.at, confirmed_at "
            "from sealed_visits v left join sealed_bundles b on b.log = v.log "
            "order by sealed_at, v.log"
        )
    ]


def _in_bundle(places: str | None, at: int, confirmed_at: int | None) -> InBundle | None:
    return None if places is None else InBundle(tuple(json.loads(places)), at, confirmed_at)


def sealed_visit(store: Store, given: str) -> SealedVisit:
    """The sealed inspection that is meant, by the beginning of its id.

    Raises `inspection-unknown` and `inspection-which`.
    """
    sealed = sealed_visits(store)
    found = [one for one in sealed if one.log.startswith(given.lower())]
    known = [one.log for one in sealed]
    if not found:
        raise problem("inspection-unknown", inspection=given, nearest=nearest(given, known))
    if len(found) > 1:
        raise problem("inspection-which", nearest=", ".join(one.log for one in found))
    return found[0]


def seal_visit(
    store: Store, blobs: Blobs, identity: Identity, inspection: str, now: int
) -> SealedVisit:
    """Take a signed inspection off this device; raises `seal-too-early`, and OSError of files."""
    ledger = Ledger(store.database)
    why = obstacle(store, ledger, identity, inspection)
    if why is not None:
        raise problem("seal-too-early", inspection=inspection, why=why)
    sealed = as_it_stands(store, identity, inspection, now)
    free(ledger, blobs, inspection)
    with store.database.write("what is sealed") as tx:
        put_sealed(tx, identity, sealed, used_elsewhere(store, inspection))
    settle_sealed(store)
    return sealed


def as_it_stands(store: Store, identity: Identity, inspection: str, now: int) -> SealedVisit:
    """What is kept of an inspection that is to be sealed now."""
    facility = about_of(glance(store, inspection).inspection).facility
    head = next(h[1:] for h in store.heads(inspection) if h[0] == identity.device)
    files = len(Ledger(store.database).files(inspection))
    return SealedVisit(inspection, facility, *head, files, now)


def put_sealed(
    tx: Connection, identity: Identity, sealed: SealedVisit, elsewhere: Mapping[str, str]
) -> None:
    """Take an inspection out of the store within an open transaction.

    `elsewhere` names another inspection for files that one names too. Raises `seal-too-early` where
    entries came since `sealed` was put together.
    """
    head = tx.execute(
        "select max(seq) from lines where log = ? and device = ?", (sealed.log, identity.device)
    ).fetchone()
    if head[0] != sealed.seq:
        why = "entries came meanwhile; sign again"
        raise problem("seal-too-early", inspection=sealed.log, why=why)
    tx.executemany(
        "update files set log = ?, seq = 0 where sha256 = ? and log = ?",
        [(log, sha256, sealed.log) for sha256, log in elsewhere.items()],
    )
    _forget(tx, sealed.log)
    tx.execute(
        "insert into sealed_visits (log, facility, seq, h, files, sealed_at) "
        "values (?, ?, ?, ?, ?, ?)",
        (sealed.log, sealed.facility, sealed.seq, sealed.h, sealed.files, sealed.sealed_at),
    )


def settle_sealed(store: Store) -> None:
    """Write in the notes beside the store's file, where what was deleted is until then."""
    store.database.rows("pragma wal_checkpoint(truncate)")


def used_elsewhere(store: Store, inspection: str) -> dict[str, str]:
    """Digest -> another inspection here that names the file as evidence."""
    return {sha256: log for sha256, log, _ in store.evidence_uses(but_not=inspection)}


def unsigned(store: Store, identity: Identity, inspection: str) -> str | None:
    """Why an inspection is not ready to leave, whatever the server holds; None where it is."""
    read = glance(store, inspection).inspection
    heads = {device: seq for device, seq, _ in store.heads(inspection)}
    if identity.device not in heads:
        return "nothing in it was recorded on this device"
    aside = not_counted(store.database.rows, inspection)
    signed = standing(store.positions(inspection), read, store.carriers(inspection), aside)
    if identity.device not in signed.devices:
        return "it is not signed off"
    if signed.after:
        return "entries came after the sign-off; sign again"
    if signed.lacking.get(identity.device):
        return "entries that were signed do not count any more; sign again"
    if count_waiting(store, inspection):
        return "protected entries wait for the sign-off"
    if store.database.rows(
        "select 1 from meta where name >= ? and name < ? "
        "and not json_extract(value, '$.adopted') limit 1",
        (FORMER, FORMER[:-1] + "0"),
    ):
        return "entries under an earlier key are to be carried over; sync first"
    return None


def obstacle(store: Store, ledger: Ledger, identity: Identity, inspection: str) -> str | None:
    """Why an inspection cannot be sealed by the server's receipts yet; None where it can."""
    why = unsigned(store, identity, inspection)
    if why is not None:
        return why
    heads = {device: seq for device, seq, _ in store.heads(inspection)}
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
        tx.execute("delete from sealed_bundles where log = ?", (log,))
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
    tx.execute(
        "delete from bundled_files where sha256 in (select sha256 from files where log = ?)",
        (inspection,),
    )
    # What is left of colleagues' logs would not fit what comes of them once this is filled again.
    for table in ("lines", "holes", "proofs", "aside", "not_taken", "files", "clocks", "bundled"):
        tx.execute(f"delete from {table} where log = ?", (inspection,))  # noqa: S608 - fixed text
    tx.execute("delete from meta where name = 'current' and value = ?", (inspection,))
