"""Sealing an inspection into a bundle for the office (S11), before any receipt of the server.

The bundle is written, read back from its disk and held against what was written; only then does the
plain copy go. The server is asked about it at each sync until its receipts list all of it (S4).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit.blobs import CHUNK, Blobs
from fieldkit.bundle_content import BundledFile, Content, Maker, for_the_office, parted
from fieldkit.bundle_file import Tell, Written, write_bundles
from fieldkit.bundle_sealing import Seal
from fieldkit.carried import take_receipt
from fieldkit.disk import settle_folder
from fieldkit.ledger import MOST_AWAITED, Ledger
from fieldkit.passphrase import overwrite
from fieldkit.sealed_visits import (
    SealedVisit,
    as_it_stands,
    put_sealed,
    sealed_visits,
    settle_sealed,
    unsigned,
    used_elsewhere,
)
from fieldkit.server_keys import known_number, server_keys, trusted_keys
from fieldkit.store import Identity, Store
from fieldkit.transport import Transport
from sync.log import Segment, sign_head
from sync.problems import problem
from sync.receipt import Receipt, SignedBytes, read_receipt
from sync.session import Request, read_answer, write_request


def seal_into_bundle(
    maker: Maker, path: Path, inspection: str, tell: Tell
) -> tuple[SealedVisit, list[Written]]:
    """Write a signed inspection into bundles for the office at `path` and take it off this device.

    Raises `seal-too-early`, `sealing-key-unknown`, `file-missing`, `bundle-not-kept`, and what
    writing bundles raises; then everything is here still.
    """
    store, identity = maker.store, maker.identity
    why = unsigned(store, identity, inspection)
    if why is not None:
        raise problem("seal-too-early", inspection=inspection, why=why)
    drop_left(store, maker.blobs)  # an earlier command may have ended just before
    content = _whole(maker, inspection)
    sealed = as_it_stands(store, identity, inspection, maker.now)
    last = store.database.rows(
        "select path, line from lines where log = ? and device = ? and seq = ?",
        (inspection, identity.device, sealed.seq),
    )[0]
    seal = Seal([server_keys(store).sealing_key])
    written = write_bundles(path, maker, parted(content), seal, tell)
    for one in written:
        check_written(one)
    files = [f.sha256 for f in maker.ledger.files(inspection)]
    elsewhere = used_elsewhere(store, inspection)
    with store.database.write("what is sealed") as tx:
        put_sealed(tx, identity, sealed, elsewhere)
        # A sign-off says only which logs were signed; another last line may say more, and goes.
        asks_by = last[1] if str(last[0]).startswith("sign-off/") else None
        tx.execute(
            "insert into sealed_bundles (log, places, at, files, last_line) values (?, ?, ?, ?, ?)",
            (
                inspection,
                json.dumps([str(one.path.absolute()) for one in written], ensure_ascii=False),
                maker.now,
                json.dumps(files),
                asks_by,
            ),
        )
    settle_sealed(store)
    drop_left(store, maker.blobs)
    return sealed, written


def _whole(maker: Maker, inspection: str) -> Content:
    """All of an inspection that is here: files too that the server holds already."""
    content = for_the_office(maker, inspection, files=True)
    files = {one.sha256: one for one in content.files}
    for named in maker.ledger.files(inspection):
        size = maker.blobs.size(named.sha256)
        if size == named.size:
            files[named.sha256] = BundledFile(named.sha256, named.size)
        elif named.held_at is None:
            raise problem("file-missing", name=str(maker.blobs.path(named.sha256)))
    ordered = sorted(files.values(), key=lambda one: (one.size, one.sha256))
    return replace(content, files=tuple(ordered))


def check_written(written: Written) -> None:
    """Read a bundle back from its disk; raises `bundle-not-kept` unless it is what was written."""
    digest = hashlib.sha256()
    try:
        with written.path.open("rb") as file:
            if hasattr(os, "posix_fadvise"):  # from the disk, not from what memory has of it
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as exc:
        why = exc.strerror or "unknown"
        raise problem("bundle-not-kept", name=str(written.path), why=why) from exc
    if digest.hexdigest() != written.sha256:
        why = "it reads otherwise than it was written"
        raise problem("bundle-not-kept", name=str(written.path), why=why)


def drop_left(store: Store, blobs: Blobs) -> int:
    """Remove the copies of files that went into bundles and that nothing here names any more."""
    rows = store.database.rows("select files from sealed_bundles")
    if not rows:
        return 0
    named = {sha256 for (sha256,) in store.database.rows("select sha256 from files")}
    dropped = 0
    for sha256 in {d for (text,) in rows for d in json.loads(text)} - named:
        path = blobs.path(sha256)
        if path.is_file():
            overwrite(path)
            settle_folder(path.parent)
            dropped += 1
    return dropped


# -- what the server says of it (S4) ---------------------------------------------------------------


def confirm(store: Store, identity: Identity) -> None:
    """Note which bundles' inspections the receipts of the server's epoch list, whole."""
    waiting = [one for one in sealed_visits(store) if one.bundle and not one.bundle.confirmed_at]
    if not waiting:
        return
    receipts = _receipts(store)
    for visit in waiting:
        held = [r.at for r in receipts if _lists(r, identity, visit)]
        if held and not _lacking(store, visit.log, receipts):
            with store.database.write("what the server holds") as tx:
                tx.execute("pragma secure_delete = on")
                tx.execute(
                    "update sealed_bundles set confirmed_at = ?, last_line = null where log = ?",
                    (max(held), visit.log),
                )


def ask_after_bundles(
    store: Store, identity: Identity, key: Ed25519PrivateKey, transport: Transport, now: int
) -> None:
    """Ask the server whether it holds what was sealed into bundles; its receipts are kept.

    Raises what the transport raises, `answer-malformed`, `receipt-signature`, `receipt-unfit`.
    """
    confirm(store, identity)  # an answer may have come by bundle
    for log, line, seq, h in store.database.rows(
        "select b.log, last_line, seq, h from sealed_bundles b join sealed_visits v "
        "on v.log = b.log where confirmed_at is null and last_line is not null"
    ):
        lacking = _lacking(store, log, _receipts(store))
        request = Request(
            identity.device,
            store.note("cursor"),
            tuple(lacking[:MOST_AWAITED]),
            (Segment(identity.device, log, seq, (line,), sign_head(key, h)),),
            now,
            False,
            known_number(store),
        )
        # Only the receipt is taken: what changed comes with the conversation.
        answer = read_answer(transport.exchange(write_request(request)))
        if answer.receipt is not None:
            receipt = read_receipt(trusted_keys(store), answer.receipt)
            take_receipt(store.database, identity, answer.receipt, receipt)
    confirm(store, identity)


def _receipts(store: Store) -> list[Receipt]:
    """The receipts of the server's present epoch."""
    trusted, epoch = trusted_keys(store), store.note("epoch")
    signed = (SignedBytes(*one) for one in Ledger(store.database).receipts())
    found = (read_receipt(trusted, one) for one in signed)
    return [receipt for receipt in found if str(receipt.epoch) == epoch]


def _lists(receipt: Receipt, identity: Identity, visit: SealedVisit) -> bool:
    return any(
        one.log == visit.log
        and one.device == identity.device
        and (one.seq > visit.seq or (one.seq == visit.seq and one.h == visit.h.hex()))
        for one in receipt.logs
    )


def _lacking(store: Store, log: str, receipts: Iterable[Receipt]) -> list[str]:
    """The digests of a sealed inspection's files that no receipt lists."""
    rows = store.database.rows("select files from sealed_bundles where log = ?", (log,))
    listed = {sha256 for receipt in receipts for sha256 in receipt.files}
    return [sha256 for sha256 in json.loads(rows[0][0]) if sha256 not in listed]
