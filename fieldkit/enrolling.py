"""Enrolment: from an invitation's link to a device with a token and a certificate (S8)."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError

from fieldkit.generations import former_note
from fieldkit.keys import public_bytes
from fieldkit.ledger import encode_key
from fieldkit.server_keys import NOTE, checked_keys
from fieldkit.store import Identity, Store
from fieldkit.transport import Transport
from sync import wire
from sync.greeting import CHALLENGE_BYTES, is_greeting_of
from sync.log import device_id
from sync.problems import Problem, problem
from sync.receipt import SignedBytes, read_certificate, server_id
from sync.server_keys import receipt_keys

_LINK = re.compile(
    r"(?P<server>https?://[^\s/?#]+(?:/[^\s?#]*?)?)/enrol/?"
    r"#(?P<code>[A-Za-z0-9-]{8,64})\.(?P<fingerprint>[0-9a-f]{16,64})\Z"
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link says: the server's address, the single-use code, the digest of its key."""

    server: str
    code: str
    fingerprint: str


def read_invitation(link: str) -> Invitation:
    """Read a link such as http://host/enrol#CODE.FINGERPRINT; raises `invitation-malformed`."""
    match = _LINK.match(link.strip())
    if match is None:
        raise problem("invitation-malformed", text=link)
    return Invitation(match["server"], match["code"], match["fingerprint"])


def check_may_enrol(
    store: Store, invitation: Invitation, statements: Sequence[SignedBytes] = ()
) -> None:
    """Raise `device-already-enrolled` when the device belongs to another server already.

    The same server may enrol it again, after a lost answer or an ended token; also when it changed
    its key since, and its statements lead from the key pinned here to that of the invitation.
    """
    note = store.note("server_key")
    if note is None:
        return
    pinned = base64.b64decode(note)
    try:
        known = receipt_keys(pinned, statements)
    except Problem:
        known = (pinned,)  # that server does not speak of this key, so it is another one
    if not any(server_id(key).startswith(invitation.fingerprint) for key in known):
        raise problem("device-already-enrolled", server=store.note("server_name") or "a server")


def enrol(
    store: Store, private_key: Any, invitation: Invitation, name: str, transport: Transport
) -> Identity:
    """Ask the server to enrol this device, check everything it answers, and keep it.

    The key was made and kept before; asking again with the same code and key is safe. Raises
    `answer-malformed`, `server-key-changed`, `server-unproved`, `certificate-unfit` and what the
    transport raises.
    """
    public_key = public_bytes(private_key)
    # 1. S8: the server is the one whose key's digest the invitation carries. It is asked before the
    # code is shown to it, and what it answers to the code is held against the same digest.
    # Anybody can answer with its key, which is no secret: it signs what was drawn just now.
    challenge = secrets.token_hex(CHALLENGE_BYTES)
    greeting = _read(wire.EnrolGreeting(), transport.greet(challenge))
    _check_server(greeting["server_key"], invitation)
    if not is_greeting_of(greeting["server_key"], challenge, greeting["proof"]):
        raise problem("server-unproved")
    said = [SignedBytes(**one) for one in greeting["server_keys"]]
    check_may_enrol(store, invitation, said)
    answer = _ask(transport, invitation.code, public_key, name)
    _check_server(answer["server_key"], invitation)
    # 2. S8: the certificate is signed by that key and speaks of this device and person.
    certificate = SignedBytes(**answer["certificate"])
    _check_certificate(certificate, answer, public_key)
    # 3. S8: its sealing key is signed by that key too. An older server does not say it.
    keys = [SignedBytes(**one) for one in answer["server_keys"]]
    # Who is enrolled again goes on from the key it pinned first: receipts of then stay readable.
    pinned = base64.b64decode(store.note("server_key") or "") or answer["server_key"]
    notes = {NOTE: checked_keys(pinned, keys, None)} if keys else {}
    # 4. S3: what another key recorded here for this person is carried over to the new one.
    before, key = store.note("device"), store.note("public_key")
    if before not in (None, device_id(public_key)) and store.note("person") == answer["person"]:
        assert before is not None and key is not None  # noqa: S101 - they are kept together
        notes |= former_note(store, before, base64.b64decode(key))
    # 5. Only then is anything kept, all of it at once.
    store.set_notes(
        **notes,
        device=device_id(public_key),
        public_key=encode_key(public_key),
        person=answer["person"],
        person_name=answer["person_name"],
        server=invitation.server,
        server_name=answer["server_name"],
        server_key=encode_key(pinned),
        token=answer["token"],
        certificate=json.dumps(wire.Signed().dump(certificate)),
    )
    return store.identity()


def _ask(transport: Transport, code: str, public_key: bytes, name: str) -> dict[str, Any]:
    request = wire.EnrolRequest().dump({"code": code, "public_key": public_key, "name": name})
    return _read(wire.EnrolAnswer(), transport.enrol(request))


def _check_server(key: bytes, invitation: Invitation) -> None:
    if not server_id(key).startswith(invitation.fingerprint):
        raise problem("server-key-changed")


def _read(schema: Schema, data: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = schema.load(json.loads(data))
    except ValidationError as exc:
        raise problem("answer-malformed", why=wire.faults(exc)) from exc
    except (ValueError, RecursionError) as exc:
        why = "it is not JSON; is this a sign-in page?"
        raise problem("answer-malformed", why=why) from exc
    return answer


def _check_certificate(certificate: SignedBytes, answer: dict[str, Any], public_key: bytes) -> None:
    body = read_certificate(answer["server_key"], certificate)
    if body.get("device") != device_id(public_key):
        raise problem("certificate-unfit", why="it names another device")
    if body.get("public_key") != encode_key(public_key):
        raise problem("certificate-unfit", why="it names another key")
    if body.get("person") != answer["person"]:
        raise problem("certificate-unfit", why="it names another person")
