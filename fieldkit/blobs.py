"""Evidence files, kept under the digest of their bytes.

A file is complete and on the disk before any entry names it: written beside its place, synced,
renamed, and the folder synced.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from fieldkit.disk import WRITING, named, part_name, settle, settle_folder, sweep_parts
from sync.log import MAX_FILE_BYTES
from sync.problems import problem

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept file: the lower hex SHA-256 of its bytes, and how many there are."""

    sha256: str
    size: int


class Writer(Protocol):
    """Takes a file's bytes in order, and at the end the SHA-256 of all of them."""

    def write(self, data: bytes, /) -> object: ...

    def finish(self, digest: bytes) -> None: ...


class Blobs:
    """A folder of files named by their SHA-256, spread over folders by the first two digits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settled: set[Path] = set()  # at most 256 folders

    def path(self, sha256: str) -> Path:
        """Where the file with this digest is or would be."""
        return self.folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int | None:
        """The bytes of a kept file, or None when it is not here."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def keep(self, source: Path) -> Kept:
        """Copy a file in; keeping the same bytes again changes nothing.

        Raises `file-missing`, `file-unreadable`, `file-empty`, `file-too-large`, `disk-full` and
        `folder-read-only`.
        """
        with open_source(source) as file:
            return self.keep_from(_chunks(file, source), source.name)

    def keep_from(self, chunks: Iterable[bytes], name: str) -> Kept:
        """Keep bytes that come in order; raises what `keep` raises of its copy."""
        with named(name, self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = part_name(self.folder / "incoming")
            try:
                kept = self._copy(chunks, part, name)
                target = self.path(kept.sha256)
                target.parent.mkdir(exist_ok=True, mode=0o700)
                if not self._is_whole(kept):
                    part.replace(target)
                    settle_folder(target.parent)
                self._settle_once(target.parent)
            finally:
                with suppress(FileNotFoundError):
                    part.unlink()
        return kept

    def chunks(self, sha256: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a kept file from `start` on, a chunk at a time; raises `file-missing`,
        `file-unreadable`.
        """
        path = self.path(sha256)
        with open_source(path) as file:
            file.seek(start)
            yield from _chunks(file, path)

    def lend(self, sha256: str, source: Path) -> Path:
        """Where another program can read a kept file, until it is given back."""
        return self.path(sha256)

    def give_back(self, path: Path) -> None:
        """A file that was lent is not read any more."""

    def destroy(self, sha256: str) -> bool:
        """Take a file away so that no power cut brings it back; whether it was here."""
        path, there = self.path(sha256), self.has(sha256)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():  # also what an ended command took from memory only
            settle_folder(path.parent)
        return there

    def digests(self) -> Iterator[str]:
        """The digests of the files that are here, in no order that means anything."""
        for path in self.folder.glob("??/*"):
            if len(path.name) == 64:
                yield path.name

    def sweep(self) -> int:
        """Remove half-written files that ended commands left; the number of files removed."""
        return sweep_parts(self.folder)

    def _settle_once(self, folder: Path) -> None:
        """The names that ended commands may have left in memory only, once for each folder."""
        if folder not in self._settled:
            for one in (folder, self.folder, self.folder.parent):
                settle_folder(one)
            self._settled.add(folder)

    def _copy(self, chunks: Iterable[bytes], part: Path, name: str) -> Kept:
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(part, WRITING, 0o600)
        with os.fdopen(descriptor, "wb") as copy:
            out = self._writer(copy)
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_FILE_BYTES:
                    raise problem("file-too-large", size=size, limit=MAX_FILE_BYTES)
                digest.update(chunk)
                out.write(chunk)
            if size == 0:
                raise problem("file-empty", name=name)
            out.finish(digest.digest())
            copy.flush()
            kept = Kept(digest.hexdigest(), size)
            if not self._is_whole(kept):  # else the copy is thrown away, and need not reach a disk
                settle(copy.fileno())
        return kept

    def _writer(self, copy: IO[bytes]) -> Writer:
        return _AsItIs(copy)

    def _is_whole(self, kept: Kept) -> bool:
        return self.size(kept.sha256) == kept.size


class _AsItIs:
    """Writes a file's bytes as they are."""

    def __init__(self, out: IO[bytes]) -> None:
        self.write = out.write

    def finish(self, digest: bytes) -> None:
        """Nothing more is to be written."""


def open_source(source: Path) -> IO[bytes]:
    """A file opened for reading; raises `file-missing` and `file-unreadable`."""
    try:
        if source.exists() and not source.is_file():
            raise problem("file-unreadable", name=str(source), why="it is not a file")
        return source.open("rb")
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(source)) from exc
    except OSError as exc:
        raise problem("file-unreadable", name=str(source), why=exc.strerror or "unknown") from exc


def _chunks(file: IO[bytes], source: Path) -> Iterator[bytes]:
    while chunk := read_some(file, source, CHUNK):
        yield chunk


def read_some(file: IO[bytes], source: Path, size: int) -> bytes:
    """That many bytes of an open file, or what is left of it; raises `file-unreadable`."""
    try:
        return file.read(size)
    except OSError as exc:
        raise problem("file-unreadable", name=str(source), why=exc.strerror or "unknown") from exc
