"""A forgotten passphrase (S11): how a device asks the office for its data key, and is answered.

Two small JSON texts that may travel by any way. The request holds what only the server opens: the
device and its data key. The answer is sealed to a key that the device made for this request.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

REQUEST, ANSWER = "tapak draft key request v1", "tapak draft key answer v1"
MAX_BYTES = 16 * 1024  # a longer text is neither of them
KEY_BYTES = 32
_CODE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """`wrapped` opens with the server's sealing key; the answer is sealed to `recipient` (age)."""

    wrapped: bytes
    recipient: str

    @property
    def code(self) -> str:
        """What both sides compare by another way than the request's: 60 bits of its SHA-256."""
        return code_of(write_key_request(self))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a device is: the person's id and name."""

    person: str
    name: str


def write_key_request(request: KeyRequest) -> bytes:
    """A request as one line of JSON, short enough for a QR code."""
    return _line(format=REQUEST, wrapped=_text(request.wrapped), recipient=request.recipient)


def read_key_request(data: bytes) -> KeyRequest:
    """A request; raises ValueError where it is none."""
    said = _read(data, REQUEST)
    return KeyRequest(_raw(said["wrapped"]), str(said["recipient"]))


def write_key_answer(sealed: bytes) -> bytes:
    """An answer as one line of JSON; `sealed` opens with the request's own key."""
    return _line(format=ANSWER, sealed=_text(sealed))


def read_key_answer(data: bytes) -> bytes:
    """What an answer holds, sealed; raises ValueError where it is none."""
    return _raw(_read(data, ANSWER)["sealed"])


def write_wrapped(device: str, data_key: bytes, owner: Owner | None = None) -> bytes:
    """What lies inside both seals: of which device the key is, and the key; in a request also whose
    the device is, for an office that does not know it any more.

    Nobody but who has the data key can have written it, so that it needs no signature.
    """
    said = {} if owner is None else {"person": owner.person, "name": owner.name}
    return _line(device=device, key=_text(data_key), **said)


def read_wrapped(data: bytes) -> tuple[str, bytes]:
    """The device and its data key; raises ValueError where it is neither."""
    said = _read(data, None)
    key = _raw(said["key"])
    if len(key) != KEY_BYTES:
        raise ValueError("the key has another length")
    return str(said["device"]), key


def read_owner(data: bytes) -> Owner | None:
    """Whose a device is, by what it sealed itself; None where it did not say so."""
    said = _read(data, None)
    return Owner(said["person"], said["name"]) if {"person", "name"} <= said.keys() else None


def code_of(data: bytes) -> str:
    """Twelve letters and digits in groups of four, to be read out."""
    number = int.from_bytes(hashlib.sha256(data).digest())
    letters = []
    for _ in range(12):
        number, one = divmod(number, len(_CODE))
        letters.append(_CODE[one])
    text = "".join(letters)
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def same_code(one: str, other: str) -> bool:
    """Whether two codes are the same, however they were typed."""
    return _plain(one) == _plain(other)


def _plain(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())


def _line(**members: str) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def _read(data: bytes, wanted: str | None) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ValueError("it is too long")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise ValueError("it is not JSON") from exc
    if not isinstance(said, dict) or said.get("format") != wanted:
        raise ValueError("it is another kind of file")
    if not all(isinstance(value, str) for value in said.values()):
        raise ValueError("it is not whole")
    return _Whole(said)


class _Whole(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise ValueError(f"it has no {name}")


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
