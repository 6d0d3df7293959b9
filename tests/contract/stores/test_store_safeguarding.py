"""Safeguarding keys, on each database (L8)."""

from __future__ import annotations

from dataclasses import replace

from store_rows import NOW

from server.store import safeguarding
from server.store.db import Database
from server.store.safeguarding import SafeguardingKey


def test_keys_come_in_the_order_of_publishing_and_ending_one_leaves_it_listed(db: Database) -> None:
    first = SafeguardingKey("age1second", "Rina", "console", NOW)
    second = SafeguardingKey("age1first", "Budi", "console", NOW + 1)
    db.write(lambda tx: [safeguarding.add(tx, one) for one in (second, first)])
    with db.read() as tx:
        assert safeguarding.every(tx) == [first, second]
    db.write(lambda tx: safeguarding.end(tx, "age1second", NOW + 5))
    db.write(lambda tx: safeguarding.end(tx, "age1second", NOW + 9))
    with db.read() as tx:
        assert safeguarding.every(tx) == [replace(first, ended_at=NOW + 5), second]
