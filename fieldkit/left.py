"""How much still waits to be held safely, by what it is (S4, S7)."""

from __future__ import annotations

from dataclasses import dataclass

from fieldkit import show
from fieldkit.ledger import Ledger
from fieldkit.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Part:
    """Things of one kind, and their bytes; entries are counted as they are written, not packed."""

    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Left:
    """What no receipt covers yet."""

    entries: Part
    previews: Part
    files: Part

    @property
    def nothing(self) -> bool:
        return not (self.entries.count or self.previews.count or self.files.count)

    def text(self) -> str:
        """Such as: 3 entries (812 B), 2 previews (61.0 kB), 2 files (7.9 MB)."""
        named = (
            (self.entries, "entry", "entries"),
            (self.previews, "preview", "previews"),
            (self.files, "file", "files"),
        )
        return ", ".join(
            f"{show.number(part.count, one, many)} ({show.size(part.size)})"
            for part, one, many in named
            if part.count
        )

    def to_json(self) -> dict[str, int]:
        """Counts, and bytes by the same names."""
        return {
            "entries": self.entries.count,
            "entry_bytes": self.entries.size,
            "previews": self.previews.count,
            "preview_bytes": self.previews.size,
            "files": self.files.count,
            "file_bytes": self.files.size,
            "bytes": self.previews.size + self.files.size,
        }


def what_is_left(outbox: Outbox, log: str | None = None) -> Left:
    """What of one inspection, or of everything here, is not held safely."""
    waiting = Ledger(outbox.store.database).waiting_files(log)
    previews = outbox.previews() if waiting else frozenset()
    small = [f.size for f in waiting if f.sha256 in previews]
    large = [f.size for f in waiting if f.sha256 not in previews]
    return Left(
        Part(*outbox.waiting(log)),
        Part(len(small), sum(small)),
        Part(len(large), sum(large)),
    )
