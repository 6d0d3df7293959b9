"""What a sealed entry names (L8), as the server looks it up: its files, and where it lies."""

from __future__ import annotations

from server.store.files import NamedFile
from server.store.sealed import SealedRow
from sync.inspection import Sealed
from sync.sealed import MEDIA_TYPE, named_files


def files_of_sealed(sealed: Sealed, inspection: str, device: str, person: str) -> list[NamedFile]:
    """The files that a sealed entry names, for the device to deliver that carries it (S3)."""
    return [
        NamedFile(file.sha256, inspection, device, person, MEDIA_TYPE, kind)
        for kind, file in named_files(sealed)
    ]


def row_of(sealed: Sealed, inspection: str, device: str) -> SealedRow:
    """Where a sealed entry lies: in this device's log."""
    return SealedRow(
        sealed.id,
        inspection,
        device,
        sealed.payload.sha256,
        sealed.key.sha256,
        len(sealed.files),
        sealed.size,
        sealed.written.at,
    )
