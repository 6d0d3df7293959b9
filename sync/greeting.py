"""A server proves that it holds its key before an invitation's code is shown to it (S8).

Its public key is no secret: everybody who greets it is told. What a device draws anew each time can
be signed by the holder of the private key alone.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.receipt import server_id, signed_under

CONTEXT = b"tapak greeting v1\n"
CHALLENGE_BYTES = 32


def sign_greeting(key: Ed25519PrivateKey, challenge: str) -> bytes:
    """The server's signature over a challenge (hex digits) and the digest of its own key."""
    return key.sign(_greeted(key.public_key().public_bytes_raw(), challenge))


def is_greeting_of(public_key: bytes, challenge: str, proof: bytes | None) -> bool:
    """Whether the holder of this raw Ed25519 key signed the challenge."""
    return proof is not None and signed_under(public_key, _greeted(public_key, challenge), proof)


def _greeted(public_key: bytes, challenge: str) -> bytes:
    return CONTEXT + f"{challenge}\n{server_id(public_key)}".encode()
