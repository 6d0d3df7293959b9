"""What is held aside of an inspection, on every database."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert
from store_rows import NOW, VISIT, VISIT_2, VISIT_3, a_device, a_person, put_region

from server.store import aside, devices, logs, people
from server.store.aside import AsideRow, UnplacedRow
from server.store.db import Database
from server.store.logs import Touch
from server.store.tables import logs as logs_table
from server.store.transaction import Tx

ROW = AsideRow(VISIT, "hill", 1, 2, 3, 4, 5)
NOTHING = AsideRow(VISIT_2, "hill", 0, 0, 0, 0, 0)


def test_a_facilitys_rows_are_replaced_and_nothing_is_not_kept(db: Database) -> None:
    other = replace(NOTHING, facility="valley", unread=1)
    db.write(lambda tx: aside.replace(tx, "hill", [ROW, NOTHING]))
    db.write(lambda tx: aside.replace(tx, "valley", [other]))
    with db.read() as tx:
        assert aside.at_facilities(tx, {"hill"}) == [ROW]
        assert aside.at_facilities(tx, {"valley", "hill"}) == [ROW, other]
        assert aside.at_facilities(tx, set()) == []
    db.write(lambda tx: aside.replace(tx, "hill", []))
    with db.read() as tx:
        assert aside.at_facilities(tx, {"valley", "hill"}) == [other]
    db.write(aside.delete_all)
    with db.read() as tx:
        assert aside.at_facilities(tx, {"valley"}) == []


def test_inspections_of_no_listed_facility_are_found_log_by_log(db: Database) -> None:
    device = a_device(1, "p-stranger")

    def put(tx: Tx) -> None:
        put_region(tx)
        people.add(tx, a_person("stranger"))
        devices.put(tx, device)
        logs.touch_inspections(
            tx,
            [
                Touch(VISIT, NOW, "hill", "live"),
                Touch(VISIT_2, NOW + 1, "nowhere", "live"),
                Touch(VISIT_3, NOW + 2, None, None),
            ],
        )
        for n, visit in enumerate((VISIT, VISIT_2, VISIT_3), start=1):
            row = {"device": device.id, "inspection": visit, "seq": n, "h": bytes(32)}
            tx.execute(insert(logs_table).values(**row))

    db.write(put)
    named = (device.id, device.name, "p-stranger")
    with db.read() as tx:
        assert aside.unplaced(tx) == [
            UnplacedRow(VISIT_3, *named, 3, NOW + 2, None),
            UnplacedRow(VISIT_2, *named, 2, NOW + 1, "nowhere"),
        ]
