"""Logs as devices sent them (L2, L4, S2, S3), on each database."""

from __future__ import annotations

import hashlib
from functools import partial

from store_rows import (
    EVERY_BYTE,
    NOW,
    VISIT,
    VISIT_2,
    append,
    hashes_of,
    key_of,
    put_devices,
    put_everybody,
    put_people,
    touch,
)

from server.store import devices, logs, stored
from server.store.db import Database
from server.store.logs import InspectionRow, NewLines, NewReceipt, Run, Touch
from server.store.transaction import Tx
from sync.log import Head, Segment, genesis, sign_head
from sync.receipt import SignedBytes
from sync.session import Append

# Lines are bytes: nothing in them means anything to a database.
LINES = [EVERY_BYTE.replace(b"\n", b""), b"\x00", "สวัสดี".encode(), b"\xff\xfe", b"{}"]


def test_a_devices_key_and_person_are_known(db: Database) -> None:
    db.write(put_people)
    first, _ = db.write(put_devices)
    with db.read() as tx:
        found = logs.owners_of(tx, [first.id, "no such"])
    assert found == {first.id: (first.public_key, "p-aminah", False, False)}
    db.write(lambda tx: devices.revoke(tx, first.id))
    with db.read() as tx:
        assert logs.owners_of(tx, [first.id])[first.id].revoked


def test_runs_that_came_after_their_device_was_revoked_are_known(db: Database) -> None:
    """S8"""
    first, _ = db.write(put_everybody)
    db.write(lambda tx: append(tx, first, VISIT, LINES[:2]))
    db.write(lambda tx: append(tx, first, VISIT, LINES[2:], before=LINES[:2], revoked=True))
    with db.read() as tx:
        assert logs.revoked_runs(tx, VISIT) == {first.id: [(3, 5)]}
        assert logs.revoked_runs(tx, VISIT_2) == {}


def test_when_the_runs_of_several_logs_came_is_known_each_time_once(db: Database) -> None:
    """S9, S5"""
    first, second = db.write(put_everybody)
    assert db.write(lambda tx: logs.came_at(tx, [])) == {}
    for n, at in enumerate((NOW, NOW, NOW + 5)):
        given = LINES[n : n + 1], LINES[:n], at
        db.write(lambda tx, g=given: append(tx, first, VISIT, g[0], before=g[1], now=g[2]))
    db.write(lambda tx: append(tx, second, VISIT, LINES[:1], now=NOW + 9))
    with db.read() as tx:
        ids = {log.device: log.id for log in logs.logs_of(tx, VISIT)}
        assert logs.came_at(tx, ids.values()) == {
            ids[first.id]: [NOW, NOW + 5],
            ids[second.id]: [NOW + 9],
        }


def test_entries_that_carry_a_revoked_devices_lines_are_marked_one_by_one(db: Database) -> None:
    """S8, S3"""
    first, second = db.write(put_everybody)
    db.write(lambda tx: append(tx, first, VISIT, LINES[:2]))
    db.write(lambda tx: append(tx, first, VISIT, LINES[2:], before=LINES[:2]))
    db.write(lambda tx: append(tx, second, VISIT, LINES))
    for positions in ({4, 2}, {5}, set()):
        db.write(lambda tx, p=positions: logs.mark_late(tx, first.id, VISIT, p))
    with db.read() as tx:
        assert logs.late_adopted(tx, {VISIT, VISIT_2}) == {(first.id, VISIT): [2, 4, 5]}
        assert logs.late_adopted(tx, {VISIT_2}) == {}
        assert logs.revoked_runs(tx, VISIT) == {}


def test_where_the_lines_of_revoked_devices_begin_to_be_late_is_known_of_several_inspections(
    db: Database,
) -> None:
    """S8"""
    first, second = db.write(put_everybody)
    for visit in (VISIT, VISIT_2):
        for device in (first, second):
            db.write(partial(append, device=device, inspection=visit, lines=LINES[:1]))
    db.write(lambda tx: devices.revoke(tx, first.id))
    with db.read() as tx:
        assert logs.late_from(tx, {VISIT, VISIT_2}) == {}
    for n in (1, 3):
        late, before = LINES[n : n + 2], LINES[:n]
        db.write(lambda tx, a=late, b=before: append(tx, first, VISIT, a, before=b, revoked=True))
    with db.read() as tx:
        assert logs.late_from(tx, {VISIT, VISIT_2}) == {(first.id, VISIT): 2}
        assert logs.late_from(tx, {VISIT_2}) == {}


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


