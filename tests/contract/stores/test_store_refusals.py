"""What was refused of a device's sending, on each database (L4, S12)."""

from __future__ import annotations

from dataclasses import replace

from store_rows import NOW, VISIT, VISIT_2, a_device, append, put_everybody

from server.store import refusals
from server.store.db import Database
from server.store.refusals import MOST, Refused

DEVICE = a_device(1, "p-one")
ONE = Refused(DEVICE.id, DEVICE.id, VISIT, "segment-signature", "It does not fit.", 1, NOW, NOW)


def test_the_same_again_is_counted_and_the_latest_comes_first(db: Database) -> None:
    other = replace(
        ONE, code="segment-malformed", said="တူး", log="", first_at=NOW + 1, last_at=NOW + 1
    )
    again = replace(ONE, count=3, first_at=NOW + 5, last_at=NOW + 5, said="It never fits.")
    for one in (ONE, other):
        db.write(lambda tx, one=one: refusals.note(tx, one))
    with db.read() as tx:
        assert refusals.every(tx) == [other, ONE]
    db.write(lambda tx: refusals.note(tx, again))
    with db.read() as tx:
        assert refusals.every(tx) == [replace(again, count=4, first_at=NOW), other]


def test_of_one_sender_only_the_newest_are_kept(db: Database) -> None:
    other = replace(ONE, sender="another", last_at=NOW - 1)
    db.write(lambda tx: refusals.note(tx, other))
    for n in range(MOST + 3):
        new = replace(ONE, log=f"log {n}", first_at=NOW + n, last_at=NOW + n)
        db.write(lambda tx, new=new: refusals.note(tx, new))
    with db.read() as tx:
        found = refusals.every(tx)
    assert [one.log for one in found[:-1]] == [f"log {n}" for n in range(MOST + 2, 2, -1)]
    assert found[-1] == other


def test_it_is_known_whether_lines_of_the_log_came_since(db: Database) -> None:
    device, _ = db.write(put_everybody)
    db.write(lambda tx: append(tx, device, VISIT, [b"{}"], now=NOW + 10))
    one = replace(ONE, device=device.id)
    with db.read() as tx:
        assert refusals.taken_since(tx, one)
        assert not refusals.taken_since(tx, replace(one, last_at=NOW + 10))
        assert not refusals.taken_since(tx, replace(one, log=VISIT_2))
