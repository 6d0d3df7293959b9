"""The statements of the server's keys (S8), on each database."""

from __future__ import annotations

from store_rows import NOW, a_device, put_people, put_region

from server.store import devices, server_keys
from server.store.db import Database
from server.store.server_keys import KeyStatement
from sync.receipt import SignedBytes

FIRST = KeyStatement(1, NOW, SignedBytes(b"one", bytes(64)), None)
SECOND = KeyStatement(2, NOW + 1, SignedBytes(bytes(range(256)), bytes(64)), b"\x00sealed")


def test_statements_come_back_in_their_order(db: Database) -> None:
    with db.read() as tx:
        assert server_keys.every(tx) == []
    db.write(lambda tx: server_keys.add(tx, SECOND))
    db.write(lambda tx: server_keys.add(tx, FIRST))
    with db.read() as tx:
        assert server_keys.every(tx) == [FIRST, SECOND]


def test_a_retired_device_has_no_token_and_is_no_revoked_one(db: Database) -> None:
    def work(tx):  # type: ignore[no-untyped-def]
        put_region(tx)
        put_people(tx)
        devices.put(tx, a_device(1, "p-aminah"))
        devices.retire(tx, a_device(1, "p-aminah").id)
        return devices.find(tx, a_device(1, "p-aminah").id)

    found = db.write(work)
    assert found is not None
    assert (found.status, found.token_digest) == (devices.RETIRED, None)