def test_runs_come_with_their_hashes_and_signatures_as_they_lie_there(db: Database) -> None:
    """S5: what colleagues receive is proved by the runs that were signed."""
    first, _ = db.write(put_everybody)
    db.write(lambda tx: append(tx, first, VISIT, LINES[:2]))
    log = db.write(lambda tx: append(tx, first, VISIT, LINES[2:], before=LINES[:2]))
    h = hashes_of(first, VISIT, LINES)
    whole = [
        Run(1, tuple(LINES[:2]), tuple(h[:2]), sign_head(key_of(1), h[1])),
        Run(3, tuple(LINES[2:]), tuple(h[2:]), sign_head(key_of(1), h[4])),
    ]
    with db.read() as tx:
        assert logs.runs_of(tx, log.id, 2, 3) == whole
        assert logs.runs_of(tx, log.id, 3, 5) == whole[1:]
        assert logs.runs_of(tx, log.id, 1, 1) == whole[:1]
        assert logs.line_sizes(tx, log.id) == [[len(x) for x in run.lines] for run in whole]


def test_logs_are_found_by_device_and_inspection_and_come_as_first_heard_of(
    db: Database,
) -> None:
    first, second = db.write(put_everybody)
    b = db.write(lambda tx: append(tx, second, VISIT, LINES))
    a = db.write(lambda tx: append(tx, first, VISIT, LINES[:1]))
    c = db.write(lambda tx: append(tx, first, VISIT_2, LINES))
    with db.read() as tx:
        keys = [(first.id, VISIT), (second.id, VISIT_2), (first.id, VISIT_2)]
        assert logs.find_logs(tx, keys) == {keys[0]: a, keys[2]: c}
        assert logs.find_logs(tx, []) == {}
        assert logs.logs_of(tx, VISIT) == [b, a]
        assert logs.all_logs(tx) == [b, a, c]
        assert logs.logs_by(tx, first.id) == [a, c]


def test_receipts_are_kept_as_they_were_given(db: Database) -> None:
    first, _ = db.write(put_everybody)
    given = [SignedBytes(EVERY_BYTE, hashlib.sha512(bytes([n])).digest()) for n in range(3)]
    for n, one in enumerate(given):
        db.write(
            lambda tx, n=n, one=one: logs.keep_receipts(tx, [NewReceipt(first.id, one, NOW + n)])
        )
    with db.read() as tx:
        found = list(stored.all_receipts(tx))
    assert [SignedBytes(one.payload, one.signature) for one in found] == given
    assert [one.at for one in found] == [NOW, NOW + 1, NOW + 2]


def test_lines_of_many_logs_are_stored_at_once_and_each_log_keeps_its_own(db: Database) -> None:
    first, second = db.write(put_everybody)
    db.write(lambda tx: append(tx, second, VISIT, LINES[:2]))

    def both(tx: Tx) -> None:
        runs = []
        for device, seed, before in ((first, 1, ()), (second, 2, LINES[:2])):
            hashes = tuple(hashes_of(device, VISIT, (*before, *LINES))[len(before) :])
            start, end = len(before) + 1, Head(len(before) + len(LINES), hashes[-1])
            signed = sign_head(key_of(seed), hashes[-1])
            segment = Segment(device.id, VISIT, start, tuple(LINES), signed)
            held = logs.find_logs(tx, [(device.id, VISIT)]).get((device.id, VISIT))
            new = Append(start, tuple(LINES), hashes, end)
            runs.append(NewLines(segment, held, new, NOW, 0))
        logs.append(tx, runs)

    db.write(both)
    with db.read() as tx:
        found = {log.device: logs.lines_of(tx, log.id) for log in logs.logs_of(tx, VISIT)}
        assert found == {first.id: LINES, second.id: [*LINES[:2], *LINES]}
        for log in logs.logs_of(tx, VISIT):
            assert [one.h for one in stored.lines_of(tx, log.id)][-1] == log.h


# -- inspections ----------------------------------------------------------------------------------


def test_the_first_facility_and_mode_that_are_named_stay(db: Database) -> None:
    def says(now: int, facility: str | None, mode: str | None) -> set[str]:
        return db.write(lambda tx: touch(tx, VISIT, now, facility, mode))

    assert says(NOW, None, None) == set()
    assert says(NOW + 1, "hill", "live") == {"hill"}
    assert says(NOW + 2, "valley", "training") == {"hill"}
    with db.read() as tx:
        assert logs.find_inspection(tx, VISIT) == InspectionRow(VISIT, "hill", "live", NOW, NOW + 2)
        assert logs.find_inspection(tx, VISIT_2) is None


def test_several_touches_at_once_count_in_their_order(db: Database) -> None:
    touches = [
        Touch(VISIT, NOW, None, None),
        Touch(VISIT_2, NOW + 1, "delta", "training"),
        Touch(VISIT, NOW + 2, "hill", "live"),
        Touch(VISIT, NOW + 3, "valley", "training"),
    ]
    found = db.write(lambda tx: logs.touch_inspections(tx, touches))
    assert found.facilities == {"hill": NOW + 3, "delta": NOW + 1}
    assert found.placed == frozenset()
    with db.read() as tx:
        assert logs.find_inspection(tx, VISIT) == InspectionRow(VISIT, "hill", "live", NOW, NOW + 3)
    assert db.write(lambda tx: logs.touch_inspections(tx, [])) == logs.Touched()


