"""Versions of a checklist on a device: the one in force here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from field_device import FACILITY, FieldDevice
from memory_server import Office, publish
from ponds import NAME, digest, ponds

from fieldkit.library import Library
from sync.session import Change

TODAY, SOON = "2026-11-18", "2026-11-20"
OLD = ponds("1")
NEW = ponds("2", ask="Is it lined and drained?", severity="critical")


def a_facility(*applying: tuple[str, bytes]) -> Change:
    body: dict[str, Any] = {**FACILITY, "checklist": NAME}
    if applying:
        body["applying"] = {"checklist": [[day, digest(text)] for day, text in applying]}
    return Change("facility", FACILITY["id"], body)


def published(body: bytes, version: str) -> Change:
    return publish("checklist", NAME, body.decode(), version)


@pytest.fixture
def office() -> Office:
    """An office whose one facility is on version 1 of a small checklist."""
    made = Office()
    made.changes += [a_facility(), published(OLD, "1")]
    return made


@pytest.fixture
def device(tmp_path: Path, office: Office) -> FieldDevice:
    made = FieldDevice(tmp_path / "device", office)
    made.enrol()
    made.sync()
    return made


def test_an_inspection_begins_with_the_version_of_its_day(
    office: Office, device: FieldDevice
) -> None:
    office.changes += [published(NEW, "2"), a_facility(("", OLD), (SOON, NEW))]
    device.sync()
    assert device.start().checklist.version == "1", "the newer one is here, and not in force"
    device.clock += 2 * 86_400_000
    begun = device.start(new=True)
    assert begun.checklist.version == "2", "its day came without a network"


def test_where_nobody_decided_the_newest_that_came_applies(
    office: Office, device: FieldDevice
) -> None:
    office.changes.append(published(NEW, "2"))
    device.sync()
    assert device.start().checklist.version == "2"


def test_a_decision_for_another_place_is_nothing_to_this_one(
    office: Office, device: FieldDevice
) -> None:
    # Another jurisdiction's version came last, for a facility where this person goes as well.
    office.changes += [a_facility(("", OLD)), published(NEW, "2")]
    device.sync()
    assert device.start().checklist.version == "1"


def test_a_version_that_did_not_come_leaves_the_newest_that_did(
    office: Office, device: FieldDevice
) -> None:
    office.changes.append(a_facility(("", NEW)))
    device.sync()
    library = Library(device.store.database)
    found = library.applying("checklist", library.facility(FACILITY["id"]), TODAY)
    assert found is not None and found.version == "1"
