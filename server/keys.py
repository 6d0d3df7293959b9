"""The server's two keys, each one file for its owner alone: made once, on the first start.

The receipt key (Ed25519) signs; the sealing key (age, X25519) opens what was sealed to the server.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage import IdentityError
from pyrage.x25519 import Identity

RECEIPT_FILE = "receipt.ed25519"
SEALING_FILE = "sealing.age"
NEXT = ".next"  # a new key waits beside the old one until the statement that names it is stored


def receipt_key(folder: Path) -> Ed25519PrivateKey:
    """The receipt key in this folder, made where there is none; raises OSError, ValueError."""
    path = folder / RECEIPT_FILE
    if not path.exists():
        _make(path, Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def sealing_key(folder: Path) -> Identity:
    """The sealing key in this folder, made where there is none; raises OSError, ValueError."""
    path = folder / SEALING_FILE
    if not path.exists():
        _make(path, sealing_bytes(Identity.generate()))
    return read_sealing_key(path)


def read_sealing_key(path: Path) -> Identity:
    """The sealing key in a file; raises OSError, ValueError."""
    try:
        return Identity.from_str(path.read_text("ascii").strip())
    except IdentityError as exc:
        raise ValueError("it holds no age identity") from exc


def sealing_bytes(key: Identity) -> bytes:
    """A sealing key as its file holds it; the age command can read it, too."""
    return f"{key}\n".encode("ascii")


def put_next(folder: Path, receipt: Ed25519PrivateKey | None, sealing: Identity | None) -> None:
    """Lay new keys beside those in use, durably; raises OSError."""
    for name, data in (
        (RECEIPT_FILE, None if receipt is None else receipt.private_bytes_raw()),
        (SEALING_FILE, None if sealing is None else sealing_bytes(sealing)),
    ):
        beside = folder / (name + NEXT)
        beside.unlink(missing_ok=True)
        if data is not None:
            _make(beside, data)


def take_next(folder: Path, receipt: bytes, recipient: str) -> None:
    """Put keys that wait into use where the statements name them already; raises OSError.

    A rotation that was ended between its statement and this goes on here.
    """
    waits = folder / (RECEIPT_FILE + NEXT)
    if waits.exists():
        key = Ed25519PrivateKey.from_private_bytes(waits.read_bytes())
        if key.public_key().public_bytes_raw() == receipt:
            _replace(waits, folder / RECEIPT_FILE)
    waits = folder / (SEALING_FILE + NEXT)
    if waits.exists() and str(read_sealing_key(waits).to_public()) == recipient:
        _replace(waits, folder / SEALING_FILE)


def _replace(waits: Path, used: Path) -> None:
    with suppress(FileNotFoundError):  # another process that starts now was first
        waits.replace(used)


def _make(path: Path, data: bytes) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    # Of several processes that start at once, the first to link makes the key; all read that one.
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        beside.replace(path)
    beside.unlink(missing_ok=True)
