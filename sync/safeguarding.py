"""Whose keys open what is sealed (L8): a list that the server signs and devices check."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)
from marshmallow import ValidationError

from sync import wire
from sync.log import strict_json
from sync.problems import problem
from sync.receipt import Keys, SignedBytes, signed_under

CONTEXT = b"tapak safeguarding v1\n"
CHANGE = "safeguarding"  # the kind of the change; its ref is always the same
REF = "recipients"
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}\Z")
_GROUPS, _GROUP = 5, 4  # 80 bits: enough to compare by voice, too many to be imitated


@dataclass(frozen=True, slots=True)
class Recipient:
    """A safeguarding key's public half: whose it is, and from which day to which (UTC dates)."""

    recipient: str
    name: str
    since: str
    ended: str | None = None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.recipient)


@dataclass(frozen=True, slots=True)
class Recipients:
    """All keys that were ever published; `version` grows with each that is added or ended."""

    server: str
    version: int
    every: tuple[Recipient, ...]

    @property
    def active(self) -> tuple[Recipient, ...]:
        return tuple(one for one in self.every if one.ended is None)


def is_recipient(text: str) -> bool:
    """Whether this looks like the public half of an age X25519 key."""
    return _RECIPIENT.match(text) is not None


def fingerprint(recipient: str) -> str:
    """What two people compare to know that they mean the same key: 20 hexadecimal digits."""
    digits = hashlib.sha256(CONTEXT + recipient.encode("ascii", "replace")).hexdigest()
    return " ".join(digits[at : at + _GROUP] for at in range(0, _GROUPS * _GROUP, _GROUP))


def sign_recipients(key: Ed25519PrivateKey, server: str, every: Sequence[Recipient]) -> SignedBytes:
    """The list as the server signs it; the same list gives the same bytes."""
    body = {
        "tapak": wire.PROTOCOL,
        "server": server,
        "version": len(every) + sum(1 for one in every if one.ended is not None),
        "recipients": [
            {"recipient": one.recipient, "name": one.name, "since": one.since, "ended": one.ended}
            for one in every
        ],
    }
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return SignedBytes(payload, key.sign(CONTEXT + payload))


def read_recipients(server_key: Keys, body: Mapping[str, Any]) -> Recipients:
    """Check and read the body of the change under the server's pinned key.

    Raises `safeguarding-signature`.
    """
    try:
        signed = SignedBytes(**wire.Signed().load(body))
        if not signed_under(server_key, CONTEXT + signed.payload, signed.signature):
            raise problem("safeguarding-signature")
        read = strict_json(signed.payload)
        every = tuple(
            Recipient(
                str(one["recipient"]), str(one["name"]), str(one["since"]), _text(one["ended"])
            )
            for one in read["recipients"]
        )
        found = Recipients(str(read["server"]), int(read["version"]), every)
    except (ValidationError, ValueError, KeyError, TypeError) as exc:
        raise problem("safeguarding-signature") from exc
    if not all(is_recipient(one.recipient) for one in found.every):
        raise problem("safeguarding-signature")
    return found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
