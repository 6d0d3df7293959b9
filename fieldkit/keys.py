"""The device's Ed25519 key: one file that only its owner may read (L1)."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit.disk import named, write_file
from fieldkit.vault import seal, unseal
from sync.problems import problem


def load_key(path: Path, under: bytes | None = None) -> Ed25519PrivateKey:
    """The key in the file, sealed `under` another on a device with a passphrase; raises
    `key-unusable` when it is missing or is not such a key.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise problem("key-unusable", path=str(path), why=exc.strerror or "unknown") from exc
    try:
        data = data if under is None else unseal(under, data)
    except (ValueError, InvalidTag) as exc:
        raise problem("key-unusable", path=str(path), why="it was changed") from exc
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as exc:
        raise problem("key-unusable", path=str(path), why="it holds no key") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise problem("key-unusable", path=str(path), why="it is not an Ed25519 key")
    return key


def load_or_make_key(path: Path, under: bytes | None = None) -> Ed25519PrivateKey:
    """The key in the file, made first where there is none; raises what writing a file raises."""
    if path.exists():
        return load_key(path, under)
    key = Ed25519PrivateKey.generate()
    save_key(path, key, under)
    return key


def save_key(path: Path, key: Ed25519PrivateKey, under: bytes | None = None) -> None:
    """Write the key's file, whole or not at all; raises what writing a file raises."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with named("the key", path.parent):
        write_file(path, pem if under is None else seal(under, pem), mode=0o600)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The raw 32 bytes of the public key."""
    return key.public_key().public_bytes_raw()


def is_private(path: Path) -> bool:
    """Whether only the owner can read the key file (always so where files have no such modes)."""
    return os.name != "posix" or path.stat().st_mode & 0o077 == 0
