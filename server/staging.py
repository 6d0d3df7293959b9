"""Uploads under way: their bytes and what is known of them, in a folder that outlasts the process.

An upload is two files: `<key>.upload` says what it is and who writes, `<key>.part` holds the bytes
that arrived. Several threads and processes on one computer may use the folder: every step is taken
under a lock on the first file, and no lock is held while anybody waits for a network.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from server.blobs import SPOOL
from server.blobs.folder import settle_folder
from server.blobs.shelf import disk_problem
from sync.problems import Problem, problem

TURN_BYTES = 24  # the first bytes of `<key>.upload`: whose turn it is to write; blank is nobody's
NOBODY = b" " * TURN_BYTES


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload is. `length` is in bytes; `metadata` is the header as the client wrote it."""

    person: str
    sha256: str
    length: int
    metadata: str

    @property
    def key(self) -> str:
        """The same person's upload of the same file is always the same one."""
        named = f"tapak upload v1\0{self.person}\0{self.sha256}"
        return hashlib.sha256(named.encode("utf-8")).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Staging:
    """The folder of uploads under way."""

    folder: Path

    def find(self, person: str, sha256: str) -> Upload | None:
        """This person's upload of this file, if one is under way."""
        try:
            return _read(self._about(Upload(person, sha256, 0, "").key).read_bytes())
        except FileNotFoundError:
            return None

    def begin(self, upload: Upload) -> None:
        """Begin an upload, or go on with the one that is there; another length starts it anew."""
        with self._locked(upload.key) as about:
            there = _read(os.pread(about, 65_536, 0))
            if there is not None and there.length == upload.length:
                return
            self._refuse_if_busy(upload.key)
            self._part(upload.key).unlink(missing_ok=True)
            said = NOBODY + json.dumps(asdict(upload)).encode("utf-8")
            os.pwrite(about, said, 0)
            os.truncate(about, len(said))

    def offset(self, upload: Upload) -> int:
        """How many bytes are durably here. Whoever was writing stops: it may be a dead connection.

        Raises `upload-busy`.
        """
        with self._locked(upload.key) as about:
            self._refuse_if_busy(upload.key)
            if os.pread(about, TURN_BYTES, 0) not in (b"", NOBODY):
                os.pwrite(about, NOBODY, 0)
                with suppress(FileNotFoundError):
                    self._settle(upload.key)
            return self._size(upload.key)

    @contextmanager
    def writer(self, upload: Upload, offset: int | None, turn: str) -> Iterator[Writer]:
        """Write from `offset` on (None: from where it stands); an earlier writer's turn is over.

        `turn` is a token that no other writer has. Raises `upload-offset`, `upload-unknown`,
        `upload-busy`.
        """
        with self._locked(upload.key) as about:
            if _read(os.pread(about, 65_536, 0)) is None:
                raise problem("upload-unknown", sha256=upload.sha256)
            self._refuse_if_busy(upload.key)
            here = self._size(upload.key)
            if offset is not None and here != offset:
                raise problem("upload-offset", offset=here, given=offset)
            mine = turn.encode("ascii")[:TURN_BYTES].ljust(TURN_BYTES)
            os.pwrite(about, mine, 0)
            kept = os.dup(about)
            part = os.open(self._part(upload.key), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield Writer(self.folder, upload, here, mine, kept, part, here == 0)
        finally:
            os.close(part)
            os.close(kept)

    @contextmanager
    def whole(self, upload: Upload) -> Iterator[Path | None]:
        """All bytes of an upload, while nobody else touches them; None when they are not all here.

        Raises `upload-busy`.
        """
        with self._locked(upload.key) as about:
            self._refuse_if_busy(upload.key)
            path = self._part(upload.key)
            if self._size(upload.key) != upload.length or not os.pread(about, 1, 0):
                part = -1
            else:
                os.pwrite(about, NOBODY, 0)
                part = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(part, fcntl.LOCK_EX)
        try:
            yield None if part < 0 else path
        finally:
            if part >= 0:
                os.close(part)

    def settle(self, upload: Upload) -> None:
        """Have what arrived outlast a power cut, and what is known of it."""
        self._settle(upload.key)

    def touch(self, upload: Upload, now: int) -> None:
        """Note that the upload was moved on at this moment (UTC ms)."""
        with suppress(FileNotFoundError):
            os.utime(self._about(upload.key), ns=(now * 1_000_000, now * 1_000_000))

    def end(self, upload: Upload) -> None:
        """Forget an upload and its bytes; whoever was writing stops. Raises `upload-busy`."""
        self._end(upload.key)

    def sweep(self, before: int) -> int:
        """End uploads that nobody moved on since that moment (UTC ms), and remove what ended
        processes left; the number of files removed. An upload whose bytes are all here stays: an
        entry names it, and whoever asks next has it put away (S4).
        """
        swept = 0
        for path in sorted(self.folder.iterdir()):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime_ns >= before * 1_000_000 or path.is_dir():
                    continue
                if path.suffix == ".upload":
                    about = _read(path.read_bytes())
                    if about is not None and self._size(path.stem) == about.length:
                        continue
                    try:
                        self._end(path.stem)
                    except Problem:
                        continue  # somebody is at it after all
                elif path.name.startswith(SPOOL) or (
                    path.suffix == ".part" and not self._about(path.stem).exists()
                ):
                    path.unlink()
                else:
                    continue
                swept += 1
        return swept

    # -- the two files ----------------------------------------------------------------------------

    def _about(self, key: str) -> Path:
        return self.folder / f"{key}.upload"

    def _part(self, key: str) -> Path:
        return self.folder / f"{key}.part"

    def _size(self, key: str) -> int:
        try:
            return self._part(key).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def _locked(self, key: str) -> Iterator[int]:
        path = self._about(key)
        while True:
            try:
                about = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as exc:
                raise disk_problem(exc, self.folder) from exc
            fcntl.flock(about, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(about), path.stat()):
                    break
            os.close(about)  # it ended while we waited; its name may be another upload's now
        try:
            yield about
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc
        finally:
            if os.fstat(about).st_size == 0:
                path.unlink(missing_ok=True)  # nothing was begun
            fcntl.flock(about, fcntl.LOCK_UN)  # a writer keeps a copy of the handle
            os.close(about)

    def _refuse_if_busy(self, key: str) -> None:
        """While the bytes are verified and put away, nobody else may touch them."""
        with suppress(FileNotFoundError), self._part(key).open("rb") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise problem("upload-busy") from exc

    def _settle(self, key: str) -> None:
        try:
            for path in (self._part(key), self._about(key)):
                handle = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            settle_folder(self.folder)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc

    def _end(self, key: str) -> None:
        # Not by emptying the file: file systems write out what was emptied, and that takes long.
        with self._locked(key) as about:
            self._refuse_if_busy(key)
            os.pwrite(about, NOBODY, 0)
            self._part(key).unlink(missing_ok=True)
            self._about(key).unlink(missing_ok=True)


@dataclass(slots=True)
class Writer:
    """One request's turn at an upload; `offset` counts the bytes that are in the file."""

    folder: Path
    upload: Upload
    offset: int
    turn: bytes
    about: int
    part: int
    from_the_start: bool
    _digest: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Append. Raises `upload-taken-over`, `upload-too-long` (then nothing more is kept)."""
        if self.offset + len(data) > self.upload.length:
            raise problem("upload-too-long", length=self.upload.length)
        with self._my_turn():
            try:
                _write_all(self.part, data)
            except OSError as exc:
                # What went in of it stays: it is counted from the file's own size.
                raise disk_problem(exc, self.folder) from exc
        self.offset += len(data)
        if self.from_the_start:
            self._digest.update(data)

    def settle(self) -> None:
        """Have the bytes outlast a power cut."""
        try:
            os.fsync(self.part)
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc

    def digest(self) -> str | None:
        """The digest of the whole file, if all of it went through this writer."""
        return self._digest.hexdigest() if self.from_the_start else None

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        fcntl.flock(self.about, fcntl.LOCK_EX)
        try:
            if os.pread(self.about, TURN_BYTES, 0) != self.turn:
                raise problem("upload-taken-over")
            yield
        finally:
            fcntl.flock(self.about, fcntl.LOCK_UN)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _read(about: bytes) -> Upload | None:
    """What `<key>.upload` says; None when it was being written as its process ended."""
    try:
        return Upload(**json.loads(about[TURN_BYTES:]))
    except (ValueError, TypeError):
        return None
