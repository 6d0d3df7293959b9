"""This device's clock against the server's, as the rules see it (L9)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from field_device import FieldDevice
from memory_server import Office

from checklists.discrepancies.case import Flag, NotEvaluated
from fieldkit.capture import Extras, answer
from fieldkit.library import Library
from fieldkit.preview import Sources, check
from sync.inspection import Fix

HOUR = 3_600_000


def visited(device: FieldDevice) -> str:
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    return inspection


def found(device: FieldDevice, inspection: str, rule: str) -> list[Flag | NotEvaluated]:
    store = device.store
    sources = Sources(store, Library(store.database), device.home.blobs(), "2026-11-23")
    return [f for f in check(sources, inspection) if f.rule == rule]


def test_the_offset_is_kept_with_each_inspection_that_a_receipt_names(device: FieldDevice) -> None:
    """L9: the server's clock less this device's, as the request gave it."""
    inspection = visited(device)
    (before,) = device.store.clock(inspection)
    device.office.now = device.clock + 2 * HOUR
    device.sync()
    measured = device.store.clock(inspection)
    assert measured, "one for each request that carried entries of it"
    assert all(device.office.now - at == offset for at, offset in measured)
    assert all(at > before[0] for at, _ in measured), "the last contact counts no more"


def test_before_a_sync_the_rule_is_not_evaluated_and_after_it_is(
    device: FieldDevice, office: Office
) -> None:
    inspection = visited(device)
    (told,) = found(device, inspection, "R08")
    assert isinstance(told, NotEvaluated)
    office.now = device.clock + 2 * HOUR
    device.sync()
    (flag,) = found(device, inspection, "R08")
    assert isinstance(flag, Flag)
    assert (flag.severity, flag.key) == ("major", device.id)


def test_a_clock_that_was_wrong_at_the_last_contact_is_told_on_site(
    device: FieldDevice, office: Office
) -> None:
    office.now = device.clock + 9 * HOUR
    device.sync()
    inspection = visited(device)
    (flag,) = found(device, inspection, "R08")
    assert isinstance(flag, Flag)
    assert "behind the server's" in flag.explanation


def test_a_store_of_the_version_before_gets_the_table_and_keeps_what_it_has(
    device: FieldDevice,
) -> None:
    inspection = visited(device)
    path = device.home.folder / "store.sqlite"
    older = sqlite3.connect(path)
    older.execute("drop table clocks")
    older.execute("pragma user_version = 1")
    older.commit()
    older.close()
    assert len(device.store.clock(inspection)) == 1
    device.sync()
    assert inspection in device.store.inspections()
    assert device.store.database.rows("select count(*) from clocks")[0][0] == 1


def test_a_measured_fix_keeps_its_time_and_its_mark(device: FieldDevice) -> None:
    inspection = device.start().inspection
    fix = Fix("4.01", "101.01", "6", device.clock - 10 * 60_000, "gnss")
    answer(device.recorder(), inspection, "GEN-G1", ["FM"], extras=Extras(fix=fix))
    mocked = replace(fix, mock=True)
    answer(device.recorder(), inspection, "GEN-G2", ["FM"], extras=Extras(fix=mocked))
    keys = [f.key for f in found(device, inspection, "R03") if isinstance(f, Flag)]
    assert keys == ["mock", "poor"]
