"""Freeing room: copies that the server holds safely go, once that is certain enough (S4).

A copy goes only when a receipt lists the file and seven days have passed by the server's own clock,
as last heard: within them a server that was put back from a backup asks for the file again.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldkit.blobs import Blobs
from fieldkit.carried import answered_at
from fieldkit.disk import settle_folder
from fieldkit.ledger import FileState, Ledger

HOLD_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Freed:
    """Copies that went and their bytes; `kept` are here still, not held or not for seven days."""

    files: int
    size: int
    kept: int


def may_go(file: FileState, answered: int) -> bool:
    """Whether the device's copy may go, the server having last answered then (UTC ms)."""
    return file.held_at is not None and answered - file.held_at >= HOLD_MS


def free(ledger: Ledger, blobs: Blobs, log: str | None = None) -> Freed:
    """Remove the copies that may go, of one inspection or of all. Raises OSError."""
    answered = answered_at(ledger.database)
    files = size = kept = 0
    for file in ledger.files(log):
        path = blobs.path(file.sha256)
        if not path.is_file():
            continue
        if not may_go(file, answered):
            kept += 1
            continue
        path.unlink()
        settle_folder(path.parent)
        files, size = files + 1, size + file.size
    return Freed(files, size, kept)
