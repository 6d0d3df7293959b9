"""Everything as it lies there, for being verified, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from store_rows import (
    EVERY_BYTE,
    NOW,
    VISIT,
    VISIT_2,
    append,
    digest,
    hashes_of,
    put_everybody,
    put_filing,
    put_people,
    put_region,
    put_visit,
    touch,
)

from server.store import devices, documents, files, logs, proposals, stored
from server.store.db import Database
from server.store.documents import Document
from server.store.logs import NewReceipt
from server.store.proposals import Proposal
from server.store.stored import (
    StoredBody,
    StoredDeclaration,
    StoredDevice,
    StoredInspection,
    StoredLine,
    StoredLog,
)
from sync.receipt import SignedBytes

ONE, TWO, THREE = sorted(digest(n) for n in range(3))
LINES = [EVERY_BYTE.replace(b"\n", b""), b"\x00"]


def test_devices_come_by_id_with_the_bytes_of_their_columns(db: Database) -> None:
    both = db.write(put_everybody)
    with db.read() as tx:
        assert stored.all_devices(tx) == [
            StoredDevice(
                one.id, one.public_key, one.person, devices.write_certificate(one.certificate)
            )
            for one in sorted(both, key=lambda one: one.id)
        ]


def test_logs_lines_and_segments_come_as_they_lie_there(db: Database) -> None:
    first, _ = db.write(put_everybody)
    log = db.write(lambda tx: append(tx, first, VISIT, LINES))
    expected = hashes_of(first, VISIT, LINES)
    with db.read() as tx:
        assert stored.all_logs(tx) == [StoredLog(log.id, first.id, VISIT, 2, expected[-1])]
        assert list(stored.lines_of(tx, log.id)) == [
            StoredLine(n, line, h)
            for n, (line, h) in enumerate(zip(LINES, expected, strict=True), 1)
        ]
        (run,) = stored.segments_of(tx, log.id)
        assert (run.first, run.last, run.fits) == (1, 2, True)
        assert len(stored.segments_of(tx, log.id)[0].signature) == 64


def test_many_lines_are_read_in_order_while_other_things_are_read(db: Database) -> None:
    first, _ = db.write(put_everybody)
    lines = [f"line {n}".encode() for n in range(1500)]
    log = db.write(lambda tx: append(tx, first, VISIT, lines))
    read = []
    with db.read() as tx:
        for row in stored.lines_of(tx, log.id):
            read.append(row.line)
            if row.seq % 500 == 0:
                assert len(stored.all_logs(tx)) == 1
    assert read == lines


def test_receipts_come_in_the_order_they_were_given(db: Database) -> None:
    first, _ = db.write(put_everybody)
    for n in range(3):
        given = SignedBytes(EVERY_BYTE, bytes([n]) * 64)
        db.write(
            lambda tx, n=n, g=given: logs.keep_receipts(tx, [NewReceipt(first.id, g, NOW + n)])
        )
    with db.read() as tx:
        found = list(stored.all_receipts(tx))
    assert [(one.device, one.payload, one.signature[0], one.at) for one in found] == [
        (first.id, EVERY_BYTE, n, NOW + n) for n in range(3)
    ]


def test_files_that_are_held_and_those_that_are_missing(db: Database) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: put_visit(tx, first, VISIT, "hill", THREE, ONE))
    db.write(lambda tx: put_visit(tx, second, VISIT, "hill", ONE, TWO))
    db.write(lambda tx: files.hold(tx, TWO, 2**40, "p-budi", NOW))
    with db.read() as tx:
        assert stored.all_files(tx) == [(TWO, 2**40)]
        assert stored.missing_files(tx) == [ONE, THREE]
        assert stored.named_files(tx, VISIT, first.id) == {ONE, THREE}
        assert stored.named_files(tx, VISIT_2, first.id) == set()


def test_documents_and_declarations_come_with_their_bytes(db: Database) -> None:
    db.write(put_region)
    new = Document(digest("doc"), "limits", "example", "1", EVERY_BYTE, NOW)
    db.write(lambda tx: documents.add(tx, new))
    db.write(lambda tx: put_people(tx, "aminah"))
    proposed = ("limits", "example", "2", digest("proposed"), b"3", {"th": "2027-01-01"})
    db.write(lambda tx: proposals.add(tx, Proposal("v-1", *proposed, "p-aminah", NOW)))
    db.write(lambda tx: put_filing(tx, "d2", "hill", b"2"))
    db.write(lambda tx: put_filing(tx, "d1", "hill", EVERY_BYTE))
    with db.read() as tx:
        assert stored.all_documents(tx) == [
            StoredBody("limits example 1", new.digest, EVERY_BYTE),
            StoredBody("proposal v-1", digest("proposed"), b"3"),
        ]
        assert stored.all_declarations(tx) == [
            StoredDeclaration(name, "hill", "2026-01-10", "2026-01-01", digest(name), body)
            for name, body in (("d1", EVERY_BYTE), ("d2", b"2"))
        ]


def test_inspections_come_as_they_lie_there(db: Database) -> None:
    db.write(put_everybody)
    db.write(lambda tx: touch(tx, VISIT_2, NOW, None, None))
    db.write(lambda tx: touch(tx, VISIT, NOW, "hill", "live"))
    with db.read() as tx:
        assert stored.all_inspections(tx) == [
            StoredInspection(VISIT, "hill", "live"),
            StoredInspection(VISIT_2, None, None),
        ]


def test_text_whose_bytes_were_damaged_can_be_shown_where_it_can_be_stored(db: Database) -> None:
    db.write(lambda tx: touch(tx, VISIT, NOW, "hill", "live"))
    if db.engine.dialect.name == "postgresql":
        damage = text("update inspections set facility = convert_from('\\x70ff', 'UTF8')")
        with pytest.raises(DBAPIError, match="invalid byte sequence"):
            db.write(lambda tx: tx.execute(damage))
        shown = "hill"
    else:
        damage = text("update inspections set facility = cast(x'70ff' as text)")
        db.write(lambda tx: tx.execute(damage))
        shown = "p\\xff"
    with db.read() as tx:
        with stored.damaged_text_shown(tx):
            assert [one.facility for one in stored.all_inspections(tx)] == [shown]
        raw = tx.connection.dbapi_connection
        assert getattr(raw, "text_factory", str) is str
