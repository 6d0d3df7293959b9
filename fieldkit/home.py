"""Where a device's state lives: one SQLite file, one folder of files, one key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fieldkit.blobs import Blobs
from fieldkit.database import Database
from fieldkit.disk import make_folder
from fieldkit.store import Store


@dataclass(frozen=True, slots=True)
class Home:
    """A device's folder; nothing is made until it is asked for."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key.ed25519"

    @property
    def next_key(self) -> Path:
        """The key of the next generation, while that is being made (S3)."""
        return self.folder / "key.next.ed25519"

    def former_key(self, device: str) -> Path:
        """The key of a generation that ended, kept for proof (S3)."""
        return self.folder / f"key.{device}.ed25519"

    def open_store(self) -> Store:
        """The store, made where there is none; raises what making files raises."""
        make_folder(self.folder)
        return Store(Database(self.folder / "store.sqlite"))

    def blobs(self) -> Blobs:
        return Blobs(self.folder / "files")
