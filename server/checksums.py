"""The checksum of one request of an upload (tus 1.0, extension checksum): its bytes are given out
only when all of them came and fit. Until then they lie apart from the upload, in memory or in a
file without a name, so that whatever ends the process, nothing of them is left or counted (S6).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from server.blobs.shelf import disk_problem
from sync.problems import problem

SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}  # bytes of each algorithm's digest
ALGORITHMS = ",".join(SIZES)
IN_MEMORY = 256 * 1024  # so much of a request waits in memory, more of it on the disk
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a client says its request's bytes come to."""

    algorithm: str
    digest: bytes


def read_checksum(header: str | None) -> Checksum | None:
    """An Upload-Checksum header; None where there is none.

    Raises `checksum-unknown` and `upload-malformed`.
    """
    if header is None:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in SIZES:
        raise problem("checksum-unknown", algorithm=algorithm[:40], known=", ".join(SIZES))
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise problem("upload-malformed", why="Upload-Checksum is not base64") from exc
    if len(digest) != SIZES[algorithm]:
        raise problem("upload-malformed", why=f"Upload-Checksum is no digest of {algorithm}")
    return Checksum(algorithm, digest)


@contextmanager
def verified(
    chunks: Iterable[bytes], checksum: Checksum | None, limit: int, folder: Path
) -> Iterator[Iterable[bytes]]:
    """The bytes of a request as they come; with a checksum, once all of them fit it.

    At most `limit` bytes are read; larger requests wait in `folder`. Raises `upload-checksum`,
    `upload-too-long`, `disk-full` and `folder-read-only`.
    """
    if checksum is None:
        yield chunks
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)) as kept:
        digest, size = hashlib.new(checksum.algorithm, usedforsecurity=False), 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise problem("upload-too-long", length=limit)
            digest.update(chunk)
            _write(kept, chunk, folder)
        if not hmac.compare_digest(digest.digest(), checksum.digest):
            raise problem("upload-checksum", algorithm=checksum.algorithm)
        kept.seek(0)
        yield iter(partial(kept.read, PIECE), b"")


def _write(kept: IO[bytes], chunk: bytes, folder: Path) -> None:
    try:
        kept.write(chunk)
    except OSError as exc:
        raise disk_problem(exc, folder) from exc
