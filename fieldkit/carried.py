"""What came by bundle, not over the network: receipts and changes of the office (S4, S5, S10).

A bundle may be slower than a sync that was made meanwhile, and older than a restored server. So
nothing of it takes back what is known already, and it says nothing about clocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

from fieldkit.database import Database
from fieldkit.ledger import (
    Ledger,
    acknowledge,
    begin_epoch,
    keep_checkpoint,
    take_change,
    take_changes,
)
from fieldkit.store import Identity, put_notes
from sync.receipt import Receipt, SignedBytes
from sync.session import Answer, Change


def answered_at(database: Database) -> int:
    """The server's clock when it last answered, by whichever way (UTC ms); 0 if never."""
    rows = database.rows("select value from meta where name in ('last_contact', 'carried_at')")
    return max((int(value) for (value,) in rows), default=0)


def take_receipt(
    database: Database, identity: Identity, signed: SignedBytes, receipt: Receipt
) -> bool:
    """Keep a receipt that was checked already; whether it is new here.

    One of an epoch that is over says nothing any more, and what is acknowledged stays so. Raises
    `receipt-unfit`.
    """
    with database.write("the receipt") as tx:
        there = tx.execute("select 1 from receipts where payload = ?", (signed.payload,))
        if there.fetchone() is not None or receipt.epoch < _epoch(tx):
            return False
        begin_epoch(tx, receipt.epoch)
        tx.execute(
            "insert into receipts (at, payload, signature) values (?, ?, ?)",
            (receipt.at, signed.payload, signed.signature),
        )
        acknowledge(tx, identity, _only_further(tx, receipt))
        keep_checkpoint(tx, receipt)
    return True


def take_answer(ledger: Ledger, identity: Identity, answer: Answer) -> bool:
    """Keep the changes of an answer, unless its epoch is over; whether they were kept.

    Raises `answer-malformed` and `server-keys-unfit`.
    """
    changes = ledger.checked(identity, answer)
    with ledger.database.write("what the office sent along") as tx:
        if answer.epoch is None or answer.epoch < _epoch(tx):
            return False
        begin_epoch(tx, answer.epoch)
        take_changes(tx, identity, changes)
        put_notes(tx, {"cursor": answer.cursor, "carried_at": str(answer.now)})
    return True


def keep_document(database: Database, kind: str, ref: str, body: Mapping[str, Any]) -> bool:
    """Keep a document that was checked; whether it was another one before."""
    said = json.dumps(body, ensure_ascii=False)
    with database.write("what came along") as tx:
        found = tx.execute(
            "select body from documents where kind = ? and ref = ?", (kind, ref)
        ).fetchone()
        if found is not None and found[0] == said:
            return False
        take_change(tx, Change(kind, ref, body))
    return True


def _epoch(tx: Connection) -> int:
    found = tx.execute("select value from meta where name = 'epoch'").fetchone()
    return 0 if found is None else int(found[0])


def _only_further(tx: Connection, receipt: Receipt) -> Receipt:
    """The receipt without logs that another one acknowledges as far or further."""
    known = {
        (device, log): seq
        for device, log, seq in tx.execute(
            "select device, log, seq from acknowledged where state = 'held'"
        )
    }
    logs = tuple(one for one in receipt.logs if known.get((one.device, one.log), 0) < one.seq)
    return replace(receipt, logs=logs)
