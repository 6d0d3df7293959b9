"""The port of the file store: whole files under names of 64 hexadecimal digits."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sync.problems import Problem, problem

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """A file on a shelf: its name and its size in bytes."""

    sha256: str
    size: int


class Shelf(ABC):
    """Where files' bytes lie. A file stands under its name whole or not at all.

    Every method may raise `files-away` and `files-refused` (a bucket that does not answer, or that
    refuses the keys), `disk-full` and `folder-read-only`.
    """

    @abstractmethod
    def check(self) -> None:
        """See that files can be written and read here; for the start of a long-running process."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """The number of bytes, or None when there is no such file."""

    @abstractmethod
    def chunks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (None: the end), in pieces of bounded size.

        Raises `file-not-here` when it is called, not later.
        """

    @abstractmethod
    def local(self, name: str) -> AbstractContextManager[Path]:
        """The file as a path on this computer while the context lasts; not to be written to.

        Raises `file-not-here`.
        """

    @abstractmethod
    def place(self, name: str, file: Path) -> None:
        """Move a local file in under this name, in place of what was there; durable on return.

        The local file is gone then. When it fails, what was there stays, and so does the file.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a file away; one that is not there is no error."""

    @abstractmethod
    def listed(self) -> Iterator[Listed]:
        """Every whole file, in the order of names."""


def disk_problem(exc: OSError, folder: Path) -> Problem:
    """What a failed write means: `disk-full` or `folder-read-only`."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return problem("disk-full", what="the file")
    return problem("folder-read-only", folder=str(folder), why=exc.strerror or str(exc))
