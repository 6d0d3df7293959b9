"""Breakages of the device's side, and of what both sides share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import fieldkit.blobs
import fieldkit.bundle_verify
import fieldkit.database
import fieldkit.enrolling
import fieldkit.generations
import fieldkit.interviews
import fieldkit.ledger
import fieldkit.outbox
import fieldkit.passphrase
import fieldkit.shared
import fieldkit.store
import fieldkit.syncer
import fieldkit.vault
import sync.entry
import sync.log
import sync.merge
import sync.receipt
from fieldkit.home import PLAIN
from fieldkit.ledger import Ledger
from fieldkit.store import Writing
from sync.log import Unread
from sync.sealed import frame

from .broken import Broken, Swap

_append, _replaces, _heads = Writing.append, Writing._replaces, Writing.heads
_append_new = Writing.append_new


def _other_id() -> list[Swap]:
    def wrong(public_key: bytes) -> str:
        return "a" * 32

    return [(fieldkit.enrolling, "device_id", wrong)]


def _note_nothing() -> list[Swap]:
    def append(self: Writing, log: str, path: str, *rest: Any, **more: Any) -> str:
        return "" if path.startswith("device/signed/") else _append(self, log, path, *rest, **more)

    return [(Writing, "append", append)]


def _write_floats() -> list[Swap]:
    whole = sync.entry.write_line

    def write_line(seq: int, at: int, *rest: Any) -> bytes:
        line = whole(seq, at, *rest)
        return line.replace(b'"at":%d' % at, b'"at":%d.5' % at)

    return [(fieldkit.store, "write_line", write_line)]


def _serialise_again() -> list[Swap]:
    whole = fieldkit.syncer.write_request

    def write_request(request: Any) -> bytes:
        return whole(replace(request, segments=tuple(map(_again, request.segments))))

    def _again(segment: Any) -> Any:
        lines = (json.dumps(json.loads(one), ensure_ascii=False).encode() for one in segment.lines)
        return replace(segment, lines=tuple(lines))

    return [(fieldkit.syncer, "write_request", write_request)]


def _unread_is_nothing() -> list[Swap]:
    whole = sync.merge._merge_path

    def merge_path(path: str, records: list[Any], *rest: Any) -> Any:
        read = [one for one in records if not isinstance(one, Unread)]
        return whole(path, read or records, *rest)

    return [(sync.merge, "_merge_path", merge_path)]


def _latest_wins() -> list[Swap]:
    whole = sync.merge._merge_path

    def merge_path(path: str, records: list[Any], *rest: Any) -> Any:
        state = whole(path, records, *rest)
        return replace(state, heads=state.heads[:1], replaced=state.replaced + state.heads[1:])

    return [(sync.merge, "_merge_path", merge_path)]


def _replaces_dropped() -> list[Swap]:
    return [(Writing, "_replaces", lambda self, log, path: None)]


def _signs_more() -> list[Swap]:
    def heads(self: Writing, log: str) -> Any:
        return [(device, seq + 1, h) for device, seq, h in _heads(self, log)]

    return [(Writing, "heads", heads)]


def _cursor_dropped() -> list[Swap]:
    whole = fieldkit.ledger.put_notes

    def put_notes(tx: Any, notes: dict[str, str]) -> None:
        whole(tx, {name: value for name, value in notes.items() if name != "cursor"})

    return [(fieldkit.ledger, "put_notes", put_notes)]


def _again_is_new() -> list[Swap]:
    def append_new(self: Writing, log: str, path: str, value: Any) -> bool:
        self.append(log, path, value)
        return True

    return [(Writing, "append_new", append_new)]


def _gap_forgotten() -> list[Swap]:
    whole = fieldkit.ledger._take_state

    def take_state(tx: Any, identity: Any, state: Any) -> None:
        if state.state != "gap":
            whole(tx, identity, state)

    return [(fieldkit.ledger, "_take_state", take_state)]


def _gap_acknowledges() -> list[Swap]:
    def go_back(tx: Any, device: str, log: str, seq: int) -> None:
        fieldkit.ledger._put_state(tx, device, log, seq, "held", None)

    return [(fieldkit.ledger, "_go_back", go_back)]


def _sent_is_held() -> list[Swap]:
    def mark_sent(self: Ledger, sha256: str, now: int) -> None:
        with self.database.write("what was sent") as tx:
            tx.execute(
                "update files set sent_at = ?1, held_at = ?1 where sha256 = ?2", (now, sha256)
            )

    return [(Ledger, "mark_sent", mark_sent)]


def _any_receipt() -> list[Swap]:
    def verified(server_key: bytes, context: bytes, signed: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(signed.payload)
        return found

    return [(sync.receipt, "_verified", verified)]


def _unfit_receipt() -> list[Swap]:
    def acknowledge(tx: Any, identity: Any, receipt: Any) -> None:
        for one in receipt.logs:
            fieldkit.ledger._put_state(tx, one.device, one.log, one.seq + 1, "held", None)

    return [(fieldkit.ledger, "acknowledge", acknowledge)]


def _cursor_first() -> list[Swap]:
    whole = Ledger.take

    def take(self: Ledger, identity: Any, answer: Any, *rest: Any) -> bool:
        with self.database.write("the cursor") as tx:
            fieldkit.ledger.put_notes(tx, {"cursor": answer.cursor})
        return whole(self, identity, answer, *rest)

    return [(Ledger, "take", take)]


def _epochs_are_one() -> list[Swap]:
    def begin_epoch(tx: Any, epoch: int) -> bool:
        fieldkit.ledger.put_notes(tx, {"epoch": str(epoch)})
        return False

    return [(fieldkit.ledger, "begin_epoch", begin_epoch)]


def _any_text() -> list[Swap]:
    return [(fieldkit.ledger, "checked_change", lambda change, trusted: change)]


def _not_synced() -> list[Swap]:
    return [(fieldkit.blobs, "settle", lambda handle: None)]


def _name_first() -> list[Swap]:
    return [(fieldkit.blobs, "settle_folder", lambda folder: None)]


def _store_not_synced() -> list[Swap]:
    whole = fieldkit.database.Database.__init__

    def opened(self: Any, *given: Any, **more: Any) -> None:
        whole(self, *given, **more)
        self._conn.execute("pragma synchronous = off")

    return [(fieldkit.database.Database, "__init__", opened)]


def _no_limits() -> list[Swap]:
    return [(sync.entry, "MAX_ENTRY_BYTES", 10**9)]


def _adopts_nothing() -> list[Swap]:
    return [(fieldkit.generations, "entries_for", lambda run: iter(()))]


def _tombstone_takes_all() -> list[Swap]:
    def drop(tx: Any, identity: Any, log: str) -> None:
        tx.execute("delete from lines where log = ?", (log,))

    return [(fieldkit.shared, "drop_colleagues", drop)]


def _hazards_wait() -> list[Swap]:
    return [(fieldkit.outbox.Outbox, "urgent", lambda self, but_not=frozenset(): [])]


def _order_of_arrival() -> list[Swap]:
    def seal_at(at: int) -> int:
        return at

    return [(fieldkit.interviews, "day_start", seal_at)]


def _interviews_open() -> list[Swap]:
    whole = fieldkit.interviews.seal

    def seal(document: Any, *rest: Any) -> Any:
        sealed = whole(document, *rest)
        payload = frame({"what": "document"}, json.dumps(document, ensure_ascii=False).encode())
        named = {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
        return replace(sealed, payload=payload, value={**sealed.value, "payload": named})

    return [(fieldkit.interviews, "seal", seal)]


def _plain_left() -> list[Swap]:
    whole = fieldkit.passphrase.sweep

    def sweep(folder: Any, names: Any) -> None:
        if names != PLAIN:
            whole(folder, names)

    return [(fieldkit.passphrase, "sweep", sweep)]


def _bundle_unsigned() -> list[Swap]:
    def segment(self: Any, segment: Any) -> None:
        self._log(segment.inspection, segment.device)

    return [(fieldkit.bundle_verify.Found, "_segment", segment)]


def _any_passphrase() -> list[Swap]:
    return [(fieldkit.vault, "_stretch", lambda passphrase, salt, cost: b"k" * 32)]


UNIT = "tests/unit/fieldkit"
BROKEN = (
    Broken(
        "other-id",
        "L1",
        "a device's id is not made from its key",
        _other_id,
        f"{UNIT}/test_enrolling.py::test_an_enrolled_device_is_the_one_of_its_key",
    ),
    Broken("notes-nothing", "L2", "the device's own log does not note the heads", _note_nothing),
    Broken("floats", "L3", "entries hold numbers that are no integers", _write_floats),
    Broken("serialised-again", "L4", "lines are serialised again when sent", _serialise_again),
    Broken(
        "unread-is-nothing", "L4", "an unread line counts as what was before", _unread_is_nothing
    ),
    Broken("latest-wins", "L6", "of several heads the latest wins", _latest_wins),
    Broken(
        "replaces-dropped",
        "L6",
        "`replaces` is dropped",
        _replaces_dropped,
        f"{UNIT}/test_store.py::test_an_entry_names_what_it_replaces_only_where_others_wrote_too",
    ),
    Broken("signs-more", "L7", "a sign-off names entries that are not there", _signs_more),
    Broken(
        "hour-kept",
        "L8",
        "a sealed entry tells the time of day",
        _order_of_arrival,
        f"{UNIT}/test_interviews.py::test_a_sealed_entry_has_no_position_and_no_time_of_day",
    ),
    Broken(
        "interviews-open", "L8", "interviews are not sealed", _interviews_open, hint="confidence"
    ),
    Broken("cursor-dropped", "S1", "the cursor is not kept, all comes anew", _cursor_dropped),
    Broken(
        "again-is-new", "S2", "the same answer again is a second one", _again_is_new, hint="deaths"
    ),
    Broken("gap-forgotten", "S2", "a gap is forgotten", _gap_forgotten, hint="restored"),
    Broken(
        "adopts-nothing", "S3", "lines to carry over are dropped", _adopts_nothing, hint="forks"
    ),
    Broken(
        "gap-acknowledges",
        "S4",
        "an unsigned gap acknowledges",
        _gap_acknowledges,
        f"{UNIT}/test_syncer.py::test_a_gap_that_nobody_signed_never_acknowledges_anything",
    ),
    Broken("sent-is-held", "S4", "what was sent is marked as held", _sent_is_held),
    Broken(
        "any-receipt",
        "S4",
        "a receipt's signature is not verified",
        _any_receipt,
        f"{UNIT}/test_syncer.py::test_a_receipt_of_another_key_marks_nothing",
    ),
    Broken("unfit-receipt", "S4", "a receipt is not held against the log", _unfit_receipt),
    Broken("not-synced", "S4", "a file's bytes are not synced", _not_synced, hint="power"),
    Broken("name-not-synced", "S4", "a file's name is not synced", _name_first, hint="power"),
    Broken(
        "store-not-synced",
        "S4",
        "the device's store does not sync",
        _store_not_synced,
        f"{UNIT}/test_store.py::test_what_was_written_is_on_the_disk_when_the_command_ends",
    ),
    Broken(
        "cursor-first", "S5", "the cursor is saved before the changes", _cursor_first, hint="deaths"
    ),
    Broken(
        "epochs-are-one",
        "S5",
        "receipts count across epochs",
        _epochs_are_one,
        f"{UNIT}/test_syncer.py::test_a_server_restored_from_a_backup_is_offered_everything_again",
    ),
    Broken(
        "any-text",
        "S5",
        "a text is not held against its digest",
        _any_text,
        f"{UNIT}/test_syncer.py::test_a_text_that_is_not_its_digest_is_refused_with_its_whole_answer",
    ),
    Broken(
        "tombstone-takes-all",
        "S5",
        "a tombstone drops one's own lines",
        _tombstone_takes_all,
        f"{UNIT}/test_shared.py::test_a_tombstone_drops_colleagues_lines_and_keeps_ones_own_and_what_one_signed_for",
    ),
    Broken(
        "hazards-wait",
        "S7",
        "an urgent hazard waits for the rest",
        _hazards_wait,
        hint="hazards",
    ),
    Broken(
        "bundle-unsigned",
        "S10",
        "a bundle's segments are not verified",
        _bundle_unsigned,
        f"{UNIT}/test_bundles.py::test_what_does_not_verify_is_said",
    ),
    Broken(
        "any-passphrase",
        "S11",
        "any passphrase opens the device",
        _any_passphrase,
        f"{UNIT}/test_locking.py",
    ),
    Broken(
        "plain-left",
        "S11",
        "what was in plain stays after a passphrase is set",
        _plain_left,
        hint="locked",
    ),
    Broken("no-limits", "S12", "a writer does not look at the size of an entry", _no_limits),
)
