"""What a device tells of urgent hazards and of the office that has seen them (S7)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from field_device import FieldDevice

from fieldkit.capture import load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.glance import glance
from fieldkit.hazards import report
from fieldkit.signing import sign_off, standing
from fieldkit.store import Identity
from sync.hazard import ACKNOWLEDGED
from sync.log import device_id
from sync.receipt import sign_certificate


@pytest.fixture
def visit(device: FieldDevice) -> str:
    return device.start().inspection


def ask(device: FieldDevice, *words: str) -> Any:
    return json.loads(run(device, *words, "--json"))


def run(device: FieldDevice, *words: str) -> str:
    said = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
    assert said.exit_code == 0, said.output
    return said.output


def tell(device: FieldDevice, visit: str, text: str) -> tuple[str, str]:
    """Report a hazard: its id, and the chain hash of the entry."""
    path = report(device.recorder(), visit, text, "immediate").path
    (h,) = device.store.database.rows("select h from lines where path = ?", (path,))
    return path.rpartition("/")[2], h[0].hex()


def at_office(device: FieldDevice, kind: str = "account") -> Identity:
    """The log of an officer's account, certified as a sync brings it."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32).public_key().public_bytes_raw()
    body = {"device": device_id(key), "person": "p-rosa", "person_name": "Rosa Contoh"}
    signed = sign_certificate(device.office.key, {**body, "name": "at the office", "kind": kind})
    parts = {"payload": signed.payload, "signature": signed.signature}
    text = json.dumps({k: base64.b64encode(v).decode() for k, v in parts.items()})
    with device.store.database.write("the certificate") as tx:
        tx.execute("insert into documents values ('certificate', ?, ?)", (device_id(key), text))
    mine = device.store.identity()
    return replace(mine, device=device_id(key), public_key=key, person="p-rosa")


def acknowledge(device: FieldDevice, who: Identity, visit: str, hazard: str, *heads: str) -> None:
    path, value = f"{ACKNOWLEDGED}{hazard}/a1", {"heads": [*heads], "reason": "The dam is emptied."}
    with device.store.writing(who, device.clock + 60_000, "a line that came") as tx:
        tx.append(visit, path, value, replaces=[])


def test_status_says_by_whom_when_and_why_the_office_has_seen_a_hazard(
    device: FieldDevice, visit: str
) -> None:
    """S7"""
    hazard, h = tell(device, visit, "The dam is wet.")
    said = run(device, "status")
    assert f"immediate: The dam is wet. ({hazard[:8]})" in said
    assert "not acknowledged by the office yet" in said
    acknowledge(device, at_office(device), visit, hazard, h)
    said = " ".join(run(device, "status").split())
    assert "acknowledged by the office, by Rosa Contoh, 18 Nov 2026, 11:07 (UTC+0): " in said
    assert "The dam is emptied." in said and "not acknowledged" not in said
    (one,) = ask(device, "status")["hazards"]
    (made,) = one["acknowledged"]
    assert (one["hazard"], one["severity"]) == (hazard, "immediate")
    assert (made["by"], made["name"], made["reason"]) == (
        "p-rosa",
        "Rosa Contoh",
        "The dam is emptied.",
    )
    run(device, "hazard", "The dam is dry.", "--over", hazard[:8], "--fix", "4.0,101.0,8")
    said = run(device, "status")
    assert "over: The dam is dry." in said and "acknowledged" not in said


def test_a_hazard_that_is_told_again_is_unseen_again(device: FieldDevice, visit: str) -> None:
    """S7"""
    hazard, h = tell(device, visit, "The dam is wet.")
    acknowledge(device, at_office(device), visit, hazard, "0" * 64, h)
    (one,) = ask(device, "status")["hazards"]
    assert one["acknowledged"]
    with device.store.writing(device.store.identity(), device.clock, "more of it") as log:
        value = {"value": "immediate", "note": "It slides."}
        log.append(visit, f"observed/urgent-hazard/{hazard}", value)
    (one,) = ask(device, "status")["hazards"]
    assert (one["text"], one["acknowledged"]) == ("It slides.", [])


def test_a_colleagues_word_at_such_a_path_is_no_officers(device: FieldDevice, visit: str) -> None:
    """S7, S9"""
    hazard, h = tell(device, visit, "The dam is wet.")
    acknowledge(device, at_office(device, kind="device"), visit, hazard, h)
    assert ask(device, "status")["hazards"][0]["acknowledged"] == []


def test_what_stands_is_the_same_looked_up_as_merged(device: FieldDevice, visit: str) -> None:
    """L6"""
    hazard, h = tell(device, visit, "The dam is wet.")
    who = at_office(device)
    acknowledge(device, who, visit, hazard, h)
    with device.store.writing(who, device.clock, "a line that came") as tx:
        tx.append(visit, f"{ACKNOWLEDGED}{hazard}/a2", {"heads": []}, replaces=[])
    whole = load_inspection(device.store, visit)
    assert set(whole.acknowledged) == {(hazard, "a1"), (hazard, "a2")} and len(whole.unread) == 1
    assert glance(device.store, visit).inspection == whole


def test_what_the_office_has_seen_is_nothing_to_sign_again(device: FieldDevice, visit: str) -> None:
    """S7, L7"""
    hazard, h = tell(device, visit, "The dam is wet.")
    set_outcome(device.recorder(), visit, "visited")
    sign_off(device.recorder(), visit)

    def after() -> int:
        store = device.store
        return standing(store.positions(visit), glance(store, visit).inspection).after

    assert after() == 0
    acknowledge(device, at_office(device), visit, hazard, h)
    assert after() == 0 and not sign_off(device.recorder(), visit).new
    tell(device, visit, "The road too.")
    assert after() == 1 and sign_off(device.recorder(), visit).new
