"""What a sign-off is without, and what is set aside after it was signed (L7, S9)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import FieldDevice
from handing import joined, office_sends, record, visit
from memory_server import Office

from fieldkit import signing
from fieldkit.capture import answer, load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.sealed_visits import unsigned
from fieldkit.shared import colleagues
from fieldkit.signing import STATEMENT, sign_off
from sync.problems import Problem
from sync.ranges import Ranges
from sync.session import Change

FIRST, LAST = 2, 5  # the answers of a visit; between them are tracks, which stay at the office


@pytest.fixture
def colleague(tmp_path: Path, office: Office, device: FieldDevice) -> FieldDevice:
    return joined(tmp_path / "colleague", office)


def begun(office: Office, device: FieldDevice, colleague: FieldDevice, aside: set[int]) -> str:
    """A colleague's visit that the device goes on with, and what the office sets aside of it."""
    inspection = visit(colleague)
    office_sends(office, colleague, device, inspection, aside)
    device.start()
    set_outcome(device.recorder(), inspection, "visited")
    return inspection


def without(device: FieldDevice, inspection: str) -> dict[str, Ranges | None]:
    (signed,) = load_inspection(device.store, inspection).sign_offs[device.id].heads
    return {log.device: log.without for log in signed.logs}


def status(device: FieldDevice, inspection: str) -> tuple[int, dict[str, int]]:
    """How many entries came after the sign-off, and how many signed ones do not count, by whom."""
    said = run(device, "status", "--inspection", inspection, "--json")
    data: dict[str, Any] = json.loads(said)
    return data["after_sign_off"], data["signed_but_aside"]


def run(device: FieldDevice, *words: str) -> str:
    done = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_was_set_aside_when_it_was_signed_is_not_signed_once_it_counts(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7, S9: it is to be signed again, and a visit is not taken off the device before."""
    inspection = begun(office, device, colleague, {FIRST})
    said = json.loads(run(device, "sign-off", "--inspection", inspection, "--json"))
    assert (said["entries"], said["without"]) == (5, 1)
    assert without(device, inspection) == {colleague.id: ((FIRST, FIRST),), device.id: ()}
    assert status(device, inspection) == (0, {})
    assert not sign_off(device.recorder(), inspection).new
    identity = device.store.identity()
    assert (
        unsigned(device.store, identity, inspection)
        != "entries came after the sign-off; sign again"
    )

    office_sends(office, colleague, device, inspection, set())
    assert status(device, inspection) == (1, {})
    assert unsigned(device.store, identity, inspection) == (
        "entries came after the sign-off; sign again"
    )
    again = sign_off(device.recorder(), inspection)
    assert again.new and again.without == 0
    assert without(device, inspection) == {colleague.id: (), device.id: ()}
    assert status(device, inspection) == (0, {})


def test_signed_entries_that_do_not_count_any_more_are_told_and_signed_again(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7, S9: which device signed and how many they are, and no visit is sealed so (S11)."""
    inspection = begun(office, device, colleague, set())
    sign_off(device.recorder(), inspection)
    office_sends(office, colleague, device, inspection, {FIRST})
    assert status(device, inspection) == (0, {device.id: 1})
    told = " ".join(run(device, "status", "--inspection", inspection).split())
    assert "1 entry that you signed does not count any more; sign again" in told
    assert unsigned(device.store, device.store.identity(), inspection) == (
        "entries that were signed do not count any more; sign again"
    )
    assert sign_off(device.recorder(), inspection).new
    assert without(device, inspection)[colleague.id] == ((FIRST, FIRST),)
    assert status(device, inspection) == (0, {})


def test_a_track_that_the_office_sets_aside_is_not_signed_either(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7, S5, S9: its line is not here in any case, and the office would miss it."""
    inspection = begun(office, device, colleague, {FIRST, FIRST + 1})
    store = device.store

    def told() -> list[tuple[int, int, int]]:
        found = colleagues(store.database, store.identity(), inspection)
        return [(one.entries, one.waiting, one.withheld) for one in found]

    assert told() == [(2, 2, 1)]
    assert sign_off(device.recorder(), inspection).without == 2
    assert without(device, inspection)[colleague.id] == ((FIRST, FIRST + 1),)
    office_sends(office, colleague, device, inspection, {FIRST + 2})
    assert told() == [(3, 1, 1)]
    assert status(device, inspection) == (1, {device.id: 1})
    office.changes.append(Change("lines", f"{colleague.id}/{inspection}/{FIRST}", None))
    device.sync()
    assert told() == [(1, 4, 0)]
    assert status(device, inspection) == (0, {device.id: 2})


def test_a_sign_off_that_does_not_say_what_it_is_without_is_read_as_it_always_was(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7: one of an earlier version covers whatever counts up to its heads."""
    inspection = begun(office, device, colleague, {FIRST})
    logs = [{"device": d, "seq": n, "h": h.hex()} for d, n, h in device.store.heads(inspection)]
    record(device, inspection, f"sign-off/{device.id}", {"statement": STATEMENT, "logs": logs})
    assert without(device, inspection) == {colleague.id: None, device.id: None}
    for aside in (set(), {FIRST}):
        office_sends(office, colleague, device, inspection, aside)
        assert status(device, inspection) == (0, {})
        assert not sign_off(device.recorder(), inspection).new


def test_more_gaps_than_can_be_named_are_not_signed(
    office: Office,
    device: FieldDevice,
    colleague: FieldDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """L7, S12: nothing is written; the office's ruling helps."""
    inspection = begun(office, device, colleague, set())
    answer(colleague.recorder(), inspection, "GEN-G3", ["FM"])
    office_sends(office, colleague, device, inspection, {FIRST, LAST})
    before = device.store.heads(inspection)
    monkeypatch.setattr(signing, "MOST_LEFT_OUT", 1)
    with pytest.raises(Problem, match="sign-off-incomplete"):
        sign_off(device.recorder(), inspection)
    assert device.store.heads(inspection) == before
    monkeypatch.setattr(signing, "MOST_LEFT_OUT", 2)
    assert sign_off(device.recorder(), inspection).without == 2
    assert without(device, inspection)[colleague.id] == ((FIRST, FIRST), (LAST, LAST))
