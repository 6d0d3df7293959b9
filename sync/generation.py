"""The next generation of a device: what is asked and answered when its log has forked (S3, S8).

The device makes a new key and proves with the old one that it is its own successor. Where the old
one's log here and on the server part says from where on its lines are to be adopted: the device
finds that itself, by chain hashes, as a position whose hash agrees has all before it in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
MOST_ASKED = 64  # positions of one request: three or four requests do for the longest log


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
    """How far one log is held."""

    log = fields.String(required=True)
    seq = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=2**53 - 1))
    h = fields.String(required=True, validate=validate.Regexp(DIGEST))


class HeldAnswer(Message):
    """What the server holds of a device's logs."""

    logs = fields.List(fields.Nested(HeldLogMessage), required=True)


class HashesRequest(Message):
    """Asks for the chain hashes of a log at these positions."""

    log = fields.String(required=True)
    at = fields.List(
        fields.Integer(strict=True, validate=validate.Range(min=1, max=2**53 - 1)),
        required=True,
        validate=validate.Length(min=1, max=MOST_ASKED),
    )


class HashesAnswer(Message):
    """The chain hash at each position that was asked for; null where the log does not reach."""

    h = fields.List(fields.String(allow_none=True, validate=validate.Regexp(DIGEST)), required=True)


@dataclass(frozen=True, slots=True)
class HeldLog:
    """How far one log is held: its last position and the chain hash there, in hex."""

    log: str
    seq: int
    h: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What is known of the beginning that two copies of a log share.

    They have everything up to position `same` in common, and position `other` not.
    """

    same: int
    other: int

    @property
    def known(self) -> bool:
        return self.other - self.same == 1


def prove(key: Ed25519PrivateKey, public_key: bytes) -> bytes:
    """The old key's signature over the public key of the next generation."""
    return key.sign(CONTEXT + public_key)


def check_proof(old: bytes, public_key: bytes, proof: bytes) -> None:
    """Raise `generation-unproved` unless the old key signed for the new one."""
    try:
        Ed25519PublicKey.from_public_bytes(old).verify(proof, CONTEXT + public_key)
    except (InvalidSignature, ValueError) as exc:
        raise problem("generation-unproved") from exc


def shared(hashes: Sequence[bytes], held: HeldLog | None) -> Shared:
    """What the head that the server holds says of a log whose hashes are these here."""
    if held is None:
        return Shared(0, 1)
    if held.seq > len(hashes):
        return Shared(0, len(hashes) + 1)
    if not held.seq or hashes[held.seq - 1].hex() == held.h:
        return Shared(held.seq, held.seq + 1)
    return Shared(0, held.seq)


def ask_at(known: Shared) -> list[int]:
    """The positions to ask about next, at most MOST_ASKED of them, rising; none where all is known.

    They lie closer towards the end: that is where copies of a log mostly part.
    """
    between = known.other - known.same - 1
    if between <= MOST_ASKED:
        return list(range(known.same + 1, known.other))
    at = {known.other - 2**n for n in range(between.bit_length())}
    even = MOST_ASKED - len(at)
    at |= {known.same + between * n // (even + 1) for n in range(1, even + 1)}
    return sorted(at)


def narrowed(known: Shared, hashes: Sequence[bytes], answer: Mapping[int, str | None]) -> Shared:
    """What is known once these positions were answered: one that agrees speaks for all before it.

    `answer` has at least one position that was asked for.
    """
    same = [at for at, h in answer.items() if h == hashes[at - 1].hex()]
    last = max([known.same, *same])
    first = min([known.other, *(at for at in answer if at > last)])
    return Shared(last, first)


def read_held(body: dict[str, Any]) -> dict[str, HeldLog]:
    """Log -> how far it is held, from a loaded HeldAnswer."""
    return {one["log"]: HeldLog(one["log"], one["seq"], one["h"]) for one in body["logs"]}
