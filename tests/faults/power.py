"""What a power cut takes: bytes that were not synced, and names in folders that were not.

Files of SQLite are looked after in `seams`, where it is known how each connection syncs.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# The real ones, whatever stands in their place while the laboratory is at work.
_link, _unlink, _replace = os.link, os.unlink, os.replace


@dataclass
class Medium:
    """One computer's disk: what is on it for good, beside what its processes see."""

    folder: Path
    shadow: Path  # on the same file system: what a name meant before
    synced: dict[int, bytes] = field(default_factory=dict)  # inode -> bytes that are there for good
    undo: dict[str, list[Callable[[], None]]] = field(default_factory=dict)  # folder -> its names
    kept: int = 0

    def covers(self, path: str) -> bool:
        return path.startswith(str(self.folder)) and not _is_store(path)

    # -- what processes do ------------------------------------------------------------------------

    def made(self, path: str) -> None:
        """A new, empty file."""
        self.synced[Path(path).stat().st_ino] = b""
        self._later(path, lambda: _gone(path))

    def opened_anew(self, path: str) -> None:
        """A file that was there is about to be emptied."""
        found = Path(path)
        self.synced.setdefault(found.stat().st_ino, found.read_bytes())

    def about_to_write(self, handle: int) -> None:
        """A file whose bytes were all there for good gets further ones."""
        inode = os.fstat(handle).st_ino
        if inode not in self.synced:
            self.synced[inode] = Path(f"/proc/self/fd/{handle}").read_bytes()

    def folder_made(self, path: str) -> None:
        self._later(path, lambda: _tree_gone(path))

    def about_to_unlink(self, path: str) -> None:
        before = self._keep(path)
        if before is not None:
            self._later(path, lambda: _put_back(before, path))

    def renamed(self, source: str, target: str, before: Path | None) -> None:
        def back() -> None:
            if os.path.lexists(target):
                _replace(target, source)
            if before is not None:
                _put_back(before, target)

        self._later(target, back)

    def about_to_replace(self, target: str) -> Path | None:
        return self._keep(target)

    def settled(self, handle: int) -> None:
        """A file's bytes, or a folder's names, are there for good."""
        found = os.fstat(handle)
        path = str(Path(f"/proc/self/fd/{handle}").readlink())
        if stat.S_ISDIR(found.st_mode):
            self.undo.pop(path, None)
        else:
            self.synced.pop(found.st_ino, None)

    # -- and what is left of it -------------------------------------------------------------------

    def cut(self, dice: random.Random) -> None:
        """The power goes: of what was not synced, as much is left as chance will have it."""
        for steps in self.undo.values():
            for back in reversed(steps[dice.randint(0, len(steps)) :]):
                back()
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder) / name
                good = self.synced.get(path.stat().st_ino)
                if good is not None and not _is_store(name):
                    now = path.read_bytes()
                    path.write_bytes(now[: dice.choice((len(good), dice.randint(0, len(now))))])
        self.undo.clear()
        self.synced.clear()

    def _later(self, path: str, back: Callable[[], None]) -> None:
        self.undo.setdefault(str(Path(path).parent), []).append(back)

    def _keep(self, path: str) -> Path | None:
        if not os.path.lexists(path) or Path(path).is_dir():
            return None
        self.kept += 1
        kept = self.shadow / str(self.kept)
        _link(path, kept)
        return kept


def _is_store(path: str) -> bool:
    return ".sqlite" in path or "store.sealed" in path


def _gone(path: str) -> None:
    if os.path.lexists(path):
        _unlink(path)


def _put_back(kept: Path, path: str) -> None:
    _gone(path)
    if Path(path).parent.is_dir():
        _link(kept, path)


def _tree_gone(path: str) -> None:
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _unlink(Path(folder) / name)
        Path(folder).rmdir()
