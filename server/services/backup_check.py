"""Holds a backup against its manifest: every table, every file, the key and the audit chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.blobs import Blobs
from server.keys import read_sealing_key, sealing_bytes
from server.services.backup_folder import (
    BackupFolder,
    DamagedError,
    Manifest,
    Part,
    Run,
    read_manifest,
)
from server.services.backup_part import check_part, read_rows, read_shape
from server.services.steps import Step, Tell, silent
from server.services.verify import Fault, Report
from server.store import audit
from server.store.audit import AuditRow
from sync.problems import Problem
from sync.receipt import server_id

FILE = "file"  # a fault that a restore may go on without, when that is said
AUDIT = "audit"  # a fault that the server had itself: the copy of it is true


@dataclass(slots=True)
class _Found:
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def fault(self, what: str, where: str, why: str) -> None:
        self.faults.append(Fault(what, where, why))

    def report(self) -> Report:
        return Report(tuple(self.faults), dict(sorted(self.counts.items())))


def check_run(place: BackupFolder, run: Run, tell: Tell = silent) -> Report:
    """Check one run whole, every byte of every file included; nothing is changed.

    Raises `backup-newer` where the format is of a later time than this program.
    """
    found = _Found()
    try:
        manifest = read_manifest(run)
    except DamagedError as exc:
        found.fault("manifest", f"run {run.name}", str(exc))
        return found.report()
    if manifest.run != run.name:
        found.fault("manifest", f"run {run.name}", f"it is that of the run {manifest.run}")
    _tables(run, manifest, found, tell)
    if not found.faults:
        _audit(run, manifest, found)
        _files(place, run, manifest, found, tell)
    _key(run, manifest, found)
    return found.report()


def check_written(place: BackupFolder, run: Run, manifest: Manifest) -> Report:
    """Check what was just written, before its manifest is: tables whole, files by their length.

    A file's digest was verified while it was copied, here or by an earlier run.
    """
    found = _Found()
    _tables(run, manifest, found, silent)
    if not found.faults:
        _audit(run, manifest, found)
        _files(place, run, manifest, found, silent, whole=False)
    _key(run, manifest, found)
    return found.report()


def held_files(run: Run) -> Iterator[tuple[str, int]]:
    """Digest and length of every file that the server held at the moment of the backup."""
    path = run.part("files")
    shape = read_shape(path)
    names = [name for name, _ in shape.columns]
    sha256, size = names.index("sha256"), names.index("size")
    for row in read_rows(path, shape):
        yield row[sha256], row[size]


def destroyed_keys(place: BackupFolder) -> dict[str, dict[str, Any]]:
    """The keys that any whole run of the folder knows as withdrawn (L8), with what it says of them.

    They are not to come back from an older run: what a newer one knows counts for all.
    """
    found: dict[str, dict[str, Any]] = {}
    for run in place.runs():
        path = run.part("withdrawals")
        if not run.whole or not path.exists():
            continue
        with suppress(DamagedError):  # a damaged run says so itself when it is checked
            shape = read_shape(path)
            names = [name for name, _ in shape.columns]
            for row in read_rows(path, shape):
                one = dict(zip(names, row, strict=True))
                found.setdefault(str(one["key"]), one)
    return found


# -- tables ---------------------------------------------------------------------------------------


def _tables(run: Run, manifest: Manifest, found: _Found, tell: Tell) -> None:
    total, done = sum(part.size for part in manifest.parts), 0
    for part in manifest.parts:
        tell(Step(f"checking table {part.table}", done, total))
        _table(run.part(part.table), part, found)
        done += part.size
    there = {path.name for path in run.tables.glob("*")}
    known = {run.part(part.table).name for part in manifest.parts}
    for name in sorted(there - known):
        found.fault("table", f"tables/{name}", "the manifest does not list it")


def _table(path: Path, part: Part, found: _Found) -> None:
    where = f"table {part.table}"
    found.counts["tables"] += 1
    wrong = check_part(path, part)
    if wrong is not None:
        found.fault("table", where, wrong)
        return
    try:
        shape = read_shape(path)
        count = sum(1 for _ in read_rows(path, shape))
    except DamagedError as exc:
        found.fault("table", where, str(exc))
        return
    found.counts["rows"] += count
    if shape.name != part.table:
        found.fault("table", where, f"it holds the table {shape.name}")
    if count != part.rows:
        found.fault("table", where, f"it holds {count} rows, not {part.rows}")


def _audit(run: Run, manifest: Manifest, found: _Found) -> None:
    newest = [(0, "")]

    def lines() -> Iterator[AuditRow]:
        path = run.part("audit")
        shape = read_shape(path)
        for values in read_rows(path, shape):
            named = dict(zip((name for name, _ in shape.columns), values, strict=True))
            row = AuditRow(**{name: named[name] for name in AuditRow.__slots__})
            newest[0] = (row.n, row.h)
            found.counts["audit lines"] += 1
            yield row

    for n, why in audit.faults_in(lines()):
        found.fault(AUDIT, f"audit line {n}", why)
    if newest[0] != manifest.audit:
        found.fault("table", "table audit", "its newest line is not the one the manifest gives")


# -- files and key --------------------------------------------------------------------------------


def _files(
    place: BackupFolder,
    run: Run,
    manifest: Manifest,
    found: _Found,
    tell: Tell,
    *,
    whole: bool = True,
) -> None:
    lacking = {one.sha256 for one in manifest.lacking}
    destroyed = destroyed_keys(place)
    done = 0
    for sha256, size in held_files(run):
        tell(Step("checking files", done, manifest.file_bytes))
        done += size
        if sha256 in destroyed:
            found.counts["keys destroyed"] += 1
            continue
        if sha256 in lacking:
            found.counts["files lacking"] += 1
            continue
        found.counts["files"] += 1
        why = file_fault(place.files, sha256, size, whole=whole)
        if why is not None:
            found.fault(FILE, f"file {sha256}", why)
    counted = ("files", "files lacking", "keys destroyed")
    if sum(found.counts[name] for name in counted) != manifest.files:
        found.fault("table", "table files", f"the manifest counts {manifest.files} files")


def file_fault(files: Blobs, sha256: str, size: int, *, whole: bool = True) -> str | None:
    """What is wrong with a file, or None; its digest is looked at when it is to be `whole`."""
    try:
        there = files.size(sha256)
        if there is None:
            return "it is missing"
        if there != size:
            return f"it has {there} bytes, not {size}"
        if whole and not files.digest_holds(sha256):
            return "its bytes do not have this digest"
    except Problem as exc:
        if exc.code not in ("file-unreadable", "file-not-here"):
            raise  # says nothing about this file
        return exc.happened
    return None


def _key(run: Run, manifest: Manifest, found: _Found) -> None:
    if not manifest.with_key:
        return
    where = f"key {run.key.name}"
    found.counts["keys"] += 1
    try:
        key = read_key(run.key)
    except (OSError, ValueError):
        found.fault("key", where, "it is missing or cannot be read")
        return
    if server_id(key.public_key().public_bytes_raw()) != manifest.server:
        found.fault("key", where, "it is not this server's")
    if manifest.recipient:
        _sealing_key(run, manifest, found)


def _sealing_key(run: Run, manifest: Manifest, found: _Found) -> None:
    where = f"key {run.sealing_key.name}"
    try:
        key = read_sealing_key(run.sealing_key)
        as_written = run.sealing_key.read_bytes() == sealing_bytes(key)
    except (OSError, ValueError):
        found.fault("key", where, "it is missing or cannot be read")
        return
    if str(key.to_public()) != manifest.recipient or not as_written:
        found.fault("key", where, "it is not this server's")


def read_key(path: Path) -> Ed25519PrivateKey:
    """A server's receipt key; raises OSError and ValueError."""
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def first_of(faults: Collection[Fault]) -> str:
    """The first fault as one sentence."""
    return next((f"{one.where}: {one.why}." for one in faults), "")
