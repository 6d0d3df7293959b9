"""A backup made while the server runs: one moment of every table, and every file it names as held.

The tables are read in one transaction. A file is durable before the row that names it and never
changes, so copying the files afterwards gives those of that same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from server.context import Context
from server.keys import sealing_bytes
from server.services.audit import CONSOLE, acted
from server.services.backup_check import (
    AUDIT,
    check_written,
    destroyed_keys,
    first_of,
    held_files,
)
from server.services.backup_folder import (
    BackupFolder,
    DamagedError,
    Lacking,
    Manifest,
    Part,
    Run,
    as_problem,
    write_manifest,
    write_whole,
)
from server.services.backup_part import write_part
from server.services.steps import Step, Tell, silent
from server.services.verify import Fault
from server.store import audit, copying
from sync.problems import Problem, problem
from sync.receipt import server_id

# What these say of a file on the server concerns that file; any other problem ends the backup.
_ONE_FILE = frozenset(("file-digest", "file-too-large", "file-unreadable", "file-not-here"))


@dataclass(frozen=True, slots=True)
class Made:
    """A whole backup: what it holds, and what was done for it. `removed` are older runs.

    `lacking` are files that the server has lost, `faults` what is wrong with its audit trail: the
    backup is whole, and the server is not.
    """

    run: str
    folder: str
    tables: int
    rows: int
    files: int
    file_bytes: int
    copied: int
    copied_bytes: int
    lacking: tuple[Lacking, ...]
    faults: tuple[Fault, ...]
    with_key: bool
    swept: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the one transaction gave."""

    parts: tuple[Part, ...]
    schema: str
    epoch: int
    audit: tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Copied:
    files: int
    file_bytes: int
    copied: int
    copied_bytes: int
    lacking: tuple[Lacking, ...]


def make_backup(
    ctx: Context,
    destination: Path,
    *,
    with_key: bool = True,
    keep: int | None = None,
    tell: Tell = silent,
) -> Made:
    """Back up into a folder; one that holds backups gets another run and only the new files.

    With `keep`, that many whole runs stay and older ones are removed once this one is whole.
    Raises `backup-place`, `backup-busy`, `backup-failed`, `table-unreadable`, `disk-full` and
    `folder-read-only`; then the runs before are as they were.
    """
    folder = destination.resolve()
    if folder.is_relative_to(ctx.settings.data.resolve()):
        raise problem("backup-place", folder=str(folder))
    place = BackupFolder(folder)
    try:
        with place.locked():
            return _make(ctx, place, with_key, keep, tell)
    except OSError as exc:
        raise as_problem(exc, folder) from exc


def _make(ctx: Context, place: BackupFolder, with_key: bool, keep: int | None, tell: Tell) -> Made:
    # 1. What earlier runs left when they were cut short goes: it never counted.
    swept = [run for run in place.runs() if not run.whole]
    place.sweep_files()
    made_at = ctx.now()
    run = place.begin(datetime.fromtimestamp(made_at / 1000, UTC).strftime("%Y-%m-%dT%H%M%SZ"))
    for one in swept:
        one.remove()
    # 2. The tables, then what they name.
    moment = _copy_tables(ctx, run, tell)
    try:
        done = _copy_files(ctx, place, run, tell)
    except DamagedError as exc:
        raise problem("backup-failed", run=run.name, first=f"table files: {exc}.") from exc
    if with_key:
        write_whole(run.key, ctx.key.private_bytes_raw())
        write_whole(run.sealing_key, sealing_bytes(ctx.sealing_key))
    manifest = Manifest(
        run.name,
        made_at,
        version("tapak"),
        server_id(ctx.public_key),
        moment.epoch,
        moment.schema,
        moment.parts,
        copying.left_out(),
        done.files,
        done.file_bytes,
        done.lacking,
        with_key,
        moment.audit,
        ctx.recipient,
    )
    # 3. It counts only after it was read back.
    tell(Step("reading the tables back"))
    faults = check_written(place, run, manifest).faults
    ours = [fault for fault in faults if fault.what != AUDIT]
    if ours:
        raise problem("backup-failed", run=run.name, first=first_of(ours))
    write_manifest(run, manifest, ctx.key)
    # L8: what an earlier run copied of a key that is withdrawn since goes from this folder too.
    for key in destroyed_keys(place):
        place.files.destroy(key)
    _note(ctx, manifest)
    return Made(
        run.name,
        str(place.folder),
        len(moment.parts),
        sum(part.rows for part in moment.parts),
        done.files,
        done.file_bytes,
        done.copied,
        done.copied_bytes,
        done.lacking,
        faults,
        with_key,
        tuple(one.name for one in swept),
        _remove_old(place, keep),
    )


def _copy_tables(ctx: Context, run: Run, tell: Tell) -> _Moment:
    parts = []
    with ctx.db.read() as tx:
        for shape in copying.shapes():
            tell(Step(f"copying table {shape.name}"))
            parts.append(write_part(run.part(shape.name), shape, copying.rows(tx, shape)))
        return _Moment(tuple(parts), copying.schema(tx), audit.epoch(tx), audit.newest(tx))


def _copy_files(ctx: Context, place: BackupFolder, run: Run, tell: Tell) -> _Copied:
    files = size_of_all = copied = copied_bytes = 0
    lacking: list[Lacking] = []
    total = sum(size for sha256, size in held_files(run) if place.files.size(sha256) != size)
    for sha256, size in held_files(run):
        files += 1
        size_of_all += size
        if place.files.size(sha256) == size:
            continue
        tell(Step("copying files", copied_bytes, total))
        why = _copy_file(ctx, place, sha256)
        if why is None:
            copied += 1
            copied_bytes += size
        else:
            lacking.append(Lacking(sha256, why))
    return _Copied(files, size_of_all, copied, copied_bytes, tuple(lacking))


def _copy_file(ctx: Context, place: BackupFolder, sha256: str) -> str | None:
    """Copy one file; what is wrong with it where the server itself has it no more."""
    try:
        if ctx.blobs.size(sha256) is None:
            return "it is missing on the server"
        place.files.put(sha256, ctx.blobs.chunks(sha256))
    except Problem as exc:
        if exc.code not in _ONE_FILE:
            raise
        return exc.happened
    return None


def _note(ctx: Context, manifest: Manifest) -> None:
    detail = {
        "run": manifest.run,
        "rows": sum(part.rows for part in manifest.parts),
        "files": manifest.files,
        "files_lacking": len(manifest.lacking),
        "with_key": manifest.with_key,
    }
    acted(ctx, CONSOLE, "server.backup", f"server:{ctx.id}", lambda tx: None, detail)


def _remove_old(place: BackupFolder, keep: int | None) -> tuple[str, ...]:
    if keep is None:
        return ()
    old = [run for run in place.runs() if run.whole][: -max(keep, 1)]
    for run in old:
        run.remove()
    return tuple(run.name for run in old)
