"""The keys of a device with a passphrase (S11): one random data key, wrapped by what is remembered.

It is wrapped for the office too, where the office's key is known. The file `vault.json` beside the
store is what makes a device one with a passphrase: it appears and goes in one step. Argon2id:
RFC 9106; AES-256-GCM: NIST SP 800-38D; HKDF: RFC 5869.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fieldkit.disk import write_file
from sync.problems import problem

FORMAT = "tapak vault v1"
NAME = "vault.json"
ASKED = "vault.asked"  # the key of a request to the office that was not answered yet
KEY_BYTES = 32
NONCE_BYTES = 12
SHORTEST = 10  # characters of a passphrase
_MOST_KIB = 4 * 1024**2  # a file that asks for more was not written by this program


@dataclass(frozen=True, slots=True)
class Cost:
    """What trying one passphrase costs: passes, memory in KiB, lanes. About 0.7 s on a laptop."""

    iterations: int = 3
    memory_kib: int = 128 * 1024
    lanes: int = 4


USUAL = Cost()


@dataclass(frozen=True, slots=True)
class Office:
    """The data key sealed for the office, and for whom that is: an HMAC under the data key."""

    meant: bytes
    wrapped: bytes


def new_data_key() -> bytes:
    """A fresh data key."""
    return os.urandom(KEY_BYTES)


def derive(data_key: bytes, purpose: str) -> bytes:
    """The key for one purpose, 32 bytes; none of them leads back to the data key or to another."""
    return HKDF(SHA256(), KEY_BYTES, None, f"tapak {purpose} v1".encode()).derive(data_key)


def has_vault(folder: Path) -> bool:
    """Whether the device in this folder has a passphrase."""
    return (folder / NAME).exists()


def write_vault(
    folder: Path,
    data_key: bytes,
    passphrase: str,
    cost: Cost = USUAL,
    office: Office | None = None,
) -> None:
    """Wrap the data key by a passphrase and put the file in place in one step, with the office's
    copy where there is one. Raises OSError and `passphrase-short`.
    """
    if len(passphrase) < SHORTEST:
        raise problem("passphrase-short", shortest=SHORTEST)
    salt, nonce = os.urandom(16), os.urandom(NONCE_BYTES)
    head = {
        "format": FORMAT,
        "kdf": "argon2id",
        "iterations": cost.iterations,
        "memory_kib": cost.memory_kib,
        "lanes": cost.lanes,
        "salt": _text(salt),
    }
    wrapped = AESGCM(_stretch(passphrase, salt, cost)).encrypt(nonce, data_key, _bytes_of(head))
    _write(folder, {**head, "nonce": _text(nonce), "wrapped": _text(wrapped)}, office)


def open_vault(folder: Path, passphrase: str) -> bytes:
    """The data key; raises `passphrase-wrong` and `vault-damaged`. A wrong one destroys nothing."""
    path = folder / NAME
    try:
        whole: dict[str, Any] = json.loads(path.read_bytes())
        head = {k: v for k, v in whole.items() if k not in ("nonce", "wrapped", "office")}
        cost = Cost(int(whole["iterations"]), int(whole["memory_kib"]), int(whole["lanes"]))
        salt, nonce, wrapped = (
            base64.b64decode(whole[name], validate=True) for name in ("salt", "nonce", "wrapped")
        )
        if whole["format"] != FORMAT or cost.memory_kib > _MOST_KIB or cost.iterations > 1000:
            raise ValueError("another format")
        key = _stretch(passphrase, salt, cost)
        return AESGCM(key).decrypt(nonce, wrapped, _bytes_of(head))
    except InvalidTag as exc:
        raise problem("passphrase-wrong") from exc
    except OSError as exc:
        raise problem("vault-damaged", path=str(path), why=exc.strerror or "unknown") from exc
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise problem("vault-damaged", path=str(path), why="it is not whole") from exc


def read_office(folder: Path) -> Office | None:
    """The office's copy of the data key, if there is one; raises `vault-damaged`."""
    said = _read(folder).get("office")
    if said is None:
        return None
    try:
        return Office(*(base64.b64decode(said[n], validate=True) for n in ("for", "wrapped")))
    except (ValueError, TypeError, KeyError):
        return None


def put_office(folder: Path, office: Office) -> None:
    """Put another copy for the office in place, in one step; raises OSError and `vault-damaged`."""
    _write(folder, _read(folder), office)


def seal(key: bytes, data: bytes) -> bytes:
    """A small piece of data sealed under a key of its own: nonce, then ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, None)


def unseal(key: bytes, data: bytes) -> bytes:
    """What `seal` sealed; raises InvalidTag, and ValueError where there is too little of it."""
    return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)


def keyed_name(key: bytes, name: str) -> str:
    """A name that tells nothing of `name` to anyone without the key: HMAC-SHA256 in hex."""
    return hmac.digest(key, name.encode(), "sha256").hex()


def _read(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    try:
        whole = json.loads(path.read_bytes())
    except OSError as exc:
        raise problem("vault-damaged", path=str(path), why=exc.strerror or "unknown") from exc
    except (ValueError, RecursionError) as exc:
        raise problem("vault-damaged", path=str(path), why="it is not whole") from exc
    if not isinstance(whole, dict):
        raise problem("vault-damaged", path=str(path), why="it is not whole")
    return whole


def _write(folder: Path, whole: dict[str, Any], office: Office | None) -> None:
    if office is not None:
        whole = {**whole, "office": {"for": _text(office.meant), "wrapped": _text(office.wrapped)}}
    write_file(folder / NAME, json.dumps(whole, indent=1).encode() + b"\n", mode=0o600)


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    # The same letters typed on another keyboard are the same passphrase.
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(typed)


def _bytes_of(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