def test_who_says_where_an_inspection_is_began_it_also_when_lines_came_before(
    db: Database,
) -> None:
    """S5: by whom it is known who shares it; it is told whole once that is known."""
    touches = [
        Touch(VISIT, NOW, None, None, "p-budi"),
        Touch(VISIT_2, NOW, None, None, "p-budi"),
        Touch(VISIT_2, NOW + 1, "delta", "live", "p-budi"),
    ]
    assert db.write(lambda tx: logs.touch_inspections(tx, touches)).placed == frozenset()
    later = [
        Touch(VISIT, NOW + 2, "hill", "live", "p-aminah"),
        Touch(VISIT, NOW + 3, "valley", "live", "p-budi"),
        Touch(VISIT_2, NOW + 3, "hill", "live", "p-aminah"),
    ]
    found = db.write(lambda tx: logs.touch_inspections(tx, later))
    assert found.placed == {VISIT}
    rows = (
        InspectionRow(VISIT, "hill", "live", NOW, NOW + 3, "p-aminah"),
        InspectionRow(VISIT_2, "delta", "live", NOW, NOW + 3, "p-budi"),
    )
    assert found.rows == rows
    with db.read() as tx:
        assert logs.find_inspections(tx, [VISIT_2, VISIT, "no such"]) == list(rows)
        assert logs.find_inspections(tx, []) == []


def test_the_inspections_that_a_person_has_a_log_of_are_found_each_once(db: Database) -> None:
    first, second = db.write(put_everybody)
    for inspection in (VISIT, VISIT_2):
        db.write(lambda tx, i=inspection: touch(tx, i, NOW, "hill", "live"))
    db.write(lambda tx: append(tx, first, VISIT, LINES[:1]))
    db.write(lambda tx: append(tx, second, VISIT_2, LINES[:1]))
    with db.read() as tx:
        for device in (first, second):
            found = [one.id for one in logs.inspections_of_person(tx, device.person)]
            mine = {first.id: VISIT, second.id: VISIT_2}
            owned = {first.id: first.person, second.id: second.person}
            wanted = {mine[d] for d, person in owned.items() if person == device.person}
            assert found == sorted(wanted)
        assert logs.inspections_of_person(tx, "p-nobody") == []


def test_who_may_settles_what_an_inspection_is_whoever_spoke_first(db: Database) -> None:
    """S9: a stranger's guess is only shown until somebody who may has said it."""

    def says(now: int, facility: str, mode: str, settles: bool) -> dict[str, int]:
        touched = [Touch(VISIT, now, facility, mode, f"p-{facility}", settles)]
        return db.write(lambda tx: logs.touch_inspections(tx, touched)).facilities

    def stands() -> InspectionRow | None:
        with db.read() as tx:
            return logs.find_inspection(tx, VISIT)

    assert says(NOW, "valley", "training", False) == {"valley": NOW}
    assert says(NOW, "delta", "live", False) == {"valley": NOW}
    assert stands() == InspectionRow(VISIT, "valley", "training", NOW, NOW, "p-valley", False)
    # Both are to be graded: the one it was taken for, and the one it is.
    assert says(NOW + 1, "hill", "live", True) == {"hill": NOW + 1, "valley": NOW + 1}
    assert says(NOW + 2, "valley", "training", True) == {"hill": NOW + 2}
    assert stands() == InspectionRow(VISIT, "hill", "live", NOW, NOW + 2, "p-hill", True)
    db.write(lambda tx: logs.settle(tx, VISIT, "hill", "training", "p-x", False))
    assert stands() == InspectionRow(VISIT, "hill", "training", NOW, NOW + 2, "p-x", False)


def test_a_facility_may_be_named_by_any_text(db: Database) -> None:
    odd = {VISIT: "a \x00 b", VISIT_2: "y\ud83c" * 30_000}
    for inspection, facility in odd.items():
        db.write(lambda tx, i=inspection, f=facility: touch(tx, i, NOW, f, "live"))
    with db.read() as tx:
        for inspection, facility in odd.items():
            assert [one.id for one in logs.inspections_at(tx, facility)] == [inspection]


def test_inspections_of_a_facility_come_as_first_heard_of(db: Database) -> None:
    for inspection, now in ((VISIT, NOW + 5), (VISIT_2, NOW)):
        db.write(lambda tx, i=inspection, n=now: touch(tx, i, n, "hill", "live"))
    with db.read() as tx:
        assert [one.id for one in logs.inspections_at(tx, "hill")] == [VISIT_2, VISIT]
        assert logs.inspections_at(tx, "valley") == []
