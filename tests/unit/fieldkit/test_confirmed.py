"""Whose lines count on a device, and which wait for the office (S9, S5, S10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import ASSIGNMENT, FieldDevice
from handing import certificate, give, joined, office_sends, runs, visit
from memory_server import Office

from fieldkit.capture import about_of, answer, load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.confirmed import SET_ASIDE, UNCONFIRMED
from fieldkit.shared import colleagues, drop_colleagues, take_certificate, take_lines
from fieldkit.signing import sign_off
from fieldkit.written import entries_of
from sync.problems import Problem
from sync.session import Change

STRANGER = "p-stranger"


@pytest.fixture
def colleague(tmp_path: Path, office: Office, device: FieldDevice) -> FieldDevice:
    return joined(tmp_path / "colleague", office)


def hand_over(
    office: Office, of: FieldDevice, to: FieldDevice, inspection: str, person: str
) -> None:
    """What a device has of an inspection, taken by another one as that of this person."""
    store = to.store
    with store.database.write("a colleague's lines") as tx:
        take_certificate(tx, store.identity(), of.id, certificate(office, of, person))
        for run in runs(of, inspection):
            take_lines(tx, store.identity(), run)


def answered(of: FieldDevice, inspection: str) -> set[str]:
    return {item for item, _ in load_inspection(of.store, inspection).answers}


def run(of: FieldDevice, *words: str, ends_with: int = 0) -> Any:
    done = CliRunner().invoke(cli, ["--home", str(of.home.folder), *words, "--json"])
    assert done.exit_code == ends_with, done.output
    return json.loads(done.stdout)


# -- handed over ----------------------------------------------------------------------------------


def test_what_somebody_hands_over_who_is_not_known_to_be_assigned_waits_and_counts_nowhere(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S9, S10: it is here, shown as waiting, and goes on to others; nothing is begun with it."""
    inspection = visit(colleague, track=False)
    hand_over(office, colleague, device, inspection, STRANGER)
    store = device.store
    count = len(colleague.store.logs(inspection)[0].lines)
    assert [log.lines for log in store.logs(inspection)] == [
        colleague.store.logs(inspection)[0].lines
    ]
    assert store.waiting(inspection) == [(colleague.id, n + 1, UNCONFIRMED) for n in range(count)]
    assert store.records(inspection) == [] and store.heads(inspection) == []
    assert store.about(inspection) is None and answered(device, inspection) == set()
    assert {one.counts for one in entries_of(store, inspection)} == {False}
    with pytest.raises(Problem, match="inspection-unconfirmed"):
        about_of(load_inspection(store, inspection))
    assert run(device, "status", ends_with=1)["code"] == "inspection-unconfirmed"
    assert run(device, "answer", "GEN-G3", "FM", ends_with=1)["code"] == "inspection-unconfirmed"
    assert device.start().inspection != inspection
    assert runs(device, inspection) == runs(colleague, inspection)


