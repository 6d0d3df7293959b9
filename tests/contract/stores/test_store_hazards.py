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
