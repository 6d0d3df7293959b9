"""Withdrawn consent, as a device hears of it (L8): its copy of the entry's key goes."""

from __future__ import annotations

from fieldkit.blobs import Blobs
from fieldkit.store import Store
from sync.log import Entry, read_line
from sync.sealed import WITHDRAWN, read_sealed


def drop_withdrawn(store: Store, blobs: Blobs) -> int:
    """Destroy this device's copies of keys whose entries the server says are withdrawn.

    Only a file that an entry of this device names as its key is touched. Returns how many went.
    """
    dropped = 0
    device = store.note("device")
    for (ref,) in store.database.rows("select ref from documents where kind = ?", (WITHDRAWN,)):
        for log, own, seq, line, h in store.database.rows(
            "select log, device, seq, line, h from lines where path = ? and device = ?",
            (f"sealed/{ref}", device),
        ):
            dropped += _drop_key(store, blobs, line, own, log, seq, h)
    return dropped


def _drop_key(
    store: Store, blobs: Blobs, line: bytes, device: str, log: str, seq: int, h: bytes
) -> int:
    entry = read_line(line, device, log, seq, h.hex())
    sealed = read_sealed(entry) if isinstance(entry, Entry) else None
    if sealed is None:
        return 0
    sha256 = sealed.key.sha256
    there = blobs.has(sha256)
    if there:
        blobs.path(sha256).unlink(missing_ok=True)
    with store.database.write("the withdrawn entry") as tx:
        tx.execute("delete from files where sha256 = ?", (sha256,))
    return int(there)
