"""Nonces of the server: what a device quotes in its logs to show "not written before" (L9)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.log import strict_json
from sync.problems import problem
from sync.receipt import Keys, SignedBytes, signed_under

NONCE_CONTEXT = b"tapak nonce v1\n"


@dataclass(frozen=True, slots=True)
class Nonce:
    """What nobody could have known before the server gave it; `at` is its clock, UTC ms."""

    id: str
    at: int


def sign_nonce(key: Ed25519PrivateKey, at: int, drawn: str) -> SignedBytes:
    """A nonce of that moment; `drawn` is fresh randomness as text."""
    payload = json.dumps({"at": at, "drawn": drawn}, separators=(",", ":")).encode("utf-8")
    return SignedBytes(payload, key.sign(NONCE_CONTEXT + payload))


def read_nonce(server_key: Keys, signed: SignedBytes) -> Nonce:
    """Check and read a nonce; raises `nonce-unfit`."""
    if not signed_under(server_key, NONCE_CONTEXT + signed.payload, signed.signature):
        raise problem("nonce-unfit", why="it is not signed by this device's server")
    try:
        body = strict_json(signed.payload)
    except ValueError as exc:
        raise problem("nonce-unfit", why="it cannot be read") from exc
    at = body.get("at") if isinstance(body, dict) else None
    if not isinstance(at, int) or isinstance(at, bool) or at < 0:
        raise problem("nonce-unfit", why="it does not say when it was given")
    return Nonce(nonce_id(signed), at)


def nonce_id(signed: SignedBytes) -> str:
    """What a log quotes: 128 bits of the digest of the nonce and its signature.

    The signature is part of it, so that who knows when a nonce was drawn still cannot foresee it.
    """
    return hashlib.sha256(signed.payload + signed.signature).hexdigest()[:32]
