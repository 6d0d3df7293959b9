"""A server put back from a backup, in a new epoch: devices then offer what it no longer has (S5).

Into an empty database, of whichever kind, and a data folder without another key. Everything is
verified before anything is written. A restore that was cut short is begun anew by the same command.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity

from server.blobs import Blobs
from server.blobs.opening import open_blobs
from server.keys import RECEIPT_FILE, SEALING_FILE, read_sealing_key, sealing_bytes
from server.services.audit import CONSOLE
from server.services.backup_check import (
    AUDIT,
    FILE,
    check_run,
    destroyed_keys,
    file_fault,
    first_of,
    held_files,
    read_key,
)
from server.services.backup_folder import (
    BackupFolder,
    DamagedError,
    Manifest,
    Run,
    as_problem,
    read_manifest,
    write_whole,
)
from server.services.backup_part import read_rows, read_shape
from server.services.steps import Step, Tell, silent
from server.services.withdrawal import withdraw_again
from server.settings import Settings
from server.store import audit, copying, devices, files, gradings, restoring
from server.store.db import Database
from server.store.transaction import Tx
from sync.problems import Problem, problem
from sync.receipt import server_id

EPOCH_BITS = 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back. `left_out` are files whose bytes the backup does not have;
    `invitations_ended` were open at the time of the backup; `keys_destroyed` are those of sealed
    entries whose consent was withdrawn, before it or after (L8).
    """

    run: str
    made_at: int
    epoch: int
    rows: int
    files: int
    file_bytes: int
    left_out: tuple[str, ...]
    invitations_ended: int
    keys_destroyed: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a restore goes to, and what it may not make up itself: `now` in UTC milliseconds,
    `bits(n)` n random bits.
    """

    settings: Settings
    now: Callable[[], int]
    bits: Callable[[int], int]
    tell: Tell = silent


@dataclass(frozen=True, slots=True)
class _Copied:
    files: int
    file_bytes: int
    left_out: tuple[str, ...]


def restore(
    to: Surroundings,
    source: Path,
    *,
    run_name: str | None = None,
    key_file: Path | None = None,
    without_damaged_files: bool = False,
) -> Restored:
    """Restore the newest whole run, or the one named. The server must not be running.

    Raises `backup-none`, `noun-unknown`, `backup-newer`, `backup-damaged` (files alone may be
    damaged where it is to go on without them), `backup-key-missing`, `backup-key-other`,
    `restore-not-empty`, `table-refused`, `disk-full` and `folder-read-only`.
    """
    place = BackupFolder(source.resolve())
    run = place.find(run_name)
    damaged = _verified(place, run, without_damaged_files, to.tell)
    try:
        manifest = read_manifest(run)
        keys = _keys(run, manifest, key_file, to.settings)
        db = Database(to.settings.database_url)
        try:
            return _restore(to, place, run, manifest, keys, db, damaged)
        finally:
            db.close()
    except DamagedError as exc:
        raise _damaged(place, run, 1, f"{exc}.") from exc
    except OSError as exc:
        raise as_problem(exc, to.settings.data) from exc


def next_epoch(known: int, now: int, bits: Callable[[int], int]) -> int:
    """An epoch that no restore gave out before: of the same backup neither, nor with a wrong clock.

    It is above every epoch that the backup knows and above the second of the restore in units of
    2^20, plus 20 random bits; below 2^53, the protocol's largest integer, until the year 2242.
    """
    return max(known + 1, (now // 1000) << EPOCH_BITS) + bits(EPOCH_BITS)


# -- before anything is written -------------------------------------------------------------------


def _verified(place: BackupFolder, run: Run, without_files: bool, tell: Tell) -> set[str]:
    """The digests of files that are damaged in the backup, if it may go on without them."""
    faults = [one for one in check_run(place, run, tell).faults if one.what != AUDIT]
    if any(fault.what != FILE for fault in faults) or (faults and not without_files):
        raise _damaged(place, run, len(faults), first_of(faults))
    return {fault.where.removeprefix(f"{FILE} ") for fault in faults}


def _damaged(place: BackupFolder, run: Run, count: int, first: str) -> Exception:
    older = [one.name for one in place.runs() if one.whole and one.number < run.number]
    hint = f"An older run is there: --run {older[-1]}." if older else "No older run is there."
    detail = {"run": run.name, "count": count, "first": first, "hint": hint}
    return problem("backup-damaged", **detail)


def _keys(run: Run, manifest: Manifest, given: Path | None, settings: Settings) -> dict[str, bytes]:
    """The server's keys, file by file: each from where the receipt key is taken from."""
    keys = {RECEIPT_FILE: _key(run, manifest, given, settings).private_bytes_raw()}
    if manifest.recipient:
        sealing = _sealing_key(run, manifest, given, settings)
        keys[SEALING_FILE] = sealing_bytes(sealing)
    return keys


