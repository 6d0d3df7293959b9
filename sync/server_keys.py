"""The server's two keys, as devices hear of them (S8): what it signs with, and what is sealed to.

A statement is signed by a receipt key that its reader trusts already, and names the receipt key to
trust from then on. So a new key is signed by the old one, and a device that was away for long goes
from its pinned key through every statement to the newest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from sync import wire
from sync.log import strict_json
from sync.problems import problem
from sync.receipt import SignedBytes

CONTEXT = b"tapak server keys v1\n"
CHANGE = "server-keys"  # the kind of the change that brings them
MOST_STATEMENTS = 64

RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}\Z")  # an X25519 recipient: bech32 of 32 bytes
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The keys of a server: `number` 1, 2, 3 … grows with each change of one of them.

    `receipt_key` is a raw Ed25519 public key, `sealing_key` an age recipient (age1…). `before` are
    the receipt keys that it had: whoever trusts this one alone goes on trusting what they signed.
    """

    number: int
    receipt_key: bytes
    sealing_key: str
    before: tuple[bytes, ...] = field(default=(), compare=False)


class _Statement(Schema):
    class Meta:
        unknown = EXCLUDE

    tapak = fields.Integer(required=True, strict=True, validate=validate.Equal(wire.PROTOCOL))
    number = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1, max=2**53 - 1)
    )
    receipt_key = wire.Bytes64(32, required=True)
    sealing_key = fields.String(required=True, validate=validate.Regexp(RECIPIENT))
    before = fields.List(
        wire.Bytes64(32), load_default=(), validate=validate.Length(max=MOST_STATEMENTS)
    )


_STATEMENT = _Statement()


def sign_server_keys(signer: Ed25519PrivateKey, keys: ServerKeys) -> SignedBytes:
    """A statement of these keys, signed by a receipt key that its readers trust already."""
    body = {"tapak": wire.PROTOCOL, **_named(keys)}
    payload = _JSON.encode(body).encode("utf-8")
    return SignedBytes(payload, signer.sign(CONTEXT + payload))


def read_server_keys(trusted: bytes, statements: Sequence[SignedBytes]) -> ServerKeys:
    """The newest keys that follow from the trusted receipt key (raw); statements oldest first.

    Those before the first that the trusted key signed are passed over: they led to it. From there
    on each is signed by the key that the one before it names, and has a higher number. So whoever
    changes the receipt key adds two: one by the old key, and one by the new key itself, for those
    who trust that already. Raises `server-keys-unfit`.
    """
    return _follow(trusted, statements)[-1]


def receipt_keys(trusted: bytes, statements: Sequence[SignedBytes]) -> tuple[bytes, ...]:
    """Every receipt key that follows from the trusted one, that first: what each signed holds.

    Those before it are among them as far as a trusted one names them. Raises `server-keys-unfit`.
    """
    followed = (
        key for keys in _follow(trusted, statements) for key in (*keys.before, keys.receipt_key)
    )
    return tuple(dict.fromkeys((trusted, *followed)))


def first_key(statements: Sequence[SignedBytes]) -> bytes:
    """The receipt key that the first statement names; raises `server-keys-unfit`."""
    return _read(statements[0].payload).receipt_key


def _follow(trusted: bytes, statements: Sequence[SignedBytes]) -> list[ServerKeys]:
    if len(statements) > MOST_STATEMENTS:
        raise problem("server-keys-unfit", why=f"there are more than {MOST_STATEMENTS} of them")
    found: list[ServerKeys] = []
    for statement in statements:
        key = found[-1].receipt_key if found else trusted
        if not _signed_by(key, statement):
            if not found:
                continue
            raise problem("server-keys-unfit", why="one is not signed by the key before it")
        new = _read(statement.payload)
        if found and new.number <= found[-1].number:
            raise problem("server-keys-unfit", why="they are not in their order")
        found.append(new)
    if not found:
        raise problem("server-keys-unfit", why="none is signed by the key this device trusts")
    return found


def write_statements(statements: Sequence[SignedBytes]) -> dict[str, Any]:
    """The body of the change that brings the keys, and of an enrolment's member `server_keys`."""
    return {"statements": wire.Signed(many=True).dump(statements)}


def read_statements(body: Any) -> tuple[SignedBytes, ...]:
    """The statements of such a body, not yet verified; raises `server-keys-unfit`."""
    given: Any = body.get("statements") if isinstance(body, dict) else None
    try:
        loaded = wire.Signed(many=True).load(given)
    except ValidationError as exc:
        raise problem("server-keys-unfit", why=wire.faults(exc)) from exc
    return tuple(SignedBytes(one["payload"], one["signature"]) for one in loaded)


def _named(keys: ServerKeys) -> dict[str, Any]:
    named: dict[str, Any] = _STATEMENT.dump(
        {"number": keys.number, "receipt_key": keys.receipt_key, "sealing_key": keys.sealing_key}
        | ({"before": keys.before} if keys.before else {})
    )
    return named


def _signed_by(key: bytes, statement: SignedBytes) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
        public.verify(statement.signature, CONTEXT + statement.payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(payload: bytes) -> ServerKeys:
    try:
        body = _STATEMENT.load(strict_json(payload))
    except ValidationError as exc:
        raise problem("server-keys-unfit", why=wire.faults(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise problem("server-keys-unfit", why="one cannot be read") from exc
    keys = body["number"], body["receipt_key"], body["sealing_key"]
    return ServerKeys(*keys, tuple(body["before"]))
