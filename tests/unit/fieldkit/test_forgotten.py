"""A forgotten passphrase delays work and does not lose it (S11). All data are fictional."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice, picture
from memory_server import Office
from pyrage.x25519 import Identity, Recipient

from fieldkit.capture import Extras, answer
from fieldkit.cli import cli
from fieldkit.forgotten import ask_office, set_forgotten
from fieldkit.passphrase import change_passphrase, set_passphrase, unlock
from fieldkit.vault import ASKED, Cost, new_data_key, open_vault, read_office
from sync.draft_key import (
    KeyRequest,
    Owner,
    read_key_request,
    read_owner,
    read_wrapped,
    write_key_answer,
    write_key_request,
    write_wrapped,
)
from sync.problems import Problem

QUICK = Cost(1, 64, 1)
WORDS = "four fictional wet boots"
NEW = "a fictional lamp in fog"


@pytest.fixture
def sealed(device: FieldDevice, tmp_path: Path) -> FieldDevice:
    """A device with a passphrase, and drafts that no server has."""
    begun = device.start().inspection
    answer(device.recorder(), begun, "GEN-G1", ["FM"], extras=Extras("a draft of nobody else"))
    device.photo(begun, picture(tmp_path / "a.jpg"))
    device.home = set_passphrase(device.home, WORDS, QUICK)
    return device


def office_answers(office: Office, request: bytes) -> bytes:
    """What the real office does, with this test's server key."""
    asked = read_key_request(request)
    wrapped = pyrage.decrypt(asked.wrapped, [office.sealing_key])
    sealed = pyrage.encrypt(wrapped, [Recipient.from_str(asked.recipient)])
    return write_key_answer(sealed)


def run(device: FieldDevice, *words: str, exit_code: int = 0, **given: str) -> Result:
    env = {"FIELDKIT_PASSPHRASE": None, "XDG_RUNTIME_DIR": None, **given}
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words], env=env)
    assert result.exit_code == exit_code, result.output
    return result


def drafts(device: FieldDevice) -> list[bytes]:
    store = device.home.open_store()
    found = [line for log in store.inspections() for one in store.logs(log) for line in one.lines]
    store.database.close()
    return found


