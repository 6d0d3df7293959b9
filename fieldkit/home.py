"""Where a device's state lives: one SQLite file, one folder of files, one key.

With a passphrase (S11) the same three are sealed under other names; `vault.json` says which count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit.blobs import Blobs
from fieldkit.database import Database
from fieldkit.disk import make_folder
from fieldkit.keys import load_key, load_or_make_key
from fieldkit.store import Store
from fieldkit.vault import derive, has_vault
from sync.problems import problem

# What a store, the folder of files, and the keys' files end with are called.
PLAIN = ("store.sqlite", "files", ".ed25519")
SEALED = ("store.sealed", "files.sealed", ".sealed-key")


@dataclass(frozen=True, slots=True)
class Home:
    """A device's folder; nothing is made until it is asked for. `data_key` opens a sealed one."""

    folder: Path
    data_key: bytes | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, str, str]:
        """What store, files and the ends of keys are called here."""
        return PLAIN if self.data_key is None else SEALED

    @property
    def key(self) -> Path:
        return self.folder / f"key{self.names[2]}"

    @property
    def key_under(self) -> bytes | None:
        """What the files of keys are sealed under, None on a device without a passphrase."""
        return self.derived("device key")

    def load_key(self) -> Ed25519PrivateKey:
        """The device's key; raises `key-unusable`."""
        return load_key(self.key, self.key_under)

    def load_or_make_key(self) -> Ed25519PrivateKey:
        """The device's key, made first where there is none; raises what writing a file raises."""
        return load_or_make_key(self.key, self.key_under)

    @property
    def next_key(self) -> Path:
        """The key of the next generation, while that is being made (S3)."""
        return self.folder / f"key.next{self.names[2]}"

    def former_key(self, device: str) -> Path:
        """The key of a generation that ended, kept for proof (S3)."""
        return self.folder / f"key.{device}{self.names[2]}"

    def open_store(self) -> Store:
        """The store, made where there is none; raises what making files raises, `device-locked`
        and `vault-damaged`.
        """
        self._check_state()
        make_folder(self.folder)
        return Store(Database(self.folder / self.names[0], key=self.derived("store")))

    def blobs(self) -> Blobs:
        if self.data_key is None:
            return Blobs(self.folder / self.names[1])
        from fieldkit.sealed_blobs import SealedBlobs

        return SealedBlobs(self.folder / self.names[1], self.data_key)

    def derived(self, purpose: str) -> bytes | None:
        """The key for one purpose, None on a device without a passphrase."""
        return None if self.data_key is None else derive(self.data_key, purpose)

    def _check_state(self) -> None:
        if has_vault(self.folder):
            if self.data_key is None:
                raise problem("device-locked")
        elif (self.folder / SEALED[0]).exists() and not (self.folder / PLAIN[0]).exists():
            raise problem("vault-damaged", path=str(self.folder / "vault.json"), why="it is gone")