def test_a_colleague_who_is_assigned_together_counts_at_once(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S9: and another device of one's own, and a log that the server keeps."""
    inspection = visit(colleague)
    for person in ("p-colleague", device.store.identity().person):
        hand_over(office, colleague, device, inspection, person)
        assert device.store.waiting(inspection) == []
        assert answered(device, inspection) == {"GEN-G1", "GEN-G2"}
        with device.store.database.write("anew") as tx:
            tx.execute("delete from lines where log = ?", (inspection,))
            tx.execute("delete from holes where log = ?", (inspection,))


def test_whoever_is_assigned_elsewhere_waits_and_so_does_whoever_came_before_the_beginning(
    office: Office, device: FieldDevice, colleague: FieldDevice, tmp_path: Path
) -> None:
    """S9: where an inspection is, somebody has to say who is assigned there."""
    inspection = visit(colleague, track=False)
    third = joined(tmp_path / "third", office)
    give(office, colleague, third, inspection)
    third.start()
    answer(third.recorder(), inspection, "GEN-G4", ["FM"])
    store = device.store
    with store.database.write("the third one's lines alone") as tx:
        take_certificate(tx, store.identity(), third.id, certificate(office, third))
        for one in runs(third, inspection):
            if one.device == third.id:
                take_lines(tx, store.identity(), one)
    assert answered(device, inspection) == set()
    office.changes.append(
        Change("assignment", "a1", ASSIGNMENT | {"facility": "elsewhere"}),
    )
    device.sync()
    hand_over(office, colleague, device, inspection, "p-colleague")
    assert answered(device, inspection) == set()
    office.changes.append(Change("assignment", "a1", ASSIGNMENT))
    device.sync()
    assert answered(device, inspection) == {"GEN-G1", "GEN-G2", "GEN-G4"}
    assert store.waiting(inspection) == []


def test_a_sign_off_covers_what_counts_and_not_what_waits(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7, S9"""
    inspection = device.start().inspection
    give(office, device, colleague, inspection)
    colleague.start()
    answer(colleague.recorder(), inspection, "GEN-G4", ["FM"])
    hand_over(office, colleague, device, inspection, STRANGER)
    set_outcome(device.recorder(), inspection, "visited")
    assert sign_off(device.recorder(), inspection).logs == 1
    said = run(device, "status", "--inspection", inspection)
    assert (said["signed_by"], said["after_sign_off"]) == ([device.id], 0)
    (aside,) = said["held_aside"]
    assert (aside["kind"], aside["entries"]) == ("unconfirmed", 1)
    (other,) = said["colleagues"]
    assert (other["entries"], other["waiting"], other["withheld"]) == (0, 1, 0)


# -- what the office says --------------------------------------------------------------------------


def test_what_the_office_sets_aside_does_not_count_whoever_hands_it_over(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S9, S5: it counts when the office sends it, and no more when the office takes that back."""
    inspection = visit(colleague)
    office_sends(office, colleague, device, inspection, {2})
    store = device.store
    assert answered(device, inspection) == {"GEN-G2"}
    told = colleagues(store.database, store.identity(), inspection)
    assert [(c.entries, c.waiting, c.withheld) for c in told] == [(2, 1, 2)]
    hand_over(office, colleague, device, inspection, "p-colleague")
    assert store.waiting(inspection) == [(colleague.id, 2, SET_ASIDE)]
    assert answered(device, inspection) == {"GEN-G2"}
    for aside, expected in (
        ((), {"GEN-G1", "GEN-G2"}),
        ({2}, {"GEN-G2"}),
        ((), {"GEN-G1", "GEN-G2"}),
    ):
        office_sends(office, colleague, device, inspection, set(aside))
        assert answered(device, inspection) == expected
    office.changes.append(Change("lines", f"{colleague.id}/{inspection}/1", None))
    device.sync()
    assert answered(device, inspection) == set() and store.records(inspection) == []
    said = run(device, "entries", "--inspection", inspection)["entries"]
    assert {one["counts"] for one in said} == {False}


def test_holes_are_filled_by_what_the_office_admits_without_a_bundle(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S9, S5"""
    inspection = visit(colleague)
    office_sends(office, colleague, device, inspection, {1, 2, 5})
    assert device.store.inspections() == []
    office_sends(office, colleague, device, inspection, {2})
    assert answered(device, inspection) == {"GEN-G2"}
    office_sends(office, colleague, device, inspection, set())
    assert answered(device, inspection) == {"GEN-G1", "GEN-G2"}
    with device.store.database.write("a tombstone") as tx:
        drop_colleagues(tx, device.store.identity(), inspection)
    assert device.store.database.rows("select * from aside") == []


def test_lines_of_a_stranger_count_once_the_office_sends_them(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S9, S10"""
    inspection = visit(colleague)
    hand_over(office, colleague, device, inspection, STRANGER)
    assert answered(device, inspection) == set()
    office_sends(office, colleague, device, inspection, set())
    assert device.store.waiting(inspection) == []
    assert answered(device, inspection) == {"GEN-G1", "GEN-G2"}
