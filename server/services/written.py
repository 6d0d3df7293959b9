"""When the entries of an inspection were written, as far as it can be proved (L9)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.context import Context
from server.store.logs import LogRow, find_logs, lines_of, segments_of
from server.store.transaction import Tx
from sync.log import DEVICE_LOG, Entry, Record, may_stand_below, read_line, records_of
from sync.nonce import read_nonce
from sync.problems import Problem
from sync.receipt import SignedBytes
from sync.written import Between, quoted_in, written_between


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """An entry and its interval; `offset_ms` is the server's clock less the device's when it was
    sent, None where the device did not tell its own. `at` is the device's claim put right by it.
    """

    record: Record
    between: Between
    offset_ms: int | None

    @property
    def at(self) -> int:
        return self.record.at + (self.offset_ms or 0)

    @property
    def doubtful(self) -> bool:
        """Whether even the corrected claim lies outside what is proved, by more than a minute."""
        low, high = self.between.not_before, self.between.not_after
        return bool(
            (low is not None and self.at < low - _MINUTE_MS)
            or (high is not None and self.at > high + _MINUTE_MS)
        )


_MINUTE_MS = 60_000  # an offset is measured over a network, and clocks drift between two syncs


def entries_of(ctx: Context, tx: Tx, log: LogRow) -> list[WrittenEntry]:
    """All entries of a log with their intervals, in the order of the log."""
    lines = lines_of(tx, log.id)
    records = records_of(lines, log.public_key, log.device, log.inspection)
    runs = segments_of(tx, log.id)
    given = nonces_given(ctx, tx, log.device) if any(quoted_in(r.path) for r in records) else {}
    between = written_between(records, given, [(run.last, run.received_at) for run in runs])
    found: list[WrittenEntry] = []
    at = 0
    for record in records:
        while at < len(runs) and runs[at].last < record.seq:
            at += 1
        offset = runs[at].offset_ms if at < len(runs) else None
        found.append(WrittenEntry(record, between[record.seq], offset))
    return found


def nonces_given(ctx: Context, tx: Tx, device: str) -> dict[str, int]:
    """Id -> when it was given, of the nonces that the device's own log quotes whole.

    Only what this server's key signed counts.
    """
    row = find_logs(tx, [(device, DEVICE_LOG)]).get((device, DEVICE_LOG))
    if row is None:
        return {}
    found: dict[str, int] = {}
    for seq, line in enumerate(lines_of(tx, row.id), start=1):
        if not may_stand_below(line, (b"device/nonce",)):
            continue
        read = read_line(line, device, DEVICE_LOG, seq, "")
        if isinstance(read, Entry) and quoted_in(read.path):
            found.update(_given(ctx, read))
    return found


def _given(ctx: Context, entry: Entry) -> Iterable[tuple[str, int]]:
    value = entry.value if isinstance(entry.value, Mapping) else {}
    try:
        signed = SignedBytes(
            base64.b64decode(str(value.get("payload")), validate=True),
            base64.b64decode(str(value.get("signature")), validate=True),
        )
        nonce = read_nonce(ctx.receipt_keys, signed)
    except (binascii.Error, ValueError, Problem):
        return ()
    return ((nonce.id, nonce.at),) if nonce.id == quoted_in(entry.path) else ()