def _sealing_key(run: Run, manifest: Manifest, given: Path | None, settings: Settings) -> Identity:
    """The sealing key: beside the file that was given, in the backup, or where it is already."""
    there = settings.keys / SEALING_FILE
    places = [run.sealing_key if manifest.with_key else there, there]
    if given is not None:
        places.insert(0, given.with_name(SEALING_FILE))
    path = next((one for one in places if one.exists()), None)
    if path is None:
        raise problem("backup-sealing-key-missing", run=run.name, file=SEALING_FILE)
    for one in {path, there} if there.exists() else {path}:
        try:
            key = read_sealing_key(one)
        except (OSError, ValueError) as exc:
            raise problem("file-unreadable", name=str(one), why=str(exc)) from exc
        if str(key.to_public()) != manifest.recipient:
            hint = "Take the keys of the server that made the backup, and a new data folder."
            raise problem("backup-key-other", path=str(one), run=manifest.run, hint=hint)
    return key


def _key(run: Run, manifest: Manifest, given: Path | None, settings: Settings) -> Ed25519PrivateKey:
    """The server's key: from the file that was given, the backup, or where it is already."""
    there = settings.keys / RECEIPT_FILE
    path = given or (run.key if manifest.with_key else there)
    if given is None and not path.exists():
        raise problem("backup-key-missing", run=run.name)
    key = _fitting_key(path, manifest, "Give the right file with --key.")
    if there.exists():
        _fitting_key(there, manifest, "Restore into a new data folder (--data).")
    return key


def _fitting_key(path: Path, manifest: Manifest, hint: str) -> Ed25519PrivateKey:
    try:
        key = read_key(path)
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(path)) from exc
    except (OSError, ValueError) as exc:
        raise problem("file-unreadable", name=str(path), why=str(exc)) from exc
    if server_id(key.public_key().public_bytes_raw()) != manifest.server:
        raise problem("backup-key-other", path=str(path), run=manifest.run, hint=hint)
    return key


def _highest_epoch(place: BackupFolder) -> int:
    """The highest epoch that any run of the folder knows: the server may have been restored."""
    highest = 0
    for run in place.runs():
        with suppress(DamagedError, Problem):
            highest = max(highest, read_manifest(run).epoch)
    return highest


def _begin(db: Database, manifest: Manifest, now: int) -> None:
    if not db.knows(manifest.schema):
        raise problem("backup-newer", run=manifest.run, program=manifest.program)

    def work(tx: Tx) -> None:
        if not restoring.unfinished(tx):
            filled = restoring.filled(tx)
            if filled:
                raise problem("restore-not-empty", what=f"The database (table {filled[0]})")
        restoring.begin(tx, manifest.run, now)

    db.write(work)


# -- writing --------------------------------------------------------------------------------------


