"""Versions of a checklist on a device: the one in force here, and moving to another (L6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import ASSIGNMENT, FACILITY, FieldDevice
from handing import give, joined
from memory_server import Office, publish
from ponds import NAME, digest, ponds

from fieldkit.capture import answer, checklist_of, load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.library import Library
from fieldkit.signing import sign_off
from fieldkit.versions import look, move
from sync.problems import Problem
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
    made.changes += [a_facility(), published(OLD, "1"), Change("assignment", "a1", ASSIGNMENT)]
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


# -- moving ---------------------------------------------------------------------------------------


def an_inspection(office: Office, device: FieldDevice) -> str:
    """An inspection on version 1 with both items answered, and version 2 in force since."""
    inspection = device.start().inspection
    for item in ("PND-E1", "PND-E2"):
        answer(device.recorder(), inspection, item, ["FM"])
    office.changes.append(published(NEW, "2"))
    device.sync()
    return inspection


def lines_of(device: FieldDevice, inspection: str) -> list[bytes]:
    (mine,) = device.store.logs(inspection)
    return list(mine.lines)


def test_looking_says_what_a_move_would_change_and_writes_nothing(
    office: Office, device: FieldDevice
) -> None:
    inspection = an_inspection(office, device)
    before = lines_of(device, inspection)
    found = look(device.recorder(), inspection)
    assert (found.before.version, found.after.version, found.new) == ("1", "2", False)
    assert [(one.item, one.again) for one in found.affected] == [("PND-E2", True)]
    assert lines_of(device, inspection) == before


def test_a_move_is_one_entry_and_every_answer_stays(office: Office, device: FieldDevice) -> None:
    inspection = an_inspection(office, device)
    before = lines_of(device, inspection)
    assert move(device.recorder(), inspection).new
    after = lines_of(device, inspection)
    assert after[:-1] == before and json.loads(after[-1])["path"] == "about"
    begun, moved = (json.loads(line)["value"] for line in (before[0], after[-1]))
    assert moved == {**begun, "checklist": digest(NEW)}
    read = load_inspection(device.store, inspection)
    assert [slot.value.checklist for slot in read.answers.values()] == [digest(OLD)] * 2
    again = move(device.recorder(), inspection)
    assert not again.new and lines_of(device, inspection) == after, "moving twice moves once"
    assert [one.item for one in again.affected] == ["PND-E2"], "it is listed until it is answered"


def test_an_answer_that_was_looked_at_again_is_listed_no_longer(
    office: Office, device: FieldDevice
) -> None:
    inspection = an_inspection(office, device)
    move(device.recorder(), inspection)
    assert answer(device.recorder(), inspection, "PND-E2", ["FM"]).new, "the same level, confirmed"
    assert look(device.recorder(), inspection).affected == ()


def test_another_version_may_be_named(office: Office, device: FieldDevice) -> None:
    inspection = an_inspection(office, device)
    move(device.recorder(), inspection)
    assert look(device.recorder(), inspection, "1").after.digest == digest(OLD)
    assert look(device.recorder(), inspection, digest(OLD)[:8]).after.digest == digest(OLD)
    for unknown in ("3", digest(OLD)[:7], "f" * 64):
        with pytest.raises(Problem) as error:
            move(device.recorder(), inspection, unknown)
        assert error.value.code == "checklist-unknown"


def test_what_was_signed_keeps_its_version(office: Office, device: FieldDevice) -> None:
    inspection = an_inspection(office, device)
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    with pytest.raises(Problem) as error:
        move(device.recorder(), inspection)
    assert error.value.code == "checklist-signed"


def test_the_visit_still_begins_when_it_began(office: Office, device: FieldDevice) -> None:
    inspection = an_inspection(office, device)
    before = load_inspection(device.store, inspection).begun
    move(device.recorder(), inspection)
    read = load_inspection(device.store, inspection)
    assert read.begun == before and read.about.value != before


def test_the_commands_say_it(office: Office, device: FieldDevice) -> None:
    inspection = an_inspection(office, device)

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "version 2 is in force here" in run("status")
    said = run("checklist")
    assert "version 2" in said and "PND-E2  asks something else now; look at it again" in said
    assert "moved" not in said
    assert "now" in run("checklist", "--move")
    found = json.loads(run("checklist", "--json"))
    assert (found["before"]["version"], found["moved"]) == ("2", False)
    (one,) = found["affected"]
    assert (one["item"], one["answered"], one["look_again"]) == ("PND-E2", digest(OLD), True)
    status = json.loads(run("status", "--json"))
    assert status["affected"] == found["affected"] and status["newer_checklist"] is None
    assert "other version" in run("status") and "in force here" not in run("status")
    run("outcome", "visited")
    assert "not looked at again: PND-E2" in run("sign-off")
    assert json.loads(run("sign-off", "--json"))["look_again"] == ["PND-E2"]
    assert inspection in run("status")


# -- two devices with two versions ----------------------------------------------------------------


@pytest.fixture
def colleague(tmp_path: Path, office: Office, device: FieldDevice) -> FieldDevice:
    return joined(tmp_path / "colleague", office)


def exchange(office: Office, one: FieldDevice, other: FieldDevice, inspection: str) -> None:
    give(office, one, other, inspection)
    give(office, other, one, inspection)


def answered(device: FieldDevice, inspection: str) -> dict[str, list[str]]:
    """Item -> the versions that stand answered there."""
    read = load_inspection(device.store, inspection)
    return {
        item: sorted(head.checklist for head in slot.heads)
        for (item, _), slot in read.answers.items()
    }


def on_version(device: FieldDevice, inspection: str) -> str:
    return checklist_of(device.store, Library(device.store.database), inspection).version


def test_two_devices_with_two_versions_merge(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L6: nothing of either is lost, and both see which answers are to be looked at again."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "PND-E1", ["FM"])
    give(office, device, colleague, inspection)
    office.changes.append(published(NEW, "2"))
    device.sync()
    move(device.recorder(), inspection)
    answer(device.recorder(), inspection, "PND-E2", ["FM"])
    answer(colleague.recorder(), inspection, "PND-E2", ["DNM"])  # a day's walk from any network
    exchange(office, device, colleague, inspection)
    wanted = {"PND-E1": [digest(OLD)], "PND-E2": sorted([digest(OLD), digest(NEW)])}
    for one in (device, colleague):
        assert answered(one, inspection) == wanted
        assert load_inspection(one.store, inspection).conflicts == ("answers/PND-E2/-",)
    assert (on_version(device, inspection), on_version(colleague, inspection)) == ("2", "1")
    assert answer(colleague.recorder(), inspection, "PND-E1", ["SM"]).new, "it goes on as it was"
    colleague.sync()
    assert on_version(colleague, inspection) == "2"
    exchange(office, device, colleague, inspection)
    for one in (device, colleague):
        found = look(one.recorder(), inspection)
        assert [(a.item, a.answered, a.again) for a in found.affected] == [
            ("PND-E2", digest(OLD), True)
        ]


def test_devices_that_moved_to_two_versions_agree_and_settle_it(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L6"""
    inspection = device.start().inspection
    give(office, device, colleague, inspection)
    office.changes.append(published(NEW, "2"))
    device.sync()
    move(device.recorder(), inspection)
    office.changes.append(published(ponds("3"), "3"))
    colleague.sync()
    move(colleague.recorder(), inspection)
    exchange(office, device, colleague, inspection)
    device.sync()
    assert on_version(device, inspection) == on_version(colleague, inspection)
    for one in (device, colleague):
        assert load_inspection(one.store, inspection).conflicts == ("about",)
    assert move(device.recorder(), inspection).new
    exchange(office, device, colleague, inspection)
    for one in (device, colleague):
        assert load_inspection(one.store, inspection).conflicts == ()
        assert on_version(one, inspection) == "3"


def test_a_move_settles_nothing_that_differs_in_more_than_the_version(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    inspection = device.start().inspection
    give(office, device, colleague, inspection)
    for one, purpose in ((device, "a"), (colleague, "b")):
        with one.store.writing(one.store.identity(), one.now(), "an entry") as log:
            said = log.standing(inspection, "about")
            assert said is not None and said.entry is not None
            log.append(inspection, "about", {**said.entry.value, "purpose": purpose})
    exchange(office, device, colleague, inspection)
    with pytest.raises(Problem) as error:
        move(device.recorder(), inspection)
    assert error.value.code == "conflict-here"
