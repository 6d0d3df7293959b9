"""What every part of the server is handed: settings, database, files, key, clock, randomness."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.blobs import Blobs, Previews
from server.blobs.opening import open_blobs
from server.settings import Settings
from server.staging import Staging
from server.store import restoring
from server.store.db import Database
from sync.problems import problem
from sync.receipt import server_id


@dataclass(frozen=True, slots=True)
class Context:
    """The composition root's product. `now` gives UTC milliseconds; `token(n)` n random bytes as
    URL-safe text; both are arguments so that nothing else reads a clock or draws randomness.
    """

    settings: Settings
    db: Database
    blobs: Blobs
    previews: Previews
    key: Ed25519PrivateKey
    now: Callable[[], int]
    token: Callable[[int], str]

    @property
    def uploads(self) -> Staging:
        """Uploads under way; always on this computer's disk."""
        return Staging(self.settings.incoming)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def id(self) -> str:
        return server_id(self.public_key)


def open_context(settings: Settings) -> Context:
    """Open (and on the first start make) the data folder: tables, files, receipt key.

    Raises `folder-read-only`, `disk-full`, `files-setting` and `restore-unfinished`.
    """
    blobs, previews = open_blobs(settings)
    try:
        for folder in (settings.data, settings.files, settings.keys, settings.previews):
            folder.mkdir(parents=True, exist_ok=True)
        settings.incoming.mkdir(mode=0o700, exist_ok=True)
        key = _receipt_key(settings.keys / "receipt.ed25519")
    except OSError as exc:
        raise problem("folder-read-only", folder=str(settings.data), why=str(exc)) from exc
    db = Database(settings.database_url)
    with db.read() as tx:
        unfinished = restoring.unfinished(tx)
    if unfinished:
        db.close()
        raise problem("restore-unfinished")
    db.migrate()
    return Context(
        settings,
        db,
        blobs,
        previews,
        key,
        lambda: time.time_ns() // 1_000_000,
        secrets.token_urlsafe,
    )


def _receipt_key(path: Path) -> Ed25519PrivateKey:
    if path.exists():
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    key = Ed25519PrivateKey.generate()
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    # Of several processes that start at once, the first to link makes the key; all read that one.
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        beside.replace(path)
    beside.unlink(missing_ok=True)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
