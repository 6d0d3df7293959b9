"""The server's two keys, each one file for its owner alone: made once, on the first start.

The receipt key (Ed25519) signs; the sealing key (age, X25519) opens what was sealed to the server.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage import IdentityError
from pyrage.x25519 import Identity

RECEIPT_FILE = "receipt.ed25519"
SEALING_FILE = "sealing.age"


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
