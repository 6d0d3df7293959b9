"""What can be sealed to a device: an age recipient, in a statement that the device signed (S10)."""

from __future__ import annotations

import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sync.log import Entry, device_id, strict_json
from sync.problems import problem
from sync.receipt import SignedBytes
from sync.server_keys import RECIPIENT

CONTEXT = b"tapak sealing key v1\n"
PATH = "device/sealing-key"  # where a device's own log has it


def sign_sealing_key(key: Ed25519PrivateKey, recipient: str) -> SignedBytes:
    """The statement of the device with this key that this recipient is its own."""
    device = device_id(key.public_key().public_bytes_raw())
    payload = json.dumps({"device": device, "recipient": recipient}).encode("ascii")
    return SignedBytes(payload, key.sign(CONTEXT + payload))


def read_sealing_key(public_key: bytes, signed: SignedBytes) -> str:
    """The recipient in such a statement, checked; raises `certificate-unfit`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signed.signature, CONTEXT + signed.payload)
        body = strict_json(signed.payload)
    except (InvalidSignature, ValueError, RecursionError) as exc:
        raise problem("certificate-unfit", why="its sealing key is not signed by it") from exc
    recipient = body.get("recipient") if isinstance(body, dict) else None
    if not is_recipient(recipient) or body.get("device") != device_id(public_key):
        raise problem("certificate-unfit", why="its sealing key is no key of it")
    return str(recipient)


def recipient_in(entry: Entry) -> str | None:
    """The recipient that an entry of a device's own log names, or None."""
    value = entry.value
    if entry.path != PATH or not isinstance(value, dict):
        return None
    return str(value["recipient"]) if is_recipient(value.get("recipient")) else None


def is_recipient(text: object) -> bool:
    """Whether this has the form of an age recipient."""
    return isinstance(text, str) and RECIPIENT.match(text) is not None
