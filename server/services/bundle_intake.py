"""Bundles read by staff (S10): what a device wrote on a stick goes the way that a sync goes.

Segments end in `take_in`, as from a device: same verification, same quarantine, receipts in the
same transaction. A file is held only for those whose entries name it and came along (S6), once its
digest is verified. Reading a bundle again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

from server.blobs import SPOOL
from server.blobs.shelf import disk_problem
from server.context import Context
from server.services.decisions_back import forgotten_accounts, know_again
from server.services.identifiers import day_of
from server.services.rotation import former_sealing_keys
from server.services.take_in import Asked, take_in
from server.store import audit, files, gradings, logs, sealed
from server.store.files import ArrivedFile
from server.store.transaction import Tx
from sync.bundle import Opening
from sync.bundle_reader import (
    BundleReader,
    Certificate,
    Event,
    FileBegins,
    FileBytes,
    FileEnds,
    Lines,
    Skipped,
)
from sync.extract import extract_from_json
from sync.extract_carried import carried_segments
from sync.log import Segment
from sync.problems import Problem, problem
from sync.session import LogState, Request
from sync.unseal import Source, unseal

MOST_AT_ONCE = 4 * 1024**2  # bytes of segments that share a transaction

HELD, KNOWN, NOT_NAMED, DAMAGED = "held", "known", "not named", "damaged"
WITHDRAWN = "withdrawn"  # the key of a sealed entry that is not to be again (L8)


@dataclass(slots=True)
class Imported:
    """What became of a bundle's parts. `files` counts them by what became of them; `people` are
    devices and their persons whose lines came; `trouble` is what ended the reading early.
    """

    opening: Opening | None = None
    sha256: str = ""
    logs: dict[tuple[str, str], LogState] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    file_bytes: int = 0
    lines: int = 0
    people: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    trouble: Problem | None = None

    @property
    def brought(self) -> bool:
        """Whether anything came that is held now and was not here."""
        return bool(self.lines) or HELD in self.files.values()

    @property
    def worth_a_note(self) -> bool:
        """Whether the trail is to tell of it, once."""
        states = (s.state in ("forked", "refused") for s in self.logs.values())
        return self.brought or any(states)


@dataclass(slots=True)
class _Spool:
    """A file on its way in: its bytes so far, on this computer's disk."""

    path: Path
    file: IO[bytes]
    people: list[str]


