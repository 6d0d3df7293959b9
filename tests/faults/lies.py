"""Answers that are not the server's: a sign-in page, a forger's, an altered one.

What only changes unsigned words of a true answer is a lie of whoever stands in between; the device
may be held up by it, and must neither believe that something is held nor lose anything.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.packing import REQUEST, pack_for, unpack_from
from sync.receipt import RECEIPT_CONTEXT

if TYPE_CHECKING:
    from .wire import Sent

PORTAL = b"<html><title>Sign in</title><body>Welcome to the example hotel.</body></html>"
_FORGER = Ed25519PrivateKey.from_private_bytes(b"forger" * 5 + b"ok")


def forged(answer: dict[str, Any], device: str, log: str, digest: str) -> dict[str, Any]:
    """The answer with a receipt for far more than was sent, signed by somebody else."""
    told = answer.get("receipt")
    payload = json.loads(_payload(told)) if told else {"epoch": 1, "at": 1}
    payload |= {"tapak": 1, "device": device, "server": "0" * 64}
    payload["logs"] = [*payload.get("logs", []), [device, log, 1, "0" * 64]]
    payload["files"] = sorted({*payload.get("files", []), digest})
    raw = json.dumps(payload, separators=(",", ":")).encode()
    signed = {
        "payload": base64.b64encode(raw).decode(),
        "signature": base64.b64encode(_FORGER.sign(RECEIPT_CONTEXT + raw)).decode(),
    }
    return {**answer, "receipt": signed, "missing": []}


def altered(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    """The answer with one thing in it changed."""
    return dice.choice(_CHANGES)(dict(answer), dice, device)


def altered_request(sent: Sent, dice: random.Random) -> Sent:
    """The request with a byte of a file, or a letter of an entry, changed on the way."""
    if not sent.body:
        return sent
    if not sent.path.startswith("/api/sync"):
        body = bytearray(sent.body)
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        return replace(sent, body=bytes(body))
    said = {name.lower(): value for name, value in sent.headers}
    packing = said.get("content-encoding")
    lines = unpack_from(packing, sent.body, REQUEST).split(b"\n")
    entries = [n for n, line in enumerate(lines) if line.startswith(b'{"seq"')]
    if entries:
        n = dice.choice(entries)
        lines[n] = lines[n].replace(b"seen-", b"said-").replace(b'"at":1', b'"at":2')
    whole = b"\n".join(lines)
    packing, body = pack_for(whole, REQUEST)
    kept = [h for h in sent.headers if h[0].lower() not in ("content-length", "content-encoding")]
    packed = [] if packing is None else [("Content-Encoding", packing)]
    headers = (*kept, *packed, ("Content-Length", str(len(body))))
    return replace(sent, body=body, headers=headers)


def _receipt_byte(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    told = answer.get("receipt")
    if told is None:
        return _nothing_missing(answer, dice, device)
    signed = {"payload": _payload(told), "signature": base64.b64decode(told["signature"])}
    member = dice.choice(sorted(signed))
    raw = bytearray(signed[member])
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    signed[member] = bytes(raw)
    return {
        **answer,
        "receipt": {name: base64.b64encode(data).decode() for name, data in signed.items()},
    }


def _payload(told: dict[str, Any]) -> bytes:
    """What a receipt says, in either of the two ways in which it travels."""
    if told.get("text") is not None:
        return str(told["text"]).encode()
    return base64.b64decode(told["payload"])


def _receipt_gone(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    """All is said to be held, and no receipt says so."""
    return {k: v for k, v in answer.items() if k not in ("receipt", "missing")}


def _nothing_missing(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    return {**answer, "missing": []}


def _something_missing(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    return {**answer, "missing": [*answer.get("missing", []), dice.randbytes(32).hex()]}


def _gap(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    """Every log that was spoken of is said to be asked for from far on: no receipt says so."""
    states = [
        {**state, "state": "gap", "seq": dice.choice((1, 500)), "device": device}
        for state in answer.get("logs", [])
    ]
    return {k: v for k, v in {**answer, "logs": states}.items() if k != "receipt"}


def _epoch(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    without = {k: v for k, v in answer.items() if k != "receipt"}
    return {**without, "epoch": int(answer.get("epoch", 1)) + dice.randint(1, 99)}


def _document(answer: dict[str, Any], dice: random.Random, device: str) -> dict[str, Any]:
    """A published text that is not the one its digest names."""
    changes = [dict(one) for one in answer.get("changes", [])]
    for one in changes:
        if one["kind"] == "checklist" and one["body"]:
            one["body"] = {**one["body"], "body": one["body"]["body"] + "\n# altered"}
            return {**answer, "changes": changes}
    return _receipt_byte(answer, dice, device)


_CHANGES: tuple[Callable[..., dict[str, Any]], ...] = (
    _receipt_byte,
    _receipt_gone,
    _nothing_missing,
    _something_missing,
    _gap,
    _epoch,
    _document,
)
