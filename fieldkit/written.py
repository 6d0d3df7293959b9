"""Between when entries on this device were written, as far as nonces and receipts prove (L9)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from fieldkit.ledger import Ledger
from fieldkit.server_keys import trusted_keys
from fieldkit.store import Store
from sync.log import DEVICE_LOG, Entry, Record
from sync.nonce import read_nonce
from sync.problems import Problem
from sync.receipt import Keys, SignedBytes, read_receipt
from sync.written import Between, quoted_in, written_between


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """An entry, the server's times between which it was written, and whether it counts (S9)."""

    record: Record
    between: Between
    counts: bool = True


def entries_of(store: Store, log: str) -> list[WrittenEntry]:
    """Every entry of an inspection, log by log in their order."""
    server_key = trusted_keys(store)
    given = _nonces(store, server_key)
    received = _received(store, server_key, log)
    by_device: dict[str, list[Record]] = {}
    waiting = {(device, seq) for device, seq, _ in store.waiting(log)}
    for record in store.records(log, waiting=True):
        by_device.setdefault(record.device, []).append(record)
    found: list[WrittenEntry] = []
    for device, records in by_device.items():
        between = written_between(records, given.get(device, {}), received.get(device, ()))
        found += [
            WrittenEntry(r, between[r.seq], (r.device, r.seq) not in waiting)
            for r in sorted(records, key=lambda r: r.seq)
        ]
    return found


def _nonces(store: Store, server_key: Keys) -> dict[str, dict[str, int]]:
    """Device -> the nonces that its own log quotes whole: id -> when the server gave it."""
    found: dict[str, dict[str, int]] = {}
    for record in store.records(DEVICE_LOG):
        if not isinstance(record, Entry) or quoted_in(record.path) is None:
            continue
        value = record.value if isinstance(record.value, Mapping) else {}
        try:
            signed = SignedBytes(
                base64.b64decode(str(value.get("payload")), validate=True),
                base64.b64decode(str(value.get("signature")), validate=True),
            )
            nonce = read_nonce(server_key, signed)
        except (binascii.Error, ValueError, Problem):
            continue  # it proves nothing
        found.setdefault(record.device, {})[nonce.id] = nonce.at
    return found


def _received(store: Store, server_key: Keys, log: str) -> dict[str, list[tuple[int, int]]]:
    """Device -> (last position, when the server acknowledged it), from the receipts here."""
    found: dict[str, list[tuple[int, int]]] = {}
    for payload, signature in Ledger(store.database).receipts():
        receipt = read_receipt(server_key, SignedBytes(payload, signature))
        for one in receipt.logs:
            if one.log == log:
                found.setdefault(one.device, []).append((one.seq, receipt.at))
    return found
