"""What the server signs: receipts for what it holds (S4) and devices' certificates (S8)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sync import wire
from sync.log import device_id, strict_json
from sync.problems import problem

RECEIPT_CONTEXT = b"tapak receipt v1\n"
Keys = bytes | Sequence[bytes]  # raw Ed25519 public keys, any of which may have signed
CERTIFICATE_CONTEXT = b"tapak certificate v1\n"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """Exact bytes and the signature over a context string and them."""

    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ReceiptLog:
    device: str
    log: str
    seq: int
    h: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server says it holds durably: logs up to a hash, and files (S4).

    `checkpoint` are number and id of the newest checkpoint, None while there is none (S13).
    """

    server: str
    epoch: int
    at: int
    device: str
    logs: tuple[ReceiptLog, ...]
    files: tuple[str, ...]
    checkpoint: tuple[int, str] | None = None


def sign_receipt(key: Ed25519PrivateKey, receipt: Receipt) -> SignedBytes:
    """The receipt's bytes and the server's signature over them.

    What can be told from the rest is left out: the server from its key, the device of its own logs.
    """
    body: dict[str, Any] = {
        "tapak": wire.PROTOCOL,
        "epoch": receipt.epoch,
        "at": receipt.at,
        "device": receipt.device,
    }
    whose = server_id(key.public_key().public_bytes_raw())
    if receipt.server != whose:
        body["server"] = receipt.server
    if receipt.logs:
        body["logs"] = [
            [r.log, r.seq, r.h] if r.device == receipt.device else [r.device, r.log, r.seq, r.h]
            for r in receipt.logs
        ]
    if receipt.files:
        body["files"] = list(receipt.files)
    if receipt.checkpoint is not None:
        body["checkpoint"] = list(receipt.checkpoint)
    payload = _compact(body)
    return SignedBytes(payload, key.sign(RECEIPT_CONTEXT + payload))


def signed_under(keys: Keys, message: bytes, signature: bytes) -> bool:
    """Whether one of these raw Ed25519 public keys signed the message.

    A server that changed its key is known by several: the old ones vouch for what they signed.
    """
    return _signer(keys, message, signature) is not None


def _signer(keys: Keys, message: bytes, signature: bytes) -> bytes | None:
    for key in (keys,) if isinstance(keys, bytes) else keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except (InvalidSignature, ValueError):
            continue
        return key
    return None


def read_receipt(server_key: Keys, signed: SignedBytes) -> Receipt:
    """Check and read a receipt, of today's form or an older one; raises `receipt-signature`."""
    body = _verified(server_key, RECEIPT_CONTEXT, signed)
    signer = _signer(server_key, RECEIPT_CONTEXT + signed.payload, signed.signature) or b""
    try:
        return Receipt(
            body.get("server") or server_id(signer),
            int(body["epoch"]),
            int(body["at"]),
            body["device"],
            _logs(body),
            tuple(body.get("files", ())),
            _quoted(body.get("checkpoint")),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise problem("receipt-signature") from exc


def claimed_logs(payload: bytes) -> tuple[ReceiptLog, ...]:
    """The logs that a receipt's bytes list, with its signature not checked; none in other bytes."""
    try:
        return _logs(strict_json(payload))
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def _logs(body: Mapping[str, Any]) -> tuple[ReceiptLog, ...]:
    device = body["device"]
    rows = ([device, *one] if len(one) == 3 else one for one in body.get("logs", ()))
    return tuple(ReceiptLog(*row) for row in rows)


def sign_certificate(key: Ed25519PrivateKey, body: Mapping[str, Any]) -> SignedBytes:
    """A device's certificate (S8): device, public key, person, name, time, server."""
    payload = _compact({"tapak": wire.PROTOCOL, **body})
    return SignedBytes(payload, key.sign(CERTIFICATE_CONTEXT + payload))


def read_certificate(server_key: Keys, signed: SignedBytes) -> dict[str, Any]:
    """Check and read a device's certificate; raises `receipt-signature`."""
    return _verified(server_key, CERTIFICATE_CONTEXT, signed)


def claimed_device(payload: bytes) -> str | None:
    """The device that a certificate's bytes name, with its signature not checked."""
    try:
        body = strict_json(payload)
    except (ValueError, RecursionError):
        return None
    device = body.get("device") if isinstance(body, dict) else None
    return device if isinstance(device, str) and wire.DEVICE.match(device) else None


def certified_key(
    server_key: Keys, device: str, signed: SignedBytes
) -> tuple[bytes, dict[str, Any]]:
    """The raw public key of this device and its certificate's body, checked.

    Raises `receipt-signature` and `certificate-unfit`.
    """
    body = read_certificate(server_key, signed)
    try:
        public_key = base64.b64decode(str(body.get("public_key")), validate=True)
    except ValueError as exc:
        raise problem("certificate-unfit", why="it has no key") from exc
    if body.get("device") != device or device_id(public_key) != device:
        raise problem("certificate-unfit", why="it names another device")
    return public_key, body


def server_id(public_key: bytes) -> str:
    """The digest of a server's receipt key, as invitations carry it (S8)."""
    return hashlib.sha256(b"tapak server v1" + public_key).hexdigest()


def _quoted(value: Any) -> tuple[int, str] | None:
    if value is None:
        return None
    n, checkpoint = value
    return int(n), str(checkpoint)


def _verified(keys: Keys, context: bytes, signed: SignedBytes) -> dict[str, Any]:
    if not signed_under(keys, context + signed.payload, signed.signature):
        raise problem("receipt-signature")
    try:
        body = strict_json(signed.payload)
    except ValueError as exc:
        raise problem("receipt-signature") from exc
    if not isinstance(body, dict):
        raise problem("receipt-signature")
    return body


def _compact(body: Any) -> bytes:
    return _JSON.encode(body).encode("utf-8")
