"""Breakages of the server's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import server.api.sync
import server.blobs
import server.schedule
import server.services.authority
import server.services.branches
import server.services.bundle_intake
import server.services.enrolment
import server.services.inspections
import server.services.intake
import server.services.programme
import server.services.resolution
import server.services.restore
import server.services.take_in
import server.services.uploads
import server.services.verify
import server.services.withdrawal
import server.services.written
import server.store.branches
import server.store.changes
import server.store.db
import server.store.logs
import server.store.postgres
import server.store.sqlite
import sync.log
import sync.session
from server.services.take_in import Asked
from sync.log import Head, link
from sync.session import Append, Gap, Known

from .broken import Broken, Swap


def _no_signature() -> list[Swap]:
    def verify_signature(*given: Any) -> None:
        return None

    return [(sync.log, "verify_signature", verify_signature)]


def _no_chain() -> list[Swap]:
    """Whatever follows the head is appended as if it had been verified."""

    def place(public_key: bytes, held: Head, lines: Any, hash_at: Any, segment: Any) -> Any:
        if segment.first > held.seq + 1:
            return Gap(held.seq + 1)
        new = segment.lines[max(held.seq - segment.first + 1, 0) :]
        if not new:
            return Known(held)
        hashes, h = [], held.h
        for line in new:
            h = link(h, line)
            hashes.append(h)
        return Append(held.seq + 1, tuple(new), tuple(hashes), Head(held.seq + len(new), h))

    return [(server.services.take_in, "place_segment", place)]


def _unread_refused() -> list[Swap]:
    whole = sync.session.place_segment

    def place(public_key: bytes, held: Head, lines: Any, hash_at: Any, segment: Any) -> Any:
        from sync.log import Unread, read_line
        from sync.problems import problem

        for n, line in enumerate(segment.lines, start=segment.first):
            if isinstance(read_line(line, segment.device, segment.inspection, n, ""), Unread):
                raise problem("segment-malformed", index=n, why="a line is not understood")
        return whole(public_key, held, lines, hash_at, segment)

    return [(server.services.take_in, "place_segment", place)]


def _files_unnamed() -> list[Swap]:
    return [(server.services.take_in, "INDEXED", (b"about",))]


def _known_refused() -> list[Swap]:
    whole = sync.session.place_segment

    def place(*given: Any) -> Any:
        from sync.problems import problem

        placed = whole(*given)
        if isinstance(placed, Known):
            raise problem("segment-malformed", index=0, why="these lines are here already")
        return placed

    return [(server.services.take_in, "place_segment", place)]


def _gap_is_held() -> list[Swap]:
    whole = server.services.take_in._say

    def say(one: Any, state: str, *rest: Any) -> None:
        if state == "gap":
            last = one.segment.first + len(one.segment.lines) - 1
            server.services.take_in._acknowledge_head(one, Head(last, b"\0" * 32))
            return
        whole(one, state, *rest)

    return [(server.services.take_in, "_say", say)]


def _early() -> list[Swap]:
    """The answer leaves before the commit: a commit that fails changes nothing about it."""
    whole = server.services.intake.receive

    def receive(ctx: Any, device: str, person: str, body: bytes) -> bytes:
        begun = ctx.db._writing

        def take(tx: Any, jobs: Sequence[Asked]) -> Any:
            return server.services.take_in.take_in(tx, jobs)

        class Early:
            def write_many(self, work: Any, job: Any) -> Any:
                value: list[Any] = []
                try:
                    with begun() as tx:
                        value.extend(take(tx, [job]))
                except Exception:
                    if not value:
                        raise
                return value[0]

            def __getattr__(self, name: str) -> Any:
                return getattr(ctx.db, name)

        return whole(replace(ctx, db=Early()), device, person, body)

    return [(server.api.sync, "receive", receive), (server.services.intake, "receive", receive)]


def _all_held() -> list[Swap]:
    def note_held(tx: Any, requests: Any, done: Any) -> None:
        for asked, taken in zip(requests, done, strict=True):
            taken.held = taken.named.union(asked.request.awaiting)

    return [(server.services.take_in, "_note_held", note_held)]


def _sweeps_files() -> list[Swap]:
    whole = server.schedule.sweep

    def sweep(ctx: Any) -> int:
        for one in list(ctx.blobs.listed()):
            ctx.blobs.shelf.remove(one.sha256)
        return whole(ctx)

    return [(server.schedule, "sweep", sweep)]


def _server_not_synced() -> list[Swap]:
    whole = server.store.sqlite._listen

    def listen(engine: Any, *, foreign_keys: bool) -> None:
        from sqlalchemy import event

        whole(engine, foreign_keys=foreign_keys)

        @event.listens_for(engine, "connect")
        def connect(raw: Any, _record: Any) -> None:
            raw.execute("PRAGMA synchronous = OFF")

    return [(server.store.sqlite, "_listen", listen)]


def _same_epoch() -> list[Swap]:
    return [(server.services.restore, "next_epoch", lambda known, now, bits: known)]


def _skips_changes() -> list[Swap]:
    def tell(tx: Any, people: Any, things: Any, at: int) -> None:
        whole(tx, people, list(things)[:-1], at)

    whole = server.store.changes.tell
    return [(server.services.programme, "tell", tell)]


def _digest_unverified() -> list[Swap]:
    def copy(chunks: Any, file: Any, staging: Any, sha256: str) -> int:
        data = b"".join(chunks)
        file.write(data)
        file.flush()
        return len(data)

    whole = server.services.uploads._finish

    def finish(ctx: Any, upload: Any, digest: str | None) -> None:
        whole(ctx, upload, upload.sha256)

    return [
        (server.blobs, "_copy", copy),
        (server.services.uploads, "_finish", finish),
    ]


def _link_twice() -> list[Swap]:
    import server.store.devices as devices

    whole = devices.invitation

    def invitation(tx: Any, digest: str) -> Any:
        found = whole(tx, digest)
        return None if found is None else replace(found, used_at=None, used_by=None)

    return [(devices, "invitation", invitation)]


def _all_counted() -> list[Swap]:
    def part(tx: Any, authority: Any, log: Any, records: Any, *rest: Any) -> Any:
        return server.services.authority.Parted(tuple(records), ())

    return [(server.services.inspections, "part", part)]


def _overwritten() -> list[Swap]:
    """The branch is not kept."""
    return [(server.services.branches, "_keep", lambda *given: given[3])]


def _no_checkpoint() -> list[Swap]:
    return [(server.services.verify, "faults_in", lambda *given: iter(()))]


def _no_lock() -> list[Swap]:
    return [(server.store.postgres, "_ENTER", "SELECT 1")]


def _later_dates() -> list[Swap]:
    whole = server.services.written.nonces_given

    def given(ctx: Any, tx: Any, device: str) -> dict[str, int]:
        return {name: at + 30 * 86_400_000 for name, at in whole(ctx, tx, device).items()}

    return [(server.services.written, "nonces_given", given)]


def _key_stays() -> list[Swap]:
    def destroy(ctx: Any) -> int:
        return 0

    return [(one, "destroy", destroy) for one in (server.services.withdrawal, server.schedule)]


def _ruling_lost() -> list[Swap]:
    return [(server.services.resolution, "append_entry", lambda *given: "0" * 64)]


def _bundle_drops() -> list[Swap]:
    intake = server.services.bundle_intake.Intake
    whole = intake.flush

    def flush(self: Any) -> None:
        self._waiting = self._waiting[:-1]
        whole(self)

    return [(intake, "flush", flush)]


def _again_is_news() -> list[Swap]:
    return [(server.services.bundle_intake.Imported, "changed", property(lambda self: True))]


UNIT = "tests/unit/server"
BROKEN = (
    Broken(
        "no-signature", "L4", "a segment's signature is not checked", _no_signature, hint="altered"
    ),
    Broken("no-chain", "L4", "neither chain nor held lines are checked", _no_chain, hint="altered"),
    Broken(
        "unread-refused", "L4", "a line that cannot be read refuses its segment", _unread_refused
    ),
    Broken("files-unnamed", "L5", "evidence entries are not looked at", _files_unnamed),
    Broken("later-dates", "L9", "a nonce counts as given a month later", _later_dates),
    Broken(
        "key-stays",
        "L8",
        "a key stays after consent is withdrawn",
        _key_stays,
        hint="confidence",
    ),
    Broken("known-refused", "S2", "lines that came before are refused", _known_refused),
    Broken("gap-is-held", "S2", "a gap is acknowledged", _gap_is_held, hint="restored"),
    Broken(
        "early",
        "S4",
        "the acknowledgement leaves before the commit",
        _early,
        f"{UNIT}/test_intake.py::test_what_could_not_be_committed_is_not_acknowledged",
    ),
    Broken("all-held", "S4", "a receipt lists files that are not held", _all_held),
    Broken(
        "sweeps-files",
        "S4",
        "the sweep takes files that entries name",
        _sweeps_files,
        f"{UNIT}/test_sweeping.py::test_the_worker_sweeps_what_nobody_moves_on_and_what_is_held_stays",
    ),
    Broken(
        "server-not-synced",
        "S4",
        "the server's database does not sync",
        _server_not_synced,
        f"{UNIT}/test_intake.py::test_a_write_is_on_the_disk_when_it_ends",
    ),
    Broken(
        "same-epoch",
        "S5",
        "a restored server goes on in the old epoch",
        _same_epoch,
        f"{UNIT}/test_backup.py::test_a_restored_server_has_the_same_rows_files_key_and_a_new_epoch",
    ),
    Broken(
        "skips-changes",
        "S5",
        "a change is not told",
        _skips_changes,
        f"{UNIT}/test_registry_api.py::test_s5_an_assignment_brings_everything_the_inspection_needs",
    ),
    Broken(
        "digest-unverified",
        "S6",
        "a file's digest is not verified",
        _digest_unverified,
        hint="files",
    ),
    Broken("link-twice", "S8", "an invitation may be used again", _link_twice),
    Broken("all-counted", "S9", "entries of the unassigned are counted", _all_counted),
    Broken(
        "ruling-lost", "S9", "an officer's ruling is not written", _ruling_lost, hint="two ways"
    ),
    Broken(
        "bundle-drops",
        "S10",
        "the office drops the last lines of a bundle",
        _bundle_drops,
        hint="sticks",
    ),
    Broken(
        "again-is-news",
        "S10",
        "a bundle that is read again is news",
        _again_is_news,
        hint="sticks",
    ),
    Broken(
        "branch-dropped",
        "S3",
        "a fork's branch is not kept",
        _overwritten,
        f"{UNIT}/test_branches.py::test_a_branch_is_set_aside_whole_however_it_is_cut",
    ),
    Broken(
        "no-checkpoint",
        "S13",
        "checkpoints are not held against what is stored",
        _no_checkpoint,
        "tests/unit/server/test_checkpoints.py::test_a_tail_that_was_taken_away_whole_is_found",
    ),
    Broken(
        "no-lock",
        "S5",
        "changes are numbered without the writer's lock",
        _no_lock,
        "tests/unit/server/test_postgres.py::test_a_write_holds_the_one_lock_to_its_end_and_a_read_holds_none",
    ),
)
