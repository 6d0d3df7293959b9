"""Evidence files of a device with a passphrase (S11): the same folder of files, all of it sealed.

A file is a header and chunks of 64 KiB, each sealed with AES-256-GCM under a key of the file's own.
The chunk's number and whether it is the last are authenticated (as in STREAM, Hoang, Reyhanitabar,
Rogaway and Vizár 2015): chunks cannot be dropped, moved or exchanged, and reading can begin at any.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fieldkit import vault
from fieldkit.blobs import Blobs, open_source, read_some
from sync.problems import problem

MAGIC = b"TAPAKF1\n"
CHUNK = 64 * 1024
TAG = 16
_SALT = 16
_HEADER = len(MAGIC) + _SALT + 32 + TAG
_HEAD_NUMBER = 2**64 - 1  # no file has that many chunks


class SealedBlobs(Blobs):
    """A folder of sealed files; their names are keyed: a known photo cannot be looked up."""

    def __init__(self, folder: Path, data_key: bytes) -> None:
        super().__init__(folder)
        self._names = vault.derive(data_key, "file names")
        self._files = vault.derive(data_key, "files")
        self._lent: dict[Path, int] = {}

    def path(self, sha256: str) -> Path:
        name = vault.keyed_name(self._names, sha256)
        return self.folder / name[:2] / name

    def size(self, sha256: str) -> int | None:
        stored = super().size(sha256)
        if stored is None or stored <= _HEADER:
            return stored and 0
        body = stored - _HEADER
        return body - TAG * -(-body // (CHUNK + TAG))

    def chunks(self, sha256: str, start: int = 0) -> Iterator[bytes]:
        path, size = self.path(sha256), self.size(sha256) or 0
        with open_source(path) as file:
            cipher = self._cipher_of(file, path, sha256)
            count = -(-size // CHUNK)
            first = start // CHUNK
            file.seek(_HEADER + first * (CHUNK + TAG))
            for number in range(first, count):
                sealed = read_some(file, path, CHUNK + TAG)
                plain = _open(cipher, number, number == count - 1, sealed, path)
                skip = start - number * CHUNK if number == first else 0
                if skip < len(plain):
                    yield plain[skip:]

    def digests(self) -> Iterator[str]:
        for path in self.folder.glob("??/*"):
            if len(path.name) == 64:
                with open_source(path) as file:
                    yield self._head_of(file, path)[1]

    def lend(self, sha256: str, source: Path) -> Path:
        """A file in memory for another program to read; where there are none, its source."""
        if not hasattr(os, "memfd_create"):
            return source
        descriptor = os.memfd_create("picture")
        with open(descriptor, "wb", closefd=False) as memory:
            for chunk in self.chunks(sha256):
                memory.write(chunk)
        path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        self._lent[path] = descriptor
        return path

    def give_back(self, path: Path) -> None:
        descriptor = self._lent.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def _writer(self, copy: IO[bytes]) -> _Sealing:
        salt = os.urandom(_SALT)
        return _Sealing(copy, salt, AESGCM(vault.derive(self._files + salt, "file")))

    def _cipher_of(self, file: IO[bytes], path: Path, sha256: str) -> AESGCM:
        cipher, named = self._head_of(file, path)
        if named != sha256:
            raise problem("file-unreadable", name=str(path), why="it is another file's")
        return cipher

    def _head_of(self, file: IO[bytes], path: Path) -> tuple[AESGCM, str]:
        head = read_some(file, path, _HEADER)
        salt, sealed = head[len(MAGIC) : len(MAGIC) + _SALT], head[len(MAGIC) + _SALT :]
        cipher = AESGCM(vault.derive(self._files + salt, "file"))
        return cipher, _open(cipher, _HEAD_NUMBER, True, sealed, path).hex()


class _Sealing:
    """Writes the bytes of one file sealed, a chunk behind, since the last one is marked."""

    def __init__(self, out: IO[bytes], salt: bytes, cipher: AESGCM) -> None:
        self._out, self._salt, self._cipher = out, salt, cipher
        self._held, self._number = b"", 0
        out.write(bytes(_HEADER))

    def write(self, data: bytes) -> None:
        self._held += data
        whole = (len(self._held) - 1) // CHUNK
        for n in range(whole):
            self._put(self._held[n * CHUNK : (n + 1) * CHUNK], last=False)
        self._held = self._held[whole * CHUNK :]

    def finish(self, digest: bytes) -> None:
        self._put(self._held, last=True)
        named = self._cipher.encrypt(*_place(_HEAD_NUMBER, True, digest))
        self._out.seek(0)
        self._out.write(MAGIC + self._salt + named)

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(*_place(self._number, last, chunk)))
        self._number += 1


def _place(number: int, last: bool, data: bytes) -> tuple[bytes, bytes, bytes]:
    """Nonce, data and what is authenticated along. A file's key is used for that file only."""
    return number.to_bytes(vault.NONCE_BYTES, "big"), data, b"last" if last else b"more"


def _open(cipher: AESGCM, number: int, last: bool, sealed: bytes, path: Path) -> bytes:
    nonce, _, along = _place(number, last, b"")
    with suppress(InvalidTag, ValueError):
        return cipher.decrypt(nonce, sealed, along)
    raise problem("file-unreadable", name=str(path), why="it was changed or is damaged")
