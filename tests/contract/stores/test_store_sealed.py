"""Sealed entries and withdrawn keys, on each database (L8)."""

from __future__ import annotations

from dataclasses import replace

from store_rows import NOW, VISIT, VISIT_2, VISIT_3, digest, put_region, touch

from server.store import files, sealed
from server.store.db import Database
from server.store.sealed import SealedRow, Withdrawal

ENTRY = "5a8fad5b-d9cb-469f-a165-70867728950e"


def a_row(n: int, inspection: str = VISIT, entry: str = ENTRY) -> SealedRow:
    return SealedRow(
        entry, inspection, f"device {n}", digest(f"p{n}"), digest(f"k{n}"), n, 1 << 33, NOW + n
    )


def a_withdrawal(n: int) -> Withdrawal:
    return Withdrawal(digest(f"k{n}"), ENTRY, VISIT, "asked for", "p-rina", NOW + n)


def test_a_sealed_entry_is_noted_once_and_found_by_its_number(db: Database) -> None:
    rows = [a_row(2), a_row(1), a_row(3, entry="another")]
    db.write(lambda tx: sealed.note(tx, rows))
    db.write(lambda tx: sealed.note(tx, [rows[0], rows[0]]))
    with db.read() as tx:
        assert sealed.of_entry(tx, ENTRY) == [rows[1], rows[0]]
        assert sealed.of_entry(tx, "no such") == []


def test_a_number_of_any_length_is_found(db: Database) -> None:
    long = a_row(1, entry="x" * 5000)
    db.write(lambda tx: sealed.note(tx, [long]))
    with db.read() as tx:
        assert len(sealed.of_entry(tx, "x" * 5000)) == 1


def test_places_are_those_of_the_jurisdictions_asked_for_the_latest_first(db: Database) -> None:
    here = [a_row(1), a_row(2, VISIT_2)]
    db.write(put_region)
    for inspection, facility in ((VISIT, "hill"), (VISIT_2, "valley"), (VISIT_3, "delta")):
        db.write(lambda tx, i=inspection, f=facility: touch(tx, i, NOW, f, "live"))
    db.write(lambda tx: sealed.note(tx, [*here, a_row(3, VISIT_3)]))
    db.write(lambda tx: files.hold(tx, here[0].key, 500, "p-aminah", NOW))
    db.write(lambda tx: sealed.withdraw(tx, a_withdrawal(2)))
    with db.read() as tx:
        found = sealed.places(tx, {"th-north"})
        assert [(p.row, p.facility, p.held, p.withdrawn_at) for p in found] == [
            (here[1], "valley", False, NOW + 2),
            (here[0], "hill", True, None),
        ]
        assert sealed.places(tx, set()) == []


def test_a_withdrawn_key_stays_withdrawn_and_is_destroyed_once(db: Database) -> None:
    both = [a_withdrawal(2), a_withdrawal(1)]
    db.write(lambda tx: [sealed.withdraw(tx, one) for one in (*both, both[0])])
    with db.read() as tx:
        assert sealed.all_withdrawn(tx) == [both[1], both[0]]
        assert sealed.is_withdrawn(tx, [digest("k1"), digest("k9")]) == {digest("k1")}
        assert sealed.is_withdrawn(tx, []) == set()
        assert sealed.not_destroyed(tx) == sorted([digest("k1"), digest("k2")])
    db.write(lambda tx: sealed.mark_destroyed(tx, digest("k1"), NOW + 9))
    db.write(lambda tx: sealed.mark_destroyed(tx, digest("k1"), NOW + 10))
    with db.read() as tx:
        assert sealed.not_destroyed(tx) == [digest("k2")]
        assert sealed.all_withdrawn(tx)[0] == replace(both[1], destroyed_at=NOW + 9)
    db.write(sealed.destroy_again)
    with db.read() as tx:
        assert sealed.not_destroyed(tx) == sorted([digest("k1"), digest("k2")])
