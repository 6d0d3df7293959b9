"""What a device tells of answers that the office ruled out (scoring rule 3)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from field_device import FieldDevice

from fieldkit.capture import answer, load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.glance import glance
from fieldkit.signing import sign_off, standing
from fieldkit.store import Identity
from sync.log import device_id
from sync.receipt import sign_certificate
from sync.ruling import RULED

ITEM = "GEN-G5"
WHY = "The camera fell into the pond."


@pytest.fixture
def visit(device: FieldDevice) -> str:
    """A visit with one adverse answer and no file."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, ITEM, ["DNM"])
    return inspection


def run(device: FieldDevice, *words: str) -> str:
    said = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
    assert said.exit_code == 0, said.output
    return said.output


def told(device: FieldDevice) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(device, "status", "--json"))["ruled_out"]
    return found


def rule(device: FieldDevice, visit: str, kind: str = "account", **changes: Any) -> None:
    """A ruling about what stands, in the log of an officer's account as a sync brings it."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32).public_key().public_bytes_raw()
    body = {"device": device_id(key), "person": "p-rosa", "person_name": "Rosa Contoh"}
    signed = sign_certificate(device.office.key, {**body, "name": "at the office", "kind": kind})
    parts = {"payload": signed.payload, "signature": signed.signature}
    text = json.dumps({k: base64.b64encode(v).decode() for k, v in parts.items()})
    with device.store.database.write("the certificate") as tx:
        tx.execute("insert into documents values ('certificate', ?, ?)", (device_id(key), text))
    heads = glance(device.store, visit).inspection.answers[ITEM, "-"].heads
    value = {
        "heads": [one.written.h for one in heads],
        "files": "0" * 64,
        "evidence": "0" * 64,
        "reason": WHY,
        **changes,
    }
    who: Identity = replace(
        device.store.identity(), device=device_id(key), public_key=key, person="p-rosa"
    )
    with device.store.writing(who, device.clock + 60_000, "a line that came") as tx:
        tx.append(visit, f"{RULED}{ITEM}/-/r1", value, replaces=[])


def test_status_says_what_was_ruled_out_by_whom_when_and_why(
    device: FieldDevice, visit: str
) -> None:
    """Scoring rule 3: whoever can may still bring the evidence."""
    assert told(device) == [] and "ruled out" not in run(device, "status")
    rule(device, visit)
    said = " ".join(run(device, "status").split())
    assert f"{ITEM} by the office, by Rosa Contoh, 18 Nov 2026, 11:07 (UTC+0): {WHY}" in said
    (one,) = told(device)
    assert (one["item"], one["instance"], one["name"], one["reason"]) == (
        ITEM,
        "-",
        "Rosa Contoh",
        WHY,
    )
    answer(device.recorder(), visit, ITEM, ["PM"])
    assert told(device) == []


def test_a_colleagues_word_at_such_a_path_is_no_officers(device: FieldDevice, visit: str) -> None:
    """S9"""
    rule(device, visit, kind="device")
    assert told(device) == []


def test_what_stands_is_the_same_looked_up_as_merged(device: FieldDevice, visit: str) -> None:
    """L4, L6: also where a ruling cannot be read."""
    rule(device, visit, evidence="?")
    whole = load_inspection(device.store, visit)
    assert set(whole.rulings) == {(ITEM, "-", "r1")} and len(whole.unread) == 1
    assert glance(device.store, visit).inspection == whole


def test_what_the_office_ruled_is_nothing_to_sign_again(device: FieldDevice, visit: str) -> None:
    """L7"""
    set_outcome(device.recorder(), visit, "visited")
    sign_off(device.recorder(), visit)
    rule(device, visit)
    store = device.store
    assert standing(store.positions(visit), glance(store, visit).inspection).after == 0
    assert not sign_off(device.recorder(), visit).new
