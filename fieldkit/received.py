"""Files that a colleague hands over in a bundle: to disk as they come, and kept only when whole.

Only files that an entry here names are kept, so that nobody can fill this disk with anything else.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fieldkit.blobs import Blobs
from fieldkit.disk import WRITING, named, part_name
from fieldkit.store import Store
from sync.bundle_reader import FileBegins, FileEnds
from sync.problems import problem


def named_here(store: Store, sha256: str) -> bool:
    """Whether an entry on this device, its own or a colleague's, names the file."""
    return bool(
        store.database.rows(
            "select 1 from lines where path >= ?1 and path < ?2 limit 1",
            (f"evidence/{sha256}/", f"evidence/{sha256}0"),
        )
    )


@dataclass(slots=True)
class BytesOnTheirWay:
    """One file as it comes out of a bundle; `wanted` says whether it is to be kept."""

    blobs: Blobs
    begins: FileBegins
    wanted: bool
    _part: Path = field(init=False)
    _file: IO[bytes] | None = None

    def __post_init__(self) -> None:
        self._part = part_name(self.blobs.folder / "received")
        if not self.wanted or self.blobs.size(self.begins.sha256) == self.begins.size:
            return
        with named("a file of the bundle", self.blobs.folder):
            self.blobs.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.fdopen(os.open(self._part, WRITING, 0o600), "wb")

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises `disk-full` and `folder-read-only`."""
        if self._file is not None:
            with named("a file of the bundle", self.blobs.folder):
                self._file.write(data)

    def end(self, event: FileEnds) -> bool:
        """Keep the file if it fits its digest; whether it is new here. Raises `file-digest`."""
        if self._file is None:
            return False
        try:
            self._file.close()
            if not event.fits:
                raise problem("file-digest", got="another one", wanted=event.sha256)
            self.blobs.keep(self._part)
        finally:
            self.drop()
        return True

    def drop(self) -> None:
        """Forget what came of it."""
        if self._file is not None:
            self._file.close()
            self._file = None
            with suppress(FileNotFoundError):
                self._part.unlink()
