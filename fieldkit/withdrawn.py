"""Withdrawn consent, as a device hears of it (L8): its copy of the entry's key goes."""

from __future__ import annotations

import json

from fieldkit.blobs import Blobs
from fieldkit.store import Store
from sync.inspection import Sealed
from sync.inspection_reader import read_value
from sync.log import Entry
from sync.sealed import FAMILY, WITHDRAWN

_DROPPED = "withdrawn_dropped"


def drop_withdrawn(store: Store, blobs: Blobs) -> int:
    """Destroy this device's copies of keys whose entries the server says are withdrawn.

    Only a file that an entry here names as its key is touched. Returns how many went.
    """
    told = {
        ref
        for (ref,) in store.database.rows("select ref from documents where kind = ?", (WITHDRAWN,))
    }
    before = set(json.loads(store.note(_DROPPED) or "[]"))
    if told <= before:
        return 0
    dropped = 0
    for key in _keys_of(store, told - before):
        dropped += blobs.destroy(key)
        with store.database.write("the withdrawn entry") as tx:
            tx.execute("delete from files where sha256 = ?", (key,))
    store.set_notes(**{_DROPPED: json.dumps(sorted(told | before))})
    return dropped


def _keys_of(store: Store, entries: set[str]) -> set[str]:
    """The digests of the keys that these entries name, in any log that is here, adopted or not."""
    found: set[str] = set()
    for inspection in store.inspections():
        for record in store.records(inspection, waiting=True):
            if not isinstance(record, Entry) or not record.path.startswith(f"{FAMILY}/"):
                continue
            sealed = read_value(record)
            if isinstance(sealed, Sealed) and sealed.id in entries:
                found.add(sealed.key.sha256)
    return found
