"""A backup as it lies on a disk: numbered runs with their tables, and the files they share.

A run counts only once its manifest is there, which is written last and appears whole. Format and
meaning: docs/backup.md.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from server.blobs import SPOOL, Blobs
from server.blobs.folder import FolderShelf
from server.keys import RECEIPT_FILE, SEALING_FILE
from sync.problems import Problem, problem
from sync.receipt import server_id

FORMAT = 1
CONTEXT = b"tapak backup v1\n"
_NAME = re.compile(r"(\d{4,})-\d{4}-\d{2}-\d{2}T\d{6}Z\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """One table in a run: how many rows, and length and SHA-256 of the file that holds them."""

    table: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """A file that the server counts as held and that could not be copied, and why."""

    sha256: str
    why: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run holds. `made_at` is UTC milliseconds; `audit` the number and the hash of the
    newest line of the audit trail, (0, "") where there is none. `recipient` is what was sealed to
    the server then; "" in backups from before there was a sealing key.
    """

    run: str
    made_at: int
    program: str
    server: str
    epoch: int
    schema: str
    parts: tuple[Part, ...]
    left_out: Mapping[str, str]
    files: int
    file_bytes: int
    lacking: tuple[Lacking, ...]
    with_key: bool
    audit: tuple[int, str]
    recipient: str = ""


class DamagedError(Exception):
    """Bytes of a backup that are not what was written; the text says how."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder and the files in it."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def number(self) -> int:
        match = _NAME.match(self.name)
        return int(match[1]) if match else 0

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.ndjson"

    @property
    def key(self) -> Path:
        return self.folder / RECEIPT_FILE

    @property
    def sealing_key(self) -> Path:
        return self.folder / SEALING_FILE

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    def part(self, table: str) -> Path:
        return self.tables / f"{table}.ndjson.gz"

    @property
    def whole(self) -> bool:
        return self.manifest.exists()

    def remove(self) -> None:
        """Remove the run; from the first moment on it is no whole one any more."""
        self.manifest.unlink(missing_ok=True)
        sync_folder(self.folder)
        shutil.rmtree(self.folder)


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """A folder of runs. The files are shared by all of them, under the digests of their bytes."""

    folder: Path

    @property
    def files(self) -> Blobs:
        there = self.folder / "files"
        return Blobs(FolderShelf(there), there)

    def runs(self) -> list[Run]:
        """Every run, the oldest first, whole or not; raises `file-unreadable`."""
        there = self.folder / "runs"
        try:
            if not there.is_dir():
                return []
            found = [Run(one) for one in there.iterdir() if _NAME.match(one.name) and one.is_dir()]
        except OSError as exc:
            why = exc.strerror or str(exc)
            raise problem("file-unreadable", name=str(there), why=why) from exc
        return sorted(found, key=lambda run: run.number)

    def find(self, name: str | None) -> Run:
        """The run of this name or number, else the newest whole one.

        Raises `backup-none` and `noun-unknown`.
        """
        whole = [run for run in self.runs() if run.whole]
        if not whole:
            raise problem("backup-none", folder=str(self.folder))
        if name is None:
            return whole[-1]
        for run in whole:
            if name == run.name or (name.isdecimal() and int(name) == run.number):
                return run
        known = ", ".join(run.name for run in whole[-4:])
        raise problem("noun-unknown", noun="whole run", name=name[:80], nearest=known)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other backup out of this folder; raises `backup-busy`."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "runs").mkdir(exist_ok=True, mode=0o700)
        (self.folder / "files").mkdir(exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                raise problem("backup-busy", folder=str(self.folder)) from exc
            yield

    def sweep_files(self) -> None:
        """Remove half-written files that a backup which was cut short left."""
        for path in (self.folder / "files").glob(f"{SPOOL}*"):
            path.unlink()

    def begin(self, stamp: str) -> Run:
        """Make the folder of the next run; `stamp` is its time, as 2026-11-24T063000Z."""
        number = max((run.number for run in self.runs()), default=0) + 1
        run = Run(self.folder / "runs" / f"{number:04}-{stamp}")
        for folder in (run.folder, run.tables):
            folder.mkdir(mode=0o700)
        sync_folder(run.folder.parent)
        return run


# -- the manifest ---------------------------------------------------------------------------------


def write_manifest(run: Run, manifest: Manifest, key: Ed25519PrivateKey) -> None:
    """Write the manifest under the server's signature: with it the run is whole."""
    line = json.dumps(_as_json(manifest), ensure_ascii=True, separators=(",", ":")).encode()
    seal = {
        "public_key": _text(key.public_key().public_bytes_raw()),
        "signature": _text(key.sign(CONTEXT + line)),
    }
    sync_folder(run.tables)
    write_whole(run.manifest, line + b"\n" + json.dumps(seal).encode() + b"\n")


def read_manifest(run: Run) -> Manifest:
    """Read and check a manifest; raises DamagedError, and `backup-newer` for a format of later."""
    try:
        line, seal, rest = run.manifest.read_bytes().split(b"\n")
        if rest:
            raise ValueError("more follows")
        sealed = json.loads(seal)
        public_key = base64.b64decode(sealed["public_key"], validate=True)
        signature = base64.b64decode(sealed["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, CONTEXT + line)
        body = json.loads(line)
        if body["tapak_backup"] > FORMAT:
            raise problem("backup-newer", run=run.name, program=body["program"])
        manifest = _from_json(body)
    except OSError as exc:
        raise DamagedError(f"it cannot be read: {exc.strerror}") from exc
    except (InvalidSignature, ValueError, KeyError, TypeError) as exc:
        raise DamagedError("it is cut short or was altered") from exc
    if server_id(public_key) != manifest.server:
        raise DamagedError("it is signed by another server than the one it speaks of")
    return manifest


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "tapak_backup": FORMAT,
        "run": manifest.run,
        "made_at": manifest.made_at,
        "program": manifest.program,
        "server": manifest.server,
        "epoch": manifest.epoch,
        "schema": manifest.schema,
        "tables": [[p.table, p.rows, p.size, p.sha256] for p in manifest.parts],
        "left_out": dict(manifest.left_out),
        "files": manifest.files,
        "file_bytes": manifest.file_bytes,
        "lacking": [[one.sha256, one.why] for one in manifest.lacking],
        "with_key": manifest.with_key,
        "audit": list(manifest.audit),
        "recipient": manifest.recipient,
    }


def _from_json(body: Any) -> Manifest:
    n, h = body["audit"]
    return Manifest(
        body["run"],
        body["made_at"],
        body["program"],
        body["server"],
        body["epoch"],
        body["schema"],
        tuple(Part(*one) for one in body["tables"]),
        body["left_out"],
        body["files"],
        body["file_bytes"],
        tuple(Lacking(*one) for one in body["lacking"]),
        body["with_key"],
        (n, h),
        body.get("recipient", ""),
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def as_problem(exc: OSError, folder: Path) -> Problem:
    """What the operating system refused, as a catalogue error."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return problem("disk-full", what="the backup")
    return problem("folder-read-only", folder=str(folder), why=exc.strerror or str(exc))


# -- writing --------------------------------------------------------------------------------------


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read: it is there whole and durable, or not at all."""
    beside = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
