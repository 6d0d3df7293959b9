"""Files by their SHA-256: what the server's parts do with them, wherever their bytes lie.

A shelf (`server.blobs.shelf`) keeps the bytes: a folder on disk or a bucket. What may stand on it
is decided here, once for all shelves. tests/contract/test_blobs.py is what both must do.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from server.blobs.shelf import CHUNK, Listed, Shelf, disk_problem
from sync.log import MAX_FILE_BYTES
from sync.problems import problem

SPOOL = "spool-"  # what a file that is being written is called; leftovers are swept by it


@dataclass(frozen=True, slots=True)
class Blobs:
    """Evidence: every file stands under the digest of its bytes. `staging` is a folder on disk
    where bytes wait until their digest is known.
    """

    shelf: Shelf
    staging: Path

    def has(self, sha256: str) -> bool:
        return self.shelf.size(sha256) is not None

    def size(self, sha256: str) -> int | None:
        """The number of bytes, or None when the file is not here."""
        return self.shelf.size(sha256)

    def chunks(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (or the end), in pieces. Raises `file-not-here`."""
        return self.shelf.chunks(sha256, start, stop)

    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """The file as a path on this computer, while the context lasts. Raises `file-not-here`."""
        return self.shelf.local(sha256)

    def listed(self) -> Iterator[Listed]:
        """Every file that is here and its size, in digest order; memory does not grow."""
        return self.shelf.listed()

    def put(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Store the bytes if their digest is `sha256`; return their number. Bounded memory.

        The file is in its place and durable when this returns. Putting the same again changes
        nothing. Raises `file-digest`, `file-too-large` and the shelf's problems; then nothing is
        left behind.
        """
        with _spooled(self.staging) as (spool, file):
            size = _copy(chunks, file, self.staging, sha256)
            self.adopt(sha256, spool)
        return size

    def adopt(self, sha256: str, file: Path) -> None:
        """Move in a durable local file whose bytes were verified to have this digest.

        What is held and sound is never replaced: not every bucket replaces in one step.
        """
        if self.shelf.size(sha256) == file.stat().st_size and self.digest_holds(sha256):
            file.unlink()
        else:
            self.shelf.place(sha256, file)

    def destroy(self, sha256: str) -> bool:
        """Take a file away for good; whether it was here. For withdrawn keys alone (L8)."""
        there = self.shelf.size(sha256) is not None
        self.shelf.remove(sha256)  # also what is gone from memory only, when an earlier try ended
        return there

    def digest_holds(self, sha256: str) -> bool:
        """Whether the stored bytes still have the digest they are named by."""
        digest = hashlib.sha256()
        for chunk in self.chunks(sha256):
            digest.update(chunk)
        return digest.hexdigest() == sha256


@dataclass(frozen=True, slots=True)
class Previews:
    """Small pictures, each under the digest of the photograph it shows. They are derived."""

    shelf: Shelf
    staging: Path

    def size(self, sha256: str) -> int | None:
        return self.shelf.size(sha256)

    def chunks(self, sha256: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return self.shelf.chunks(sha256, start, stop)

    def listed(self) -> Iterator[Listed]:
        return self.shelf.listed()

    def keep(self, sha256: str, preview: Path) -> None:
        """Move a picture's preview in, in place of the one before."""
        self.shelf.place(sha256, preview)

    def clear(self) -> None:
        """Delete every preview; they can be made again."""
        for one in self.shelf.listed():
            self.shelf.remove(one.sha256)


@contextmanager
def _spooled(staging: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file for bytes on their way; gone afterwards, unless it was moved away."""
    try:
        handle, name = mkstemp(prefix=SPOOL, dir=staging)
    except OSError as exc:
        raise disk_problem(exc, staging) from exc
    try:
        with os.fdopen(handle, "wb") as file:
            yield Path(name), file
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _copy(chunks: Iterable[bytes], file: IO[bytes], staging: Path, sha256: str) -> int:
    digest = hashlib.sha256()
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise problem("file-too-large", size=size, limit=MAX_FILE_BYTES)
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != sha256:
            raise problem("file-digest", got=digest.hexdigest(), wanted=sha256)
        file.flush()
        os.fsync(file.fileno())
    except OSError as exc:
        raise disk_problem(exc, staging) from exc
    return size


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a local file, in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
