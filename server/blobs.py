"""Files by their SHA-256: a folder on disk, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from sync.log import MAX_FILE_BYTES
from sync.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class Blobs:
    """Content-addressed files below `folder`, two letters a subfolder."""

    folder: Path

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:]

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def put(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Store the bytes if their digest is `sha256`; return their number. Bounded memory.

        The file is in its place and durable when this returns. Raises `file-digest`,
        `file-too-large`, `disk-full`, `folder-read-only`; then nothing is left behind.
        """
        target = self.path(sha256)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, prefix="incoming-", delete=False) as file:
                incoming = Path(file.name)
                try:
                    size = _copy(chunks, file, sha256)
                    file.flush()
                    os.fsync(file.fileno())
                    incoming.rename(target)
                except BaseException:
                    incoming.unlink(missing_ok=True)
                    raise
            _sync_folder(target.parent)
        except OSError as exc:
            raise _as_problem(exc, self.folder) from exc
        return size

    def digest_holds(self, sha256: str) -> bool:
        """Whether the stored bytes still have the digest they are named by."""
        digest = hashlib.sha256()
        with self.path(sha256).open("rb") as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
        return digest.hexdigest() == sha256


def _copy(chunks: Iterable[bytes], file: object, sha256: str) -> int:
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            raise problem("file-too-large", size=size, limit=MAX_FILE_BYTES)
        digest.update(chunk)
        file.write(chunk)  # type: ignore[attr-defined]
    if digest.hexdigest() != sha256:
        raise problem("file-digest", got=digest.hexdigest(), wanted=sha256)
    return size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _as_problem(exc: OSError, folder: Path) -> Problem:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return problem("disk-full", what="the file")
    return problem("folder-read-only", folder=str(folder), why=exc.strerror or str(exc))
