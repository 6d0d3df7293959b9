"""Opening what was sealed with age, in pieces: for the identities one has, or with a passphrase.

Opening draws no randomness; sealing does, and lives one floor up, on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyrage
from pyrage.x25519 import Identity

from sync import age_passphrase
from sync.age_io import Taker
from sync.problems import problem


class Source(Protocol):
    """Where a sealed file is read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Reader:
    """A source that was looked into, and what went wrong while it was read."""

    source: Source
    start: bytes
    failed: BaseException | None = None

    def read(self, size: int = 64 * 1024) -> bytes:
        if self.start:
            piece, self.start = self.start[:size], self.start[size:]
            return piece
        try:
            return self.source.read(size)
        except BaseException as exc:
            self.failed = exc  # pyrage would name another
            raise


def unseal(
    source: Source,
    take: Callable[[bytes], Any],
    *,
    identities: Sequence[Identity] = (),
    passphrase: str | None = None,
    name: str = "The file",
    hint: str = "",
) -> None:
    """Open a sealed file and hand its bytes to `take` as they come, in pieces.

    What is handed on is authentic; that it is all of it is known at the end. `hint` is a sentence
    for whoever has another key. Raises `bundle-not-sealed`, `bundle-for-another`,
    `bundle-altered`, `bundle-passphrase-needed`, `bundle-passphrase-wrong`, and what `source` and
    `take` raise.
    """
    reader = _Reader(source, b"")
    start = b""
    while len(start) < len(age_passphrase.SCRYPT) and (piece := reader.read(64)):
        start += piece
    reader.start = start
    if not start.startswith(age_passphrase.INTRO):
        raise problem("bundle-not-sealed", name=name)
    if start.startswith(age_passphrase.SCRYPT):
        if passphrase is None:
            raise problem("bundle-passphrase-needed")
        for plain in age_passphrase.unseal(passphrase, reader.read):
            take(plain)
        return
    if not identities:
        raise problem("bundle-for-another", hint=hint)
    _unseal_to_key(reader, Taker(take), identities, hint)


def _unseal_to_key(
    reader: _Reader, writer: Taker, identities: Sequence[Identity], hint: str
) -> None:
    try:
        pyrage.decrypt_io(reader, writer, list(identities))
    except (pyrage.DecryptError, OSError) as exc:
        for failed in (reader.failed, writer.failed):
            if failed is not None:
                raise failed from exc
        if isinstance(exc, pyrage.DecryptError) and "No matching keys" in str(exc):
            raise problem("bundle-for-another", hint=hint) from exc
        raise problem("bundle-altered") from exc
