"""Declarations as they were filed, on each database."""

from __future__ import annotations

from store_rows import EVERY_BYTE, NOW, a_filing, put_filing, put_region

from server.store import declarations
from server.store.db import Database
from server.store.transaction import Tx


def test_a_filing_keeps_its_bytes_as_they_came(db: Database) -> None:
    db.write(put_region)
    db.write(lambda tx: put_filing(tx, "d1", "hill", EVERY_BYTE))
    with db.read() as tx:
        assert declarations.find(tx, "d1") == a_filing("d1", "hill")
        assert declarations.body(tx, "d1") == EVERY_BYTE
        assert type(declarations.body(tx, "d1")) is bytes
        assert declarations.find(tx, "d2") is None
        assert declarations.body(tx, "d2") is None


def test_filings_come_as_they_were_filed_then_received_then_by_id(db: Database) -> None:
    def work(tx: Tx) -> None:
        put_region(tx)
        put_filing(tx, "late", "hill", b"late", filed="2026-03-01")
        put_filing(tx, "b", "hill", b"b", received_at=NOW + 1)
        put_filing(tx, "a", "hill", b"a", received_at=NOW + 1)
        put_filing(tx, "z", "hill", b"z", received_at=NOW)
        put_filing(tx, "elsewhere", "valley", b"")

    db.write(work)
    with db.read() as tx:
        found = [one.id for one in declarations.of_facility(tx, "hill")]
        assert found == ["z", "a", "b", "late"]
        assert declarations.bodies(tx, "hill") == [b"z", b"a", b"b", b"late"]
        assert declarations.bodies(tx, "valley") == [b""]
        assert declarations.of_facility(tx, "delta") == []