class Intake:
    """The reading of one bundle; `who` reads it, as the audit trail names them."""

    def __init__(self, ctx: Context, who: str) -> None:
        self.ctx = ctx
        self.who = who
        self.done = Imported()
        self._waiting: list[Segment] = []
        self._spool: _Spool | None = None
        self._broken: set[tuple[str, str]] = set()  # logs of which a line was withheld

    def take(self, event: Event) -> None:
        """Take one part in; raises what makes the whole bundle unusable."""
        if isinstance(event, Opening):
            if event.server_key not in self.ctx.receipt_keys:
                raise problem("bundle-other-server", server=self.ctx.settings.public_url)
            self.done.opening = event
        elif isinstance(event, Certificate):
            self._certificate(event)
        elif isinstance(event, Segment):
            self._segment(event)
        elif isinstance(event, Lines):
            self._lines(event)
        elif isinstance(event, FileBegins):
            self.flush()
            self._begin_file(event)
        elif isinstance(event, FileBytes):
            self._write(event.data)
        elif isinstance(event, FileEnds):
            self._end_file(event)
        elif isinstance(event, Skipped):
            self.done.skipped[event.kind] = self.done.skipped.get(event.kind, 0) + 1

    # -- lines ------------------------------------------------------------------------------------

    def _certificate(self, event: Certificate) -> None:
        """S5: an account's, whose log may be forgotten here; a device is invited again."""
        ctx, signed, now = self.ctx, (event.signed,), self.ctx.now()
        with ctx.db.read() as tx:
            forgotten = forgotten_accounts(tx, ctx.receipt_keys, signed)
        if forgotten:
            ctx.db.write(lambda tx: know_again(tx, ctx, signed, self.who, now))

    def _lines(self, event: Lines) -> None:
        """A colleague's view of a log: its beginning, as far as nothing is withheld (S2)."""
        key = event.device, event.log
        if key in self._broken:
            return
        try:
            run = extract_from_json(json.loads(event.body))
        except (ValueError, RecursionError) as exc:
            raise problem("bundle-malformed", why=f"a run of lines: {exc}") from exc
        segments = list(carried_segments([run]))
        for segment in segments:
            self._segment(segment)
        if not segments:
            self._broken.add(key)

    def _segment(self, segment: Segment) -> None:
        here = self._waiting
        size = sum(sum(map(len, one.lines)) for one in here)
        if here and (here[0].device != segment.device or size > MOST_AT_ONCE):
            self.flush()
        self._waiting.append(segment)

    def flush(self) -> None:
        """Take in the segments that wait, of one device, in one transaction."""
        if not self._waiting:
            return
        device, waiting, self._waiting = self._waiting[0].device, self._waiting, []
        with self.ctx.db.read() as tx:
            owner = logs.owners_of(tx, {device}).get(device)
            new = [one for one in waiting if not self._is_here(tx, one)]
        if owner is not None:
            self.done.people[device] = owner.person
        if not new:
            return
        person = "" if owner is None else owner.person
        request = Request(device, None, (), tuple(new))
        before = self._heads(new)
        taken = self.ctx.db.write_many(take_in, Asked(self.ctx, request, person, self.ctx.now()))
        for state in taken.states:
            self.done.logs[state.device, state.log] = state
        after = self._heads(new)
        self.done.lines += sum(seq - before.get(key, 0) for key, seq in after.items())

    def _is_here(self, tx: Tx, segment: Segment) -> bool:
        """Whether all of a segment is held, byte for byte: then nothing of it is written again."""
        key = (segment.device, segment.inspection)
        row = logs.find_logs(tx, [key]).get(key)
        last = segment.first + len(segment.lines) - 1
        if row is None or row.seq < last:
            return False
        if tuple(logs.lines_of(tx, row.id, segment.first, last)) != segment.lines:
            return False
        self.done.logs[key] = LogState(*key, "held", row.seq)
        return True

    def _heads(self, segments: list[Segment]) -> dict[tuple[str, str], int]:
        keys = [(one.device, one.inspection) for one in segments]
        with self.ctx.db.read() as tx:
            return {key: row.seq for key, row in logs.find_logs(tx, keys).items()}

    # -- files ------------------------------------------------------------------------------------

    def _begin_file(self, event: FileBegins) -> None:
        people = set(self.done.people.values())
        asked = {(person, event.sha256) for person in people}
        with self.ctx.db.read() as tx:
            named = files.named_pairs(tx, asked)
            held = files.held_pairs(tx, named)
            withdrawn = sealed.is_withdrawn(tx, [event.sha256])
        if withdrawn:
            self.done.files[event.sha256] = WITHDRAWN
        elif not named:
            self.done.files[event.sha256] = NOT_NAMED
        elif named == held:
            self.done.files[event.sha256] = KNOWN
        else:
            folder = self.ctx.settings.incoming
            try:
                handle, name = mkstemp(prefix=SPOOL, dir=folder)
            except OSError as exc:
                raise disk_problem(exc, folder) from exc
            wanted = sorted(person for person, _ in named - held)
            self._spool = _Spool(Path(name), os.fdopen(handle, "wb"), wanted)

    def _write(self, data: bytes) -> None:
        if self._spool is not None:
            try:
                self._spool.file.write(data)
            except OSError as exc:
                raise disk_problem(exc, self.ctx.settings.incoming) from exc

    def _end_file(self, event: FileEnds) -> None:
        spool = self._spool
        if spool is None:
            return
        if not event.fits:
            self.done.files[event.sha256] = DAMAGED
            self.drop_spool()
            return
        # The bytes are durable before the row that says so.
        try:
            spool.file.flush()
            os.fsync(spool.file.fileno())
        except OSError as exc:
            raise disk_problem(exc, self.ctx.settings.incoming) from exc
        spool.file.close()
        self.ctx.blobs.adopt(event.sha256, spool.path)
        now = self.ctx.now()
        arrived = [ArrivedFile(event.sha256, event.size, one, now) for one in spool.people]
        self.drop_spool()
        if not self.ctx.db.write(lambda tx: _hold(tx, arrived, now)):
            self.ctx.blobs.destroy(event.sha256)
            self.done.files[event.sha256] = WITHDRAWN
            return
        self.done.files[event.sha256] = HELD
        self.done.file_bytes += event.size

    def drop_spool(self) -> None:
        """Forget the file that is on its way, if there is one."""
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.file.close()
            with suppress(FileNotFoundError):
                spool.path.unlink()