def _restore(
    to: Surroundings,
    place: BackupFolder,
    run: Run,
    manifest: Manifest,
    keys: dict[str, bytes],
    db: Database,
    damaged: set[str],
) -> Restored:
    settings = to.settings
    # 1. The mark: until it is gone nothing serves from this database.
    settings.data.mkdir(parents=True, exist_ok=True)
    _begin(db, manifest, to.now())
    for folder in (settings.files, settings.keys, settings.previews, settings.incoming):
        folder.mkdir(exist_ok=True, mode=0o700)
    # 2. The keys and the files; both may be there already, from a restore that was cut short.
    for name, data in keys.items():
        if not (settings.keys / name).exists():
            write_whole(settings.keys / name, data)
    lacking = damaged | {one.sha256 for one in manifest.lacking}
    withdrawn, blobs = destroyed_keys(place), open_blobs(settings)[0]
    copied = _copy_files(blobs, place, run, manifest, lacking, withdrawn, to.tell)
    # 3. The tables as they were, and then as they are in this version.
    db.migrate(manifest.schema)
    db.write(partial(_fill, run=run, manifest=manifest, tell=to.tell))
    to.tell(Step("bringing the tables up to date"))
    db.migrate()
    # 4. The new epoch, and with it the mark is taken away.
    known = _highest_epoch(place)
    finish = partial(_finish, to=to, manifest=manifest, copied=copied, known=known)
    return db.write(partial(finish, withdrawn=withdrawn))


def _copy_files(
    into: Blobs,
    place: BackupFolder,
    run: Run,
    manifest: Manifest,
    lacking: set[str],
    withdrawn: Collection[str],
    tell: Tell,
) -> _Copied:
    """Copy what is not there yet; what was there before is verified. What the backup lacks may
    have outlived on the server's own disk. Withdrawn keys go from there too (L8).
    """
    count = done = 0
    left_out = []
    for key in withdrawn:
        into.destroy(key)
    for sha256, size in held_files(run):
        tell(Step("copying files", done, manifest.file_bytes))
        if sha256 in withdrawn:
            continue
        if file_fault(into, sha256, size) is not None:
            if sha256 in lacking:
                left_out.append(sha256)
                continue
            into.put(sha256, place.files.chunks(sha256))
        count, done = count + 1, done + size
    return _Copied(count, done, tuple(left_out))


def _fill(tx: Tx, *, run: Run, manifest: Manifest, tell: Tell) -> None:
    for part in manifest.parts:
        tell(Step(f"filling table {part.table}"))
        path = run.part(part.table)
        shape = read_shape(path)
        copying.fill(tx, shape, read_rows(path, shape))
        if shape.to_itself:
            copying.tie(tx, shape, read_rows(path, shape))


def _finish(
    tx: Tx,
    *,
    to: Surroundings,
    manifest: Manifest,
    copied: _Copied,
    known: int,
    withdrawn: Mapping[str, Mapping[str, Any]],
) -> Restored:
    now = to.now()
    copying.go_on_counting(tx)
    # A file that is not there any more is not held: whoever has it is asked for it again.
    files.let_go(tx, copied.left_out)
    withdraw_again(tx, withdrawn.values(), now)
    epoch = next_epoch(max(known, audit.epoch(tx)), now, to.bits)
    audit.begin_epoch(tx, epoch, now)
    # S8: whether a code that was open then was used since is not known here; it is used up.
    ended = devices.end_invitations(tx, now)
    gradings.mark_again(tx, [one.facility for one in gradings.every(tx)], now)
    detail = {
        "run": manifest.run,
        "made_at": manifest.made_at,
        "epoch": epoch,
        "epoch_before": manifest.epoch,
        "files_left_out": list(copied.left_out),
        "invitations_ended": ended,
        "keys_destroyed": sorted(withdrawn),
    }
    audit.record(tx, now, CONSOLE, "server.restore", f"server:{manifest.server}", detail)
    restoring.finish(tx)
    return Restored(
        manifest.run,
        manifest.made_at,
        epoch,
        sum(part.rows for part in manifest.parts),
        copied.files,
        copied.file_bytes,
        copied.left_out,
        ended,
        len(withdrawn),
    )
