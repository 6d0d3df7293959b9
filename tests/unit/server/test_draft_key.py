"""`tapak admin unwrap-draft-key` (S11): which key is opened, for which device, and who is told."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner
from pyrage.x25519 import Identity, Recipient
from region import Device, enrolled_device

from server.cli import main
from server.context import Context, open_context
from server.services.audit import CONSOLE
from server.services.draft_key import answer, look_at
from server.services.enrolment import retire_device, revoke_device
from server.services.rotation import rotate
from server.settings import read_settings
from server.store import audit
from sync.draft_key import (
    KeyRequest,
    Owner,
    read_key_answer,
    read_key_request,
    read_wrapped,
    write_key_request,
    write_wrapped,
)
from sync.problems import Problem

DATA_KEY = bytes(range(32))


@pytest.fixture
def device(region: Context) -> Device:
    return enrolled_device(region)


def request(ctx: Context, device: str, own: Identity, owner: Owner | None = None) -> bytes:
    """What the device's command writes; one of before devices said whose they are without it."""
    to = [Recipient.from_str(ctx.recipient)]
    wrapped = pyrage.encrypt(write_wrapped(device, DATA_KEY, owner), to)
    return write_key_request(KeyRequest(wrapped, str(own.to_public())))


def test_the_key_is_sealed_to_the_request_and_the_trail_says_so_s11(
    region: Context, device: Device
) -> None:
    own = Identity.generate()
    text = request(region, device.id, own)
    asked = look_at(region, text)
    code = read_key_request(text).code
    given = answer(region, CONSOLE, asked, code.lower().replace("-", " "), "she forgot it")
    opened = pyrage.decrypt(read_key_answer(given), [own])
    assert read_wrapped(opened) == (device.id, DATA_KEY)
    assert DATA_KEY not in given
    with region.db.read() as tx:
        last = audit.lines(tx, f"device:{device.id}")[-1]
    assert last["action"] == "device.unwrap"
    assert last["detail"]["reason"] == "she forgot it"
    assert DATA_KEY.hex() not in json.dumps(last)


def test_a_copy_for_a_sealing_key_before_opens_too_s11(region: Context, device: Device) -> None:
    own = Identity.generate()
    text = request(region, device.id, own)
    for _ in range(2):
        rotate(region, CONSOLE, receipt=False, sealing=True, reason="a yearly change")
        region.db.close()
        region = open_context(read_settings(region.settings.data, environ={}))
    assert look_at(region, text).data_key == DATA_KEY
    region.db.close()


@pytest.mark.parametrize(
    "what", ["not one", "nested", "other server", "other key", "stranger", "no recipient"]
)
def test_what_is_no_request_for_this_server_is_refused_with_words_s11(
    region: Context, device: Device, what: str
) -> None:
    own = Identity.generate()
    text = request(region, device.id, own)
    if what == "not one":
        text = b"\x00\xff"
    elif what == "nested":
        text = b"[" * 16_000
    elif what == "other server":
        to = [Identity.generate().to_public()]
        wrapped = pyrage.encrypt(write_wrapped(device.id, DATA_KEY), to)
        text = write_key_request(KeyRequest(wrapped, str(own.to_public())))
    elif what == "other key":
        to = [Recipient.from_str(region.recipient)]
        wrapped = pyrage.encrypt(write_wrapped(device.id, DATA_KEY[:16]), to)
        text = write_key_request(KeyRequest(wrapped, str(own.to_public())))
    elif what == "stranger":
        text = request(region, "f" * 32, own)
    else:
        text = text.replace(b"age1", b"age2")
    with pytest.raises(Problem) as told:
        look_at(region, text)
    assert told.value.code == "draft-request-unfit"


def test_a_device_that_a_restored_server_does_not_know_is_opened_for_whom_it_names_s11(
    region: Context, device: Device
) -> None:
    """S11: it was enrolled after the backup; locked, it cannot be enrolled again."""
    own, stranger = Identity.generate(), "f" * 32
    asked = look_at(region, request(region, stranger, own, Owner("p-gone2222", "Made-up Gone")))
    assert asked.device_name == "a device that this server does not know"
    assert (asked.person, asked.person_name) == ("p-gone2222", "Made-up Gone")
    opened = pyrage.decrypt(
        read_key_answer(answer(region, CONSOLE, asked, asked.code, "rang up")), [own]
    )
    assert read_wrapped(opened) == (stranger, DATA_KEY)
    with region.db.read() as tx:
        last = audit.lines(tx, f"device:{stranger}")[-1]
    assert (last["action"], last["detail"]["person"]) == ("device.unwrap", "p-gone2222")


def test_of_a_known_device_the_server_says_whose_it_is_s11(region: Context, device: Device) -> None:
    """S11: what a device says of itself counts only where the server knows nothing of it."""
    told = request(region, device.id, Identity.generate(), Owner("p-other222", "Somebody Else"))
    plain = request(region, device.id, Identity.generate())
    assert look_at(region, told).person == look_at(region, plain).person != "p-other222"
    revoke_device(region, CONSOLE, device.id, "taken at the gate")
    with pytest.raises(Problem) as refused:
        look_at(region, told)
    assert refused.value.code == "draft-device-revoked"


def test_a_revoked_device_is_not_opened_and_a_retired_one_is_s11(
    region: Context, device: Device
) -> None:
    text = request(region, device.id, Identity.generate())
    retire_device(region, CONSOLE, device.id, "handed on")
    asked = look_at(region, text)
    revoke_device(region, CONSOLE, device.id, "taken at the gate")
    for attempt in (
        lambda: look_at(region, text),
        lambda: answer(region, CONSOLE, asked, asked.code, "a reason"),
    ):
        with pytest.raises(Problem) as told:
            attempt()
        assert told.value.code == "draft-device-revoked"


def test_a_request_that_was_exchanged_on_the_way_has_another_code_s11(
    region: Context, device: Device, tmp_path: Path
) -> None:
    """Someone in between puts in a key of their own: the code that is read out shows it."""
    theirs = tmp_path / "request.json"
    mine = read_key_request(request(region, device.id, Identity.generate()))
    other = KeyRequest(mine.wrapped, str(Identity.generate().to_public()))
    theirs.write_bytes(write_key_request(other))
    region.db.close()
    words = ["admin", "--data", str(region.settings.data), "unwrap-draft-key", str(theirs)]
    words += ["--reason", "forgotten", "--code"]
    told = CliRunner().invoke(main, [*words, mine.code])
    assert told.exit_code == 1
    assert "The code is not the one of this request" in told.stderr
    assert told.stdout == ""
    out = tmp_path / "answer.json"
    done = CliRunner().invoke(main, [*words, other.code, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert device.id in done.stdout
    assert out.stat().st_mode & 0o777 == 0o600
