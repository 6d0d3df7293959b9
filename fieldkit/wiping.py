"""Wiping a device (S11): the keys first, so that what a disk still has of the rest stays sealed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fieldkit.disk import settle_folder
from fieldkit.home import PLAIN, SEALED, Home
from fieldkit.interviews import count_waiting
from fieldkit.ledger import Ledger
from fieldkit.passphrase import overwrite, sweep
from fieldkit.session import session_of
from fieldkit.vault import ASKED, NAME, has_vault
from sync.problems import Problem

LOCKED = "wipe without looking"


@dataclass(frozen=True, slots=True)
class Loss:
    """What exists on this device only: entries, files and their bytes, protected entries."""

    entries: int
    files: int
    size: int
    protected: int

    @property
    def words(self) -> str:
        """What whoever wipes it has to type."""
        if not (self.entries or self.files or self.protected):
            return "wipe everything"
        return f"lose {self.entries + self.protected} entries and {self.files} files"


def loss_of(home: Home) -> Loss:
    """What is lost by wiping this home; raises what opening its store raises."""
    store = home.open_store()
    try:
        ledger = Ledger(store.database)
        try:
            entries = ledger.waiting_lines(store.identity())
        except Problem as exc:
            if exc.code != "device-not-enrolled":
                raise
            entries = 0
        waiting = ledger.waiting_files()
        size = sum(f.size for f in waiting)
        return Loss(entries, len(waiting), size, count_waiting(store))
    finally:
        store.database.close()


def wipe(folder: Path) -> bool:
    """Destroy the wrapped data key and the key in memory, then everything else of a device.

    Killed in between, what is left is sealed under a key that is gone; wiping again ends it.
    Whether there was a passphrase. Other files in the folder are left.
    """
    sealed = has_vault(folder)
    overwrite(folder / NAME)
    overwrite(folder / ASKED)
    session = session_of(folder)
    if session is not None:
        session.forget()
    if folder.is_dir():
        settle_folder(folder)
    sweep(folder, PLAIN)
    sweep(folder, SEALED)
    if folder.is_dir():
        settle_folder(folder)
    return sealed
