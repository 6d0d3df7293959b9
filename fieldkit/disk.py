"""Writing files so that they are whole or not there, and the disk's errors in plain words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync.problems import Problem, problem

WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def named(what: str, folder: Path) -> Iterator[None]:
    """Turn errors of writing below `folder` into `disk-full` or `folder-read-only`."""
    try:
        yield
    except OSError as exc:
        raise name_error(exc, what, folder) from exc


def name_error(exc: OSError, what: str, folder: Path) -> Problem:
    """The catalogue error for an error of writing `what` below `folder`."""
    if exc.errno in _FULL:
        return problem("disk-full", what=what)
    return problem("folder-read-only", folder=str(folder), why=exc.strerror or "unknown")


def make_folder(folder: Path) -> None:
    """Make the folder, for its owner only; raises `disk-full` and `folder-read-only`."""
    with named("the folder", folder):
        new = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if new:
            settle_folder(folder.parent)


def part_name(target: Path) -> Path:
    """Where a file is written before it gets its name; one per process, swept when that ended."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def write_file(target: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a whole file: beside it, to the disk, then under its name. Raises OSError."""
    part = part_name(target)
    try:
        descriptor = os.open(part, WRITING, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            settle(file.fileno())
        part.replace(target)
        settle_folder(target.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def settle(descriptor: int) -> None:
    """Wait until the bytes of an open file are on the disk."""
    os.fsync(descriptor)


def settle_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if os.name != "posix":
        return  # Windows keeps names with the file and cannot open a folder for this
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_parts(folder: Path, pattern: str = "**/.*.part") -> int:
    """Remove what commands that were ended left half-written; the number of files removed."""
    removed = 0
    for part in folder.glob(pattern):
        writer = part.name.split(".")[-2]
        if writer.isdecimal() and not _alive(int(writer)):
            with suppress(OSError):
                part.unlink()
                removed += 1
    return removed


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
