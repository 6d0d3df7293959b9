"""Changing the server's keys (S8): devices follow, and what the old ones vouch for still holds."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import Office, make_office
from region import HILL, VISIT_1, VISIT_2, Clock, Device, enrolled_device, visit

from server.context import Context, open_context
from server.keys import NEXT, RECEIPT_FILE, SEALING_FILE
from server.services import enrolment, rotation
from server.services.audit import CONSOLE
from server.services.checkpoints import make
from server.services.generations import next_generation
from server.services.intake import receive
from server.services.rotation import former_sealing_keys, rotate
from server.services.verify import verify
from server.settings import read_settings
from server.store import audit
from sync.generation import prove
from sync.problems import Problem
from sync.receipt import read_receipt
from sync.server_keys import ServerKeys, read_server_keys, receipt_keys
from sync.session import Answer, Request, read_answer, write_request


@pytest.fixture
def device(region: Context) -> Device:
    made = enrolled_device(region)
    visit(made, VISIT_1, HILL)
    make(region)
    return made


def again(ctx: Context) -> Context:
    """The server started anew."""
    ctx.db.close()
    return open_context(read_settings(ctx.settings.data, environ={}))


def turned(ctx: Context, *, receipt: bool = True, sealing: bool = True) -> Context:
    rotate(ctx, CONSOLE, receipt=receipt, sealing=sealing, reason="a yearly change")
    return again(ctx)


def asks(ctx: Context, device: Device, keys: int = 1) -> Answer:
    request = Request(device.id, None, (), (), keys=keys)
    return read_answer(receive(ctx, device.id, device.person, write_request(request)))


def test_a_device_goes_from_its_pinned_key_to_the_newest(region: Context, device: Device) -> None:
    """(S8) Twice changed: both are followed, and nothing is said to who knows already."""
    pinned = region.public_key
    once = turned(region)
    twice = turned(once)
    answer = asks(twice, device)
    keys = read_server_keys(pinned, answer.keys)
    assert keys == ServerKeys(5, twice.public_key, twice.recipient)
    assert receipt_keys(pinned, answer.keys) == (pinned, once.public_key, twice.public_key)
    assert asks(twice, device, keys=5).keys == ()
    assert len({pinned, once.public_key, twice.public_key}) == 3
    # Whoever was enrolled in between trusts the key of then.
    assert read_server_keys(once.public_key, answer.keys) == keys
    assert read_server_keys(twice.public_key, answer.keys) == keys
    twice.db.close()


def test_before_any_change_nothing_is_said_with_an_answer(region: Context, device: Device) -> None:
    assert asks(region, device).keys == ()


def test_which_server_it_is_does_not_change(region: Context, device: Device) -> None:
    before = region.id
    after = turned(region)
    assert after.id == before
    device.ctx = after
    device.record(VISIT_1, "outcome", {"outcome": "partly"})
    signed = device_receipt(after, device)
    assert read_receipt(after.public_key, signed).server == before
    make(after)
    report = verify(after)
    assert report.faults == (), "what the old key signed is proved by it, and the rest by the new"
    after.db.close()


def device_receipt(ctx: Context, device: Device):  # type: ignore[no-untyped-def]
    answer = device.send()
    assert answer.receipt is not None
    return answer.receipt


def test_an_invitation_and_a_new_device_trust_the_new_key(region: Context) -> None:
    after = turned(region, sealing=False)
    new = enrolled_device(after, seed=9)
    visit(new, VISIT_2, HILL)
    link = enrolment.invite(after, new.person, CONSOLE)
    assert not link.endswith(after.id[:16]), "the fingerprint is that of the key in use"
    assert verify(after).faults == ()
    after.db.close()


def test_what_was_sealed_to_an_old_key_can_still_be_opened(region: Context) -> None:
    """(S8) Also after two changes, and with nothing but the newest key and the database."""
    first = pyrage.encrypt(b"a bundle from a stick", [region.sealing_key.to_public()])
    once = turned(region, receipt=False)
    second = pyrage.encrypt(b"another", [once.sealing_key.to_public()])
    twice = turned(once, receipt=False)
    assert not (twice.settings.keys / (SEALING_FILE + NEXT)).exists()
    former = former_sealing_keys(twice)
    assert pyrage.decrypt(second, former[:1]) == b"another"
    assert pyrage.decrypt(first, former) == b"a bundle from a stick"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(first, [twice.sealing_key])
    twice.db.close()


@pytest.mark.parametrize("ended", ["before", "after"])
def test_ended_in_the_middle_it_is_done_whole_or_not_at_all(
    region: Context, device: Device, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    """(S8) The statement in the database is the switch; the key that it names goes into use."""
    pinned = region.public_key

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation, "acted" if ended == "before" else "take_next", dies)
    with pytest.raises(KeyboardInterrupt):
        rotate(region, CONSOLE, receipt=True, sealing=True, reason="a yearly change")
    monkeypatch.undo()
    assert (region.settings.keys / (RECEIPT_FILE + NEXT)).exists() == (ended == "after")
    after = again(region)
    if ended == "before":
        assert after.public_key == pinned
    else:
        assert after.public_key != pinned
        assert read_server_keys(pinned, after.key_statements).receipt_key == after.public_key
    device.ctx = after
    device.record(VISIT_1, "outcome", {"outcome": "partly"})
    device.send()
    assert verify(after).faults == ()
    after.db.close()


def test_after_a_restore_new_keys_are_told_to_who_knows_of_keys_that_were_lost(
    region: Context, device: Device
) -> None:
    """(S5, S8) The backup was made before a change: numbers must not come twice."""
    pinned = region.public_key
    epoch = 1_000_000_000_007
    region.db.write(lambda tx: audit.begin_epoch(tx, epoch, region.now()))
    after = turned(region)
    answer = asks(after, device, keys=3)  # what it knew of the keys that were lost
    keys = read_server_keys(pinned, answer.keys)
    assert keys.receipt_key == after.public_key
    assert keys.number > epoch > 3
    again_after = turned(after)
    assert again_after.keys_number > keys.number
    again_after.db.close()


def test_of_two_changes_at_once_the_second_does_nothing(region: Context) -> None:
    """(S8) Its keys would replace those that the first one's statement names."""
    rotate(region, CONSOLE, receipt=True, sealing=True, reason="first")
    with pytest.raises(Problem) as caught:
        rotate(region, CONSOLE, receipt=True, sealing=True, reason="at the same time")
    assert caught.value.code == "keys-moved"
    after = again(region)
    assert after.public_key == after.receipt_keys[-1]
    assert verify(after).faults == ()
    after.db.close()


