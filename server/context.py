"""What every part of the server is handed: settings, database, files, key, clock, randomness."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyrage.x25519 import Identity

from server.blobs import Blobs, Previews
from server.blobs.opening import open_blobs
from server.keys import receipt_key, sealing_key, take_next
from server.settings import Settings
from server.staging import Staging
from server.store import changes, restoring, server_keys
from server.store.db import Database
from server.store.transaction import Tx
from sync.problems import problem
from sync.receipt import SignedBytes, server_id
from sync.server_keys import (
    CHANGE,
    ServerKeys,
    first_key,
    read_server_keys,
    receipt_keys,
    sign_server_keys,
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What the server says of its keys once one of them was changed; oldest first."""

    statements: tuple[SignedBytes, ...]
    receipt_keys: tuple[bytes, ...]
    newest: ServerKeys


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
    sealing_key: Identity
    now: Callable[[], int]
    token: Callable[[int], str]
    rotated: Rotated | None = None  # once one of the keys was changed

    @property
    def uploads(self) -> Staging:
        """Uploads under way; always on this computer's disk."""
        return Staging(self.settings.incoming)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def id(self) -> str:
        """Which server this is: the digest of its first receipt key, whatever it signs with now."""
        return server_id(self.rotated.receipt_keys[0] if self.rotated else self.public_key)

    @property
    def receipt_keys(self) -> tuple[bytes, ...]:
        """Every receipt key that it ever had, the first one first: what each signed holds (S8)."""
        return self.rotated.receipt_keys if self.rotated else (self.public_key,)

    @property
    def keys_number(self) -> int:
        return self.rotated.newest.number if self.rotated else 1

    @property
    def keys_ref(self) -> str:
        """What the change that brings the newest keys refers to."""
        return f"{self.keys_number}.{self.recipient}" if self.rotated else self.recipient

    @property
    def recipient(self) -> str:
        """What is sealed to this server is sealed to this age recipient."""
        return str(self.sealing_key.to_public())

    @property
    def key_statements(self) -> tuple[SignedBytes, ...]:
        """The server's keys as it says them to devices (S8), oldest first."""
        if self.rotated:
            return self.rotated.statements
        return (sign_server_keys(self.key, ServerKeys(1, self.public_key, self.recipient)),)


def open_context(settings: Settings) -> Context:
    """Open (and on the first start make) the data folder: tables, files, keys.

    Raises `folder-read-only`, `disk-full`, `files-setting` and `restore-unfinished`.
    """
    blobs, previews = open_blobs(settings)
    try:
        for folder in (settings.data, settings.files, settings.keys, settings.previews):
            folder.mkdir(parents=True, exist_ok=True)
        settings.incoming.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise problem("folder-read-only", folder=str(settings.data), why=str(exc)) from exc
    db = Database(settings.database_url)
    with db.read() as tx:
        unfinished = restoring.unfinished(tx)
    if unfinished:
        db.close()
        raise problem("restore-unfinished")
    db.migrate()
    rotated = _rotated(db)
    try:
        if rotated is not None:
            newest = rotated.newest
            take_next(settings.keys, newest.receipt_key, newest.sealing_key)
        key = receipt_key(settings.keys)
        sealing = sealing_key(settings.keys)
    except OSError as exc:
        raise problem("folder-read-only", folder=str(settings.data), why=str(exc)) from exc
    if rotated is not None and key.public_key().public_bytes_raw() != newest.receipt_key:
        why = "it is not the one that the server's statements name; put the newest key back"
        raise problem("key-unusable", path=str(settings.keys), why=why)
    ctx = Context(
        settings,
        db,
        blobs,
        previews,
        key,
        sealing,
        lambda: time.time_ns() // 1_000_000,
        secrets.token_urlsafe,
        rotated,
    )
    _tell_keys(ctx)
    return ctx


def _rotated(db: Database) -> Rotated | None:
    with db.read() as tx:
        statements = tuple(one.signed for one in server_keys.every(tx))
    if not statements:
        return None
    # The first statement is signed by the very key that it names: which server this is.
    first = first_key(statements)
    return Rotated(statements, receipt_keys(first, statements), read_server_keys(first, statements))


def _tell_keys(ctx: Context) -> None:
    """S8: devices that were enrolled before there was this sealing key hear of it as a change."""
    with ctx.db.read() as tx:
        if not changes.untold(tx, CHANGE, ctx.keys_ref):
            return

    def work(tx: Tx) -> None:
        people = changes.untold(tx, CHANGE, ctx.keys_ref)
        changes.tell(tx, people, [(CHANGE, ctx.keys_ref)], ctx.now())

    ctx.db.write(work)
