"""Enrolment: what is believed, what is not, and a lost answer that is asked for again."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from field_device import FieldDevice
from memory_server import DirectTransport, Office

from fieldkit.enrolling import check_may_enrol, enrol, read_invitation
from fieldkit.keys import is_private, load_key, load_or_make_key, public_bytes
from fieldkit.server_keys import checked_keys, server_keys
from sync.greeting import sign_greeting
from sync.log import device_id
from sync.problems import Problem
from sync.receipt import sign_certificate
from sync.server_keys import ServerKeys, sign_server_keys, write_statements
from sync.session import Change


@pytest.mark.parametrize(
    "link",
    [
        "",
        "http://host/enrol",
        "http://host/enrol#CODE",
        "host/enrol#ABCD-EFGH.0123456789abcdef",
        "http://host/enrol#ABCD-EFGH.0123",
        "http://host/other#ABCD-EFGH.0123456789abcdef",
        "ftp://host/enrol#ABCD-EFGH.0123456789abcdef",
    ],
)
def test_a_link_that_is_not_whole_is_refused(link: str) -> None:
    with pytest.raises(Problem, match="invitation-malformed"):
        read_invitation(link)


def test_a_link_may_have_a_port_and_a_path() -> None:
    invitation = read_invitation("https://h:81/tapak/enrol#ABCD-EFGH.0123456789abcdef\n")
    assert invitation.server == "https://h:81/tapak"
    assert (invitation.code, invitation.fingerprint) == ("ABCD-EFGH", "0123456789abcdef")


def test_an_enrolled_device_is_the_one_of_its_key(tmp_path: Path, office: Office) -> None:
    """L1, S8."""
    device = FieldDevice(tmp_path / "d", office)
    device.enrol()
    assert device.id == device_id(public_bytes(load_key(device.home.key)))
    assert device.store.identity().person_name == "Example Auditor"


def test_after_a_lost_answer_the_same_link_works_again(tmp_path: Path, office: Office) -> None:
    """S8: the key was kept first."""
    device = FieldDevice(tmp_path / "d", office)
    with pytest.raises(Problem, match="server-away"):
        device.enrol(["reply"])
    key = device.home.key.read_bytes()
    device.enrol()
    assert device.home.key.read_bytes() == key
    assert len(office.devices) == 1


def test_another_device_cannot_use_the_same_code(tmp_path: Path, office: Office) -> None:
    FieldDevice(tmp_path / "a", office).enrol()
    with pytest.raises(Problem, match="invitation-unknown"):
        FieldDevice(tmp_path / "b", office).enrol()


def test_a_server_with_another_key_than_the_invitations_is_not_believed(
    tmp_path: Path, office: Office
) -> None:
    device = FieldDevice(tmp_path / "d", office)
    link = office.link()
    office.key = Ed25519PrivateKey.generate()
    key = load_or_make_key(device_key(device))
    with pytest.raises(Problem, match="server-key-changed"):
        enrol(device.store, key, read_invitation(link), "x", DirectTransport(office))
    with pytest.raises(Problem, match="device-not-enrolled"):
        device.store.identity()


class _InTheMiddle(DirectTransport):
    """Somebody between device and server, who knows its public key and has heard it speak."""

    shown: list[Mapping[str, Any]]
    heard: str | None = None

    def greet(self, challenge: str) -> bytes:
        self.shown = []
        said = json.loads(self.office.greet(self.heard or challenge))
        if self.heard is None:
            own = sign_greeting(Ed25519PrivateKey.generate(), challenge)
            said["proof"] = base64.b64encode(own).decode()
        return json.dumps(said).encode()

    def enrol(self, request: Mapping[str, Any]) -> bytes:
        self.shown.append(request)
        return super().enrol(request)


class _WithoutProof(_InTheMiddle):
    def greet(self, challenge: str) -> bytes:
        return json.dumps({**json.loads(super().greet(challenge)), "proof": None}).encode()


@pytest.mark.parametrize("middle", [_InTheMiddle, _WithoutProof])
@pytest.mark.parametrize("heard", [None, "ab" * 32])
def test_the_code_is_shown_only_to_who_holds_the_servers_private_key(
    tmp_path: Path, office: Office, middle: type[_InTheMiddle], heard: str | None
) -> None:
    """S8: the public key is no secret, and what the server signed before proves nothing now."""
    device = FieldDevice(tmp_path / "d", office)
    key = load_or_make_key(device_key(device))
    transport = middle(office)
    transport.heard = heard
    with pytest.raises(Problem, match="server-unproved"):
        enrol(device.store, key, read_invitation(office.link()), "x", transport)
    assert transport.shown == []
    assert set(office.codes.values()) == {None}
    with pytest.raises(Problem, match="device-not-enrolled"):
        device.store.identity()


class _LyingTransport(DirectTransport):
    """An office that certifies something else than it was asked to."""

    change: Mapping[str, Any] = {}

    def enrol(self, request: Mapping[str, Any]) -> bytes:
        answer = json.loads(super().enrol(request))
        body = {
            "device": device_id(b"x" * 32),
            "public_key": request["public_key"],
            "person": answer["person"],
        } | self.change
        signed = sign_certificate(self.office.key, body)
        from sync import wire

        return json.dumps(answer | {"certificate": wire.Signed().dump(signed)}).encode()


def test_a_certificate_for_another_device_is_not_kept(tmp_path: Path, office: Office) -> None:
    device = FieldDevice(tmp_path / "d", office)
    key = load_or_make_key(device_key(device))
    with pytest.raises(Problem, match="certificate-unfit"):
        enrol(device.store, key, read_invitation(office.link()), "x", _LyingTransport(office))
    with pytest.raises(Problem, match="device-not-enrolled"):
        device.store.identity()


def test_a_device_knows_the_servers_sealing_key_from_its_enrolment(device: FieldDevice) -> None:
    """S8"""
    known = server_keys(device.store).sealing_key
    assert known == str(device.office.sealing_key.to_public())


def test_a_device_of_before_learns_the_sealing_key_as_a_change(device: FieldDevice) -> None:
    """S8: and goes on trusting what it knew when a change does not follow from its pinned key."""
    with device.store.database.write("the settings") as tx:
        tx.execute("delete from meta where name = 'server_keys'")
    with pytest.raises(Problem, match="sealing-key-unknown"):
        server_keys(device.store)
    body = write_statements(device.office.key_statements)
    device.office.changes.append(Change("server-keys", "x", body))
    device.sync()
    stranger = Office()
    body = write_statements(stranger.key_statements)
    device.office.changes.append(Change("server-keys", "x", body))
    with pytest.raises(Problem, match="server-keys-unfit"):
        device.sync()
    assert server_keys(device.store).sealing_key == str(device.office.sealing_key.to_public())


def test_older_keys_than_known_are_not_taken(device: FieldDevice) -> None:
    """S8"""
    key, office = device.office.key, device.office
    newer = sign_server_keys(key, ServerKeys(2, office.public_key, "age1" + "q" * 58))
    known = checked_keys(office.public_key, [newer], None)
    with pytest.raises(Problem, match="older than those known"):
        checked_keys(office.public_key, office.key_statements, known)


def test_a_device_of_one_server_is_not_enrolled_with_another(
    device: FieldDevice,
) -> None:
    with pytest.raises(Problem, match="device-already-enrolled"):
        check_may_enrol(device.store, read_invitation(Office().link()))
    check_may_enrol(device.store, read_invitation(device.office.link()))


def test_the_key_file_is_the_owners_alone_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "key.ed25519"
    key = load_or_make_key(path)
    assert public_bytes(load_or_make_key(path)) == public_bytes(key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert is_private(path)
    path.chmod(0o644)
    assert not is_private(path)


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END"])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key.ed25519"
    path.write_bytes(data)
    with pytest.raises(Problem, match="key-unusable"):
        load_or_make_key(path)


def device_key(device: FieldDevice) -> Path:
    device.home.folder.mkdir(exist_ok=True)
    return device.home.key
