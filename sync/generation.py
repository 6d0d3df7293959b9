"""The next generation of a device: what is asked and answered when its log has forked (S3, S8).

The device makes a new key and proves with the old one that it is its own successor. What the
server holds of the old one says from where on its lines are to be adopted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from marshmallow import fields, validate

from sync.problems import problem
from sync.wire import DIGEST, Bytes64, Message, Signed

CONTEXT = b"tapak generation v1\n"


class GenerationRequest(Message):
    """A device asks for its next generation: the new public key, and the old key's word for it."""

    public_key = Bytes64(32, required=True)
    proof = Bytes64(64, required=True)


class GenerationAnswer(Message):
    """The token and the server-signed certificate of the next generation."""

    token = fields.String(required=True)
    certificate = fields.Nested(Signed, required=True)
    now = fields.Integer(required=True)


class HeldLogMessage(Message):
    """How far one log is held, and where a branch of it left it first, if one did."""

    log = fields.String(required=True)
    seq = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=2**53 - 1))
    h = fields.String(required=True, validate=validate.Regexp(DIGEST))
    fork = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=2**53 - 1),
    )


class HeldAnswer(Message):
    """What the server holds of a device's logs."""

    logs = fields.List(fields.Nested(HeldLogMessage), required=True)


@dataclass(frozen=True, slots=True)
class HeldLog:
    """How far one log is held; `fork` is where a branch of it left it first, None if none did."""

    log: str
    seq: int
    h: str
    fork: int | None = None


def prove(key: Ed25519PrivateKey, public_key: bytes) -> bytes:
    """The old key's signature over the public key of the next generation."""
    return key.sign(CONTEXT + public_key)


def check_proof(old: bytes, public_key: bytes, proof: bytes) -> None:
    """Raise `generation-unproved` unless the old key signed for the new one."""
    try:
        Ed25519PublicKey.from_public_bytes(old).verify(proof, CONTEXT + public_key)
    except (InvalidSignature, ValueError) as exc:
        raise problem("generation-unproved") from exc


def adopt_from(
    hashes: Sequence[bytes], held: HeldLog | None, acknowledged: int, adopted: int = 0
) -> int:
    """From which position on a log's lines are to be adopted; beyond its end where none are.

    `hashes` are those of the log as it is here; `acknowledged` is the last position that receipts
    of the server's present epoch cover; lines up to `adopted` were carried over before.
    """
    if held is None:
        return 1
    if 1 <= held.seq <= len(hashes) and hashes[held.seq - 1].hex() == held.h:
        return held.seq + 1
    if held.fork is not None:
        return held.fork
    return acknowledged + 1 if acknowledged <= held.seq else 1


def read_held(body: dict[str, Any]) -> dict[str, HeldLog]:
    """Log -> how far it is held, from a loaded HeldAnswer."""
    return {
        one["log"]: HeldLog(one["log"], one["seq"], one["h"], one["fork"]) for one in body["logs"]
    }
