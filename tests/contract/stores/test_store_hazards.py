"""Urgent hazards (S7), on each database."""

from __future__ import annotations

from dataclasses import replace

from store_rows import NOW, VISIT, VISIT_2, put_everybody, touch

from server.store import hazards
from server.store.db import Database
from server.store.hazards import HazardRow

ONE = HazardRow(VISIT, "h-1", "d" * 32, "immediate", "တူး dam", "4.0113", "101.0122", 17, NOW)


def test_hazards_are_seen_where_their_facility_lies_until_they_are_over(db: Database) -> None:
    """S7"""
    db.write(put_everybody)
    db.write(lambda tx: touch(tx, VISIT, NOW, "hill", "live"))
    db.write(lambda tx: touch(tx, VISIT_2, NOW, "hill", "training"))
    other = replace(ONE, id="h-2", severity="soon", lat="", lon="", received_at=NOW + 1)
    exercise = replace(ONE, inspection=VISIT_2)
    db.write(lambda tx: hazards.put(tx, [ONE, other, exercise]))
    db.write(lambda tx: hazards.put(tx, []))
    with db.read() as tx:
        assert [one.hazard for one in hazards.open_in(tx, {"th-north"})] == [other, ONE]
        assert hazards.open_in(tx, {"th-north"})[0].facility == "hill"
        assert hazards.open_in(tx, {"elsewhere"}) == []
        assert hazards.open_in(tx, set()) == []
    later = [replace(ONE, severity="soon"), replace(ONE, severity="over", text="It held.")]
    db.write(lambda tx: hazards.put(tx, later))
    with db.read() as tx:
        assert [one.hazard for one in hazards.open_in(tx, {"th-north"})] == [other]


def test_what_the_office_has_seen_comes_last_with_the_name_of_who_saw_it(db: Database) -> None:
    """S7"""
    db.write(put_everybody)
    db.write(lambda tx: touch(tx, VISIT, NOW, "hill", "live"))
    seen = replace(ONE, seen_by="p-budi", seen_at=NOW + 5, seen_why="ထွက်သွားပြီ, called")
    by_nobody_known = replace(seen, id="h-3", seen_by="p-gone", received_at=NOW - 9)
    early = replace(ONE, id="h-2", received_at=NOW - 8)
    db.write(lambda tx: hazards.put(tx, [seen, by_nobody_known, early]))
    with db.read() as tx:
        found = hazards.open_in(tx, {"th-north"})
        assert [one.hazard for one in found] == [early, seen, by_nobody_known]
        assert [one.seen_by for one in found] == ["", "Budi", ""]
    db.write(lambda tx: hazards.put(tx, [ONE]))
    with db.read() as tx:
        assert [one.hazard for one in hazards.open_in(tx, {"th-north"})][:2] == [ONE, early]


def test_the_hazards_of_an_inspection_are_found_over_or_not_and_no_others(db: Database) -> None:
    """S7"""
    over = replace(ONE, id="h-2", severity="over", seen_by="p-1", seen_at=NOW, seen_why="so")
    other = replace(ONE, inspection=VISIT_2)
    db.write(lambda tx: hazards.put(tx, [ONE, over, other]))
    with db.read() as tx:
        assert hazards.of_inspection(tx, VISIT) == {"h-1": ONE, "h-2": over}
        assert hazards.of_inspection(tx, VISIT_2) == {"h-1": other}
        assert hazards.of_inspection(tx, "elsewhere") == {}