def _hold(tx: Tx, arrived: list[ArrivedFile], now: int) -> bool:
    """Count the file as held, unless it was withdrawn while it was on its way (L8)."""
    if sealed.is_withdrawn(tx, [one.sha256 for one in arrived]):
        return False
    touched = files.hold_all(tx, arrived)
    gradings.mark_all_stale(tx, {facility: (day_of(now), now) for facility in touched})
    return True


def read_bundle(
    ctx: Context,
    who: str,
    source: Source,
    *,
    name: str,
    passphrase: str | None = None,
    tell: Callable[[int], Any] = lambda read: None,
) -> Imported:
    """Read one bundle; what came before any damage is taken in, and `trouble` says what ended it.

    Raises only what concerns the whole file before anything was read: `bundle-not-sealed`,
    `bundle-for-another`, `bundle-passphrase-needed`, `bundle-passphrase-wrong`, `key-unusable`.
    """
    intake = Intake(ctx, who)
    reader, watched = BundleReader(), _Watched(source, tell)

    def feed(data: bytes) -> None:
        for event in reader.feed(data):
            intake.take(event)

    # S8: what a device sealed before it heard of a new key is opened with the one of then.
    keys = [ctx.sealing_key, *former_sealing_keys(ctx)]
    try:
        unseal(watched, feed, identities=keys, passphrase=passphrase, name=name)
        reader.close()
    except Problem as exc:
        if intake.done.opening is None:
            raise
        intake.done.trouble = exc
    finally:
        intake.drop_spool()
    # Lines that came whole are taken in whatever followed them.
    intake.flush()
    intake.done.sha256 = watched.digest.hexdigest()
    if intake.done.worth_a_note:
        ctx.db.write(lambda tx: _note(tx, intake))
    return intake.done


class _Watched:
    """The file as it is read: its digest, and how far."""

    def __init__(self, source: Source, tell: Callable[[int], Any]) -> None:
        self.source, self.tell = source, tell
        self.digest = hashlib.sha256()
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        data = self.source.read(size)
        self.digest.update(data)
        self.read_bytes += len(data)
        self.tell(self.read_bytes)
        return data


def _note(tx: Tx, intake: Intake) -> None:
    done = intake.done
    by = done.opening.device if done.opening is not None else None
    states = [state.state for state in done.logs.values()]
    detail = {
        "bundle": done.sha256,
        "by": by,
        "logs": {state: states.count(state) for state in sorted(set(states))},
        "lines": done.lines,
        "files": sum(1 for became in done.files.values() if became == HELD),
        "problem": None if done.trouble is None else done.trouble.code,
    }
    subject = f"device:{by}" if by else f"bundle:{done.sha256[:32]}"
    if not done.brought and _told_before(tx, subject, done.sha256):
        return
    audit.record(tx, intake.ctx.now(), intake.who, "bundle.read", subject, detail)


def _told_before(tx: Tx, subject: str, sha256: str) -> bool:
    """Whether the trail tells of this very bundle: what it could not give, it cannot give again."""
    read = (one for one in audit.lines(tx, subject) if one["action"] == "bundle.read")
    return any(one["detail"]["bundle"] == sha256 for one in read)
