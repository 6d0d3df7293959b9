"""A shelf that is a folder on disk: two letters a subfolder."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from server.blobs.shelf import CHUNK, Listed, Shelf, disk_problem
from sync.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class FolderShelf(Shelf):
    """Files below `folder`. What is placed must be durable already unless it may be lost."""

    folder: Path
    durable: bool = True

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]

    def check(self) -> None:
        probe = self.folder / f".probe-{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc

    def size(self, name: str) -> int | None:
        try:
            return self.path(name).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise _unreadable(exc, name) from exc

    def chunks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        try:
            file = self.path(name).open("rb")
        except OSError as exc:
            raise _unreadable(exc, name) from exc
        return _pieces(file, name, start, stop)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        if self.size(name) is None:
            raise problem("file-not-here")
        yield self.path(name)

    def place(self, name: str, file: Path) -> None:
        target = self.path(name)
        try:
            try:
                try:
                    file.replace(target)
                except FileNotFoundError:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._settle(self.folder)
                    file.replace(target)
            except OSError as exc:
                if exc.errno != errno.EXDEV:
                    raise
                self._carry_over(file, target)
            self._settle(target.parent)
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc

    def remove(self, name: str) -> None:
        path = self.path(name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():  # else a power cut may bring the name back
                self._settle(path.parent)
        except OSError as exc:
            raise disk_problem(exc, self.folder) from exc

    def listed(self) -> Iterator[Listed]:
        for two in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            names = (entry for entry in os.scandir(two) if len(entry.name) == 62)
            for entry in sorted(names, key=lambda one: one.name):
                yield Listed(two.name + entry.name, entry.stat().st_size)

    def _carry_over(self, file: Path, target: Path) -> None:
        """From another file system, where a rename does not reach."""
        beside = target.with_name(f"{file.name}.part")
        try:
            with file.open("rb") as source, beside.open("wb") as copy:
                shutil.copyfileobj(source, copy, CHUNK)
                copy.flush()
                os.fsync(copy.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        file.unlink()

    def _settle(self, folder: Path) -> None:
        if self.durable:
            settle_folder(folder)


def settle_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pieces(file: IO[bytes], name: str, start: int, stop: int | None) -> Iterator[bytes]:
    with file:
        at = file.seek(start)
        while stop is None or at < stop:
            try:
                chunk = file.read(CHUNK if stop is None else min(CHUNK, stop - at))
            except OSError as exc:
                raise _unreadable(exc, name) from exc
            if not chunk:
                return
            at += len(chunk)
            yield chunk


def _unreadable(exc: OSError, name: str) -> Problem:
    if isinstance(exc, FileNotFoundError):
        return problem("file-not-here")
    return problem("file-unreadable", name=f"file {name}", why=exc.strerror or str(exc))
