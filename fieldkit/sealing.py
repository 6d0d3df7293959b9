"""Sealing to age keys (L8): plain bytes in memory or in a given file -> ciphertext on disk.

Each payload has a key of its own, which is dropped as soon as it was sealed to the safeguarding
keys: from then on this device cannot read what it wrote.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pyrage import EncryptError, encrypt, encrypt_io, x25519

from fieldkit.blobs import Blobs, Kept
from fieldkit.disk import WRITING, named, part_name, settle
from sync.inspection import SealedFile
from sync.log import MAX_FILE_BYTES
from sync.problems import problem
from sync.safeguarding import Recipient
from sync.sealed import bucket, frame, frame_head, padding, sealed_value

_WHOLE_OVERHEAD = 16 * 1024 * 1024  # room for padding and age's own bytes below the file limit


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """What was sealed: the entry's value, and the two ciphertexts that wait beside it."""

    value: Mapping[str, Any]
    payload: bytes
    key: bytes


def seal(
    document: Mapping[str, Any],
    files: Sequence[Path],
    recipients: Sequence[Recipient],
    blobs: Blobs,
) -> SealedEntry:
    """Seal a document and the files with it; the files' ciphertexts are kept in `blobs`.

    Raises what reading the files and writing raises; then nothing names what was written.
    """
    own = x25519.Identity.generate()
    to_own = own.to_public()
    kept = [_seal_file(path, to_own, blobs) for path in files]
    inside = {
        **document,
        "files": [
            {"sha256": one.sha256, "name": path.name, "media_type": _media_type(path)}
            for one, path in zip(kept, files, strict=True)
        ],
    }
    text = json.dumps(inside, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    payload = encrypt(frame({"what": "document"}, text), [to_own])
    to_all = [x25519.Recipient.from_str(one.recipient) for one in recipients]
    key = encrypt(str(own).encode("ascii"), to_all)
    value = sealed_value(
        _digest_of(payload),
        _digest_of(key),
        tuple(SealedFile(one.sha256, one.size) for one in kept),
        tuple(sorted(one.fingerprint for one in recipients)),
    )
    return SealedEntry(value, payload, key)


def keep_bytes(blobs: Blobs, data: bytes) -> Kept:
    """Keep ciphertext under its digest, as any other file; keeping it again changes nothing."""
    return _kept_through(blobs, lambda part: part.write(data))


def _seal_file(path: Path, to: Any, blobs: Blobs) -> Kept:
    """One file, encrypted on its way from where it is into the store: never copied as it is."""
    try:
        if path.exists() and not path.is_file():
            raise problem("file-unreadable", name=str(path), why="it is not a file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise problem("file-empty", name=path.name)
            if size > MAX_FILE_BYTES - _WHOLE_OVERHEAD or bucket(size) > MAX_FILE_BYTES:
                raise problem("file-too-large", size=size, limit=MAX_FILE_BYTES)
            header = {"what": "file", "name": path.name, "media_type": _media_type(path)}
            framed = _Framed(file, header, size)
            return _kept_through(blobs, lambda part: _encrypt(framed, part, to, blobs))
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(path)) from exc
    except OSError as exc:
        raise problem("file-unreadable", name=str(path), why=exc.strerror or "unknown") from exc


def _encrypt(framed: _Framed, part: IO[bytes], to: Any, blobs: Blobs) -> None:
    try:
        encrypt_io(framed, part, [to])
    except EncryptError as exc:
        if framed.short:
            why = "it changed or ended while it was read"
            raise problem("file-unreadable", name=str(framed.file.name), why=why) from exc
        if "os error 28" in str(exc) or "No space" in str(exc):
            raise problem("disk-full", what="what is sealed") from exc
        raise problem("folder-read-only", folder=str(blobs.folder), why=str(exc)) from exc


def _kept_through(blobs: Blobs, write: Any) -> Kept:
    """Ciphertext goes through a part file, which is swept if this process ends in between."""
    with named("what is sealed", blobs.folder):
        blobs.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = part_name(blobs.folder / "sealing")
        try:
            with os.fdopen(os.open(part, WRITING, 0o600), "wb") as out:
                write(out)
                out.flush()
                settle(out.fileno())
            return blobs.keep(part)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()


class _Framed:
    """A file as it is encrypted: what it is, its bytes, and zeros up to the padded size."""

    def __init__(self, file: IO[bytes], header: Mapping[str, Any], size: int) -> None:
        self.file = file
        self.head = frame_head(header, size)
        self.left = size
        self.zeros = padding(self.head, size)
        self.short = False

    def read(self, n: int = -1) -> bytes:
        most = n if n >= 0 else 1 << 20
        if self.head:
            out, self.head = self.head[:most], self.head[most:]
            return out
        if self.left:
            out = self.file.read(min(most, self.left))
            if not out:
                self.short = True
                raise ValueError("the file is shorter than it was")
            self.left -= len(out)
            return out
        out = bytes(min(most, self.zeros))
        self.zeros -= len(out)
        return out


def _digest_of(data: bytes) -> SealedFile:
    return SealedFile(hashlib.sha256(data).hexdigest(), len(data))


def _media_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