def test_the_office_opens_what_nobody_remembers_and_nothing_is_lost_s11(
    sealed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    before, folder = drafts(sealed), sealed.home.folder
    for n in range(10):
        with pytest.raises(Problem, match="not this device's passphrase"):
            unlock(folder, f"a wrong guess {n}")
    told = run(sealed, "passphrase", "forgotten", str(tmp_path / "request.json"))
    request = (tmp_path / "request.json").read_bytes()
    assert read_key_request(request.strip()).code in told.output
    (tmp_path / "answer.json").write_bytes(office_answers(office, request))
    words = ("passphrase", "forgotten", "--answer", str(tmp_path / "answer.json"))
    assert "nothing was lost" in run(sealed, *words, FIELDKIT_NEW_PASSPHRASE=NEW).output
    assert not (folder / ASKED).exists()
    sealed.home = unlock(folder, NEW)
    assert drafts(sealed) == before
    with pytest.raises(Problem, match="not this device's passphrase"):
        unlock(folder, WORDS)
    sealed.sync()
    sealed.holds_exactly()


def test_nothing_is_in_clear_on_the_way_s11(
    sealed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    key = open_vault(sealed.home.folder, WORDS)
    said = run(sealed, "passphrase", "forgotten", "--json").output
    request = json.loads(said)["request"].encode()
    answered = office_answers(office, request)
    secrets = [key, key.hex().encode(), sealed.id.encode(), str(office.sealing_key).encode()]
    known = [str(office.sealing_key.to_public()).encode(), sealed.store.identity().person.encode()]
    for text in (request, answered, (sealed.home.folder / "vault.json").read_bytes()):
        raw = text + b"".join(_members(text))
        assert [s for s in (*secrets, *known) if s in raw] == []


def _members(text: bytes) -> list[bytes]:
    import base64
    import binascii

    found = []
    for value in json.loads(text).values():
        for one in value.values() if isinstance(value, dict) else [value]:
            try:
                found.append(base64.b64decode(str(one), validate=True))
            except (ValueError, binascii.Error):
                continue
    return found


def test_a_request_is_shown_as_text_and_as_a_qr_code_s11(sealed: FieldDevice) -> None:
    told = run(sealed, "passphrase", "forgotten", COLUMNS="120").output
    assert "▀" in told
    narrow = run(sealed, "passphrase", "forgotten", COLUMNS="80")
    assert "columns wide" in narrow.stderr
    assert "▀" not in narrow.output
    request = next(line for line in told.splitlines() if line.startswith("{"))
    again = run(sealed, "passphrase", "forgotten", "--json").output
    assert json.loads(again)["request"] == request, "asked again, it is the same one"


@pytest.mark.parametrize("what", ["other request", "other key", "not one", "none asked"])
def test_an_answer_that_does_not_fit_changes_nothing_s11(
    sealed: FieldDevice, office: Office, what: str
) -> None:
    folder = sealed.home.folder
    before = (folder / "vault.json").read_bytes()
    request = ask_office(folder)
    reply = office_answers(office, write_key_request(request))
    if what == "other request":
        other = KeyRequest(request.wrapped, str(Identity.generate().to_public()))
        reply = office_answers(office, write_key_request(other))
    elif what == "other key":
        wrong = write_wrapped(sealed.id, new_data_key())
        to = Recipient.from_str(request.recipient)
        reply = write_key_answer(pyrage.encrypt(wrong, [to]))
    elif what == "not one":
        reply = b"[" * 5000
    else:
        (folder / ASKED).unlink()
    with pytest.raises(Problem) as told:
        set_forgotten(folder, reply, NEW, QUICK)
    assert told.value.code == "draft-answer-unfit"
    assert (folder / "vault.json").read_bytes() == before
    assert drafts(sealed)


def test_the_offices_copy_follows_its_key_and_outlives_a_change_of_passphrase_s11(
    sealed: FieldDevice, office: Office
) -> None:
    folder = sealed.home.folder
    first = read_office(folder)
    sealed.sync()
    assert read_office(folder) == first, "it is written only where it is for another key"
    change_passphrase(sealed.home, NEW, QUICK)
    assert _opens(read_office(folder), office.sealing_key) == (sealed.id, sealed.home.data_key)
    office.sealing_key = Identity.generate()
    store = sealed.store
    sealed.ledger.take_keys(store.identity(), office.key_statements)
    sealed.sync()
    assert _opens(read_office(folder), office.sealing_key) == (sealed.id, sealed.home.data_key)
    assert open_vault(folder, NEW) == sealed.home.data_key, "renewing needs no passphrase"


def test_the_offices_copy_says_whose_the_device_is_s11(sealed: FieldDevice, office: Office) -> None:
    """S11: a server put back from a backup of before it was enrolled knows neither."""
    store = sealed.store
    who = store.identity()
    opened = pyrage.decrypt(ask_office(sealed.home.folder).wrapped, [office.sealing_key])
    assert read_owner(opened) == Owner(who.person, who.person_name)


def _opens(copy: object, key: Identity) -> tuple[str, bytes]:
    return read_wrapped(pyrage.decrypt(copy.wrapped, [key]))  # type: ignore[attr-defined]


def test_a_device_that_was_sealed_before_it_knew_the_office_says_so_s11(
    tmp_path: Path, office: Office
) -> None:
    device = FieldDevice(tmp_path / "new", office)
    device.home = set_passphrase(device.home, WORDS, QUICK)
    told = run(device, "passphrase", "forgotten", exit_code=1).stderr
    assert "no copy of this device's key" in told
    device.enrol()
    device.sync()
    assert read_office(device.home.folder) is not None
    run(device, "passphrase", "forgotten")
