"""Logs as devices sent them (L2, L4, S2, S3), on each database."""

from __future__ import annotations

import hashlib

from store_rows import (
    EVERY_BYTE,
    NOW,
    VISIT,
    VISIT_2,
    append,
    digest,
    hashes_of,
    key_of,
    put_devices,
    put_everybody,
    put_people,
)

from server.store import logs, stored
from server.store.db import Database
from server.store.logs import InspectionRow
from sync.log import Head, Segment, genesis, sign_head
from sync.receipt import SignedBytes

# Lines are bytes: nothing in them means anything to a database.
LINES = [EVERY_BYTE.replace(b"\n", b""), b"\x00", "สวัสดี".encode(), b"\xff\xfe", b"{}"]


def test_a_devices_key_and_person_are_known(db: Database) -> None:
    db.write(put_people)
    first, _ = db.write(put_devices)
    with db.read() as tx:
        assert logs.owner_of(tx, first.id) == (first.public_key, "p-aminah")
        assert logs.owner_of(tx, "no such") is None


def test_lines_are_kept_as_the_bytes_first_written(db: Database) -> None:
    first, _ = db.write(put_everybody)
    log = db.write(lambda tx: append(tx, first, VISIT, LINES))
    with db.read() as tx:
        assert logs.lines_of(tx, log.id) == LINES
        assert logs.lines_of(tx, log.id, 2, 4) == LINES[1:4]
        assert logs.lines_of(tx, log.id, 4) == LINES[3:]
        assert logs.lines_of(tx, log.id, 9) == []
        assert all(type(line) is bytes for line in logs.lines_of(tx, log.id))


def test_a_log_goes_on_from_its_head_and_knows_the_hash_at_every_place(db: Database) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: append(tx, first, VISIT, LINES[:2]))
    log = db.write(lambda tx: append(tx, first, VISIT, LINES[2:], before=LINES[:2], now=NOW + 1))
    expected = hashes_of(first, VISIT, LINES)
    assert log.head == Head(5, expected[-1])
    assert (log.device, log.inspection, log.person) == (first.id, VISIT, "p-aminah")
    assert log.public_key == first.public_key
    with db.read() as tx:
        assert logs.hash_at(tx, log, 0) == genesis(first.public_key, VISIT)
        assert [logs.hash_at(tx, log, n) for n in range(1, 6)] == expected
        assert all(type(logs.hash_at(tx, log, n)) is bytes for n in range(6))
        assert [line.h for line in stored.lines_of(tx, log.id)] == expected


def test_each_run_of_lines_keeps_its_signature_and_when_it_came(db: Database) -> None:
    first, _ = db.write(put_everybody)
    db.write(lambda tx: append(tx, first, VISIT, LINES[:2]))
    log = db.write(lambda tx: append(tx, first, VISIT, LINES[2:], before=LINES[:2], now=NOW + 1))
    h = hashes_of(first, VISIT, LINES)
    with db.read() as tx:
        found = logs.segments_of(tx, log.id)
    assert [(one.last, one.received_at, one.offset_ms) for one in found] == [
        (2, NOW, -NOW),
        (5, NOW + 1, -NOW),
    ]
    assert [one.signature for one in found] == [sign_head(key_of(1), h[n]) for n in (1, 4)]


def test_logs_are_found_by_device_and_inspection_and_come_as_first_heard_of(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    b = db.write(lambda tx: append(tx, second, VISIT, LINES))
    a = db.write(lambda tx: append(tx, first, VISIT, LINES[:1]))
    c = db.write(lambda tx: append(tx, first, VISIT_2, LINES))
    with db.read() as tx:
        assert logs.find_log(tx, first.id, VISIT) == a
        assert logs.find_log(tx, second.id, VISIT_2) is None
        assert logs.logs_of(tx, VISIT) == [b, a]
        assert logs.all_logs(tx) == [b, a, c]


def test_a_branch_is_set_aside_once(db: Database) -> None:
    first, _ = db.write(put_everybody)
    branch = Segment(first.id, VISIT, 3, tuple(LINES), bytes(64))
    name = digest("branch")

    def aside() -> bool:
        return db.write(lambda tx: logs.set_aside(tx, branch, "other bytes", name, NOW))

    assert [aside(), aside()] == [True, False]
    with db.read() as tx:
        (found,) = stored.all_branches(tx)
    assert found.branch == b"\n".join(LINES)
    assert (found.device, found.inspection, found.digest) == (first.id, VISIT, name)


def test_receipts_are_kept_as_they_were_given(db: Database) -> None:
    first, _ = db.write(put_everybody)
    given = [SignedBytes(EVERY_BYTE, hashlib.sha512(bytes([n])).digest()) for n in range(3)]
    for n, one in enumerate(given):
        db.write(lambda tx, n=n, one=one: logs.keep_receipt(tx, first.id, one, NOW + n))
    with db.read() as tx:
        found = list(stored.all_receipts(tx))
    assert [SignedBytes(one.payload, one.signature) for one in found] == given
    assert [one.at for one in found] == [NOW, NOW + 1, NOW + 2]


# -- inspections ----------------------------------------------------------------------------------


def test_the_first_facility_and_mode_that_are_named_stay(db: Database) -> None:
    def touch(now: int, facility: str | None, mode: str | None) -> str | None:
        return db.write(lambda tx: logs.touch_inspection(tx, VISIT, now, facility, mode))

    assert touch(NOW, None, None) is None
    assert touch(NOW + 1, "hill", "live") == "hill"
    assert touch(NOW + 2, "valley", "training") == "hill"
    with db.read() as tx:
        assert logs.find_inspection(tx, VISIT) == InspectionRow(VISIT, "hill", "live", NOW, NOW + 2)
        assert logs.find_inspection(tx, VISIT_2) is None


def test_a_facility_may_be_named_by_any_text(db: Database) -> None:
    odd = {VISIT: "a \x00 b", VISIT_2: "y\ud83c" * 30_000}
    for inspection, facility in odd.items():
        db.write(lambda tx, i=inspection, f=facility: logs.touch_inspection(tx, i, NOW, f, "live"))
    with db.read() as tx:
        for inspection, facility in odd.items():
            assert [one.id for one in logs.inspections_at(tx, facility)] == [inspection]


def test_inspections_of_a_facility_come_as_first_heard_of(db: Database) -> None:
    for inspection, now in ((VISIT, NOW + 5), (VISIT_2, NOW)):
        db.write(lambda tx, i=inspection, n=now: logs.touch_inspection(tx, i, n, "hill", "live"))
    with db.read() as tx:
        assert [one.id for one in logs.inspections_at(tx, "hill")] == [VISIT_2, VISIT]
        assert logs.inspections_at(tx, "valley") == []
