"""A laptop's own store and sync, against the office's running server."""

from __future__ import annotations

import time
from pathlib import Path

from fieldkit.blobs import Blobs
from fieldkit.database import Database
from fieldkit.ledger import Ledger, encode_key
from fieldkit.store import Store
from fieldkit.syncer import Syncer
from fieldkit.transport import HttpTransport
from tests.bench.office import Laptop, Office


def enrolled_store(folder: Path, made: Office, laptop: Laptop, cursor: str | None) -> Store:
    """A new store that knows who it is; `cursor` says how far it has read."""
    folder.mkdir()
    store = Store(Database(folder / "store.sqlite"))
    notes = {} if cursor is None else {"cursor": cursor}
    store.set_notes(
        device=laptop.id,
        public_key=encode_key(laptop.public_key),
        person=laptop.person,
        person_name="An auditor",
        server=f"http://127.0.0.1:{made.port}",
        server_name="office",
        server_key=encode_key(made.public_key),
        token=laptop.token,
        **notes,
    )
    return store


def sync(store: Store, laptop: Laptop, transport: HttpTransport) -> None:
    """One run of the conversation, until nothing waits."""
    ledger, blobs = Ledger(store.database), Blobs(store.database.path.parent / "files")
    now = time.time_ns() // 1_000_000
    Syncer(store, ledger, blobs, laptop.key, store.identity(), transport, lambda: now).run()
    assert ledger.waiting_lines(store.identity()) == 0