def test_a_key_that_is_not_the_named_one_is_not_signed_with(region: Context) -> None:
    old = (region.settings.keys / RECEIPT_FILE).read_bytes()
    after = turned(region)
    (after.settings.keys / RECEIPT_FILE).write_bytes(old)
    after.db.close()
    with pytest.raises(Problem) as caught:
        open_context(read_settings(after.settings.data, environ={}))
    assert caught.value.code == "key-unusable"


def test_which_key_must_be_said_and_not_too_often(region: Context) -> None:
    with pytest.raises(Problem) as caught:
        rotate(region, CONSOLE, receipt=False, sealing=False, reason="")
    assert caught.value.code == "fields-malformed"
    ctx = region
    for _ in range(31):
        ctx = turned(ctx, sealing=False)
    with pytest.raises(Problem) as caught:
        rotate(ctx, CONSOLE, receipt=True, sealing=False, reason="again")
    assert caught.value.code == "keys-too-often"
    assert len(receipt_keys(ctx.receipt_keys[0], ctx.key_statements)) == 32
    ctx.db.close()


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    yield made
    made.ctx.db.close()


def test_after_ten_wrong_codes_an_address_waits(office: Office) -> None:
    """(S8) Counted in the database; another address is not kept out."""
    right = enrolment.invite(office.ctx, "auditor", CONSOLE).partition("#")[2].partition(".")[0]

    def ask(code: str, address: str, seed: int = 1) -> str:
        key = base64.b64encode(public_key(seed)).decode()
        browser = office.anonymous()
        body = {"code": code, "public_key": key}
        answer = browser.call(
            "POST", "/api/enrol", json=body, environ_overrides={"REMOTE_ADDR": address}
        )
        return str(answer.json.get("code", "enrolled"))

    for _ in range(10):
        assert ask("WRNG-WRNG-WRNG", "192.0.2.1") == "invitation-unknown"
    assert ask("WRNG-WRNG-WRNG", "192.0.2.1") == "enrolment-blocked"
    assert ask(right, "192.0.2.1") == "enrolment-blocked"
    assert ask("WRNG-WRNG-WRNG", "192.0.2.2") == "invitation-unknown"
    office.clock.at += 15 * 60_000
    assert ask(right, "192.0.2.1") == "enrolled"


def public_key(seed: int) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return key.public_key().public_bytes_raw()


def test_a_retired_device_is_taken_up_again_with_its_work(region: Context, device: Device) -> None:
    """(S8) Its token ends; what it recorded counts as before and is sent when it is back."""
    device.record(VISIT_1, "outcome", {"outcome": "partly", "note": "not sent yet"})
    enrolment.retire_device(region, CONSOLE, device.id, "lent to a colleague")
    enrolment.retire_device(region, CONSOLE, device.id, "twice")
    code = enrolment.invite(region, device.person, CONSOLE).partition("#")[2].partition(".")[0]
    found = enrolment.enrol(region, code, device.public_key, "laptop 1")
    assert found.device == device.id
    device.send()
    assert verify(region).faults == ()


def test_who_revokes_a_device_is_told_of_those_that_go_on_from_it(
    region: Context, device: Device
) -> None:
    """(S3, S8) Whoever took the device may have made them, or its owner with a copy."""
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (31, 32)]
    before, made = (device.id, device.key), []
    for key in keys:
        proof = prove(before[1], key.public_key().public_bytes_raw())
        found = next_generation(region, before[0], key.public_key().public_bytes_raw(), proof)
        made.append(found.device)
        before = (found.device, key)
    other = enrolled_device(region, seed=5)
    assert set(enrolment.revoke_device(region, CONSOLE, device.id, "stolen")) == set(made)
    assert enrolment.revoke_device(region, CONSOLE, made[0], "not the owner's") == (made[1],)
    assert enrolment.revoke_device(region, CONSOLE, made[1], "nor this") == ()
    assert enrolment.revoke_device(region, CONSOLE, other.id, "another one") == ()


def test_a_revoked_device_is_not_taken_up_again(region: Context, device: Device) -> None:
    enrolment.revoke_device(region, CONSOLE, device.id, "stolen")
    enrolment.retire_device(region, CONSOLE, device.id, "it stays revoked")
    code = enrolment.invite(region, device.person, CONSOLE).partition("#")[2].partition(".")[0]
    with pytest.raises(Problem) as caught:
        enrolment.enrol(region, code, device.public_key, "laptop 1")
    assert caught.value.code == "device-of-another"
