"""A forgotten passphrase (S11): a request to the office, and its answer, on the locked device.

The device asks with a key of its own for this one request, kept beside the vault until the answer
came. Nothing that is sealed changes before a new passphrase is set.
"""

from __future__ import annotations

from pathlib import Path

import pyrage
from pyrage.x25519 import Identity as AgeIdentity

from fieldkit.disk import named, write_file
from fieldkit.home import Home
from fieldkit.passphrase import change_passphrase
from fieldkit.vault import ASKED, USUAL, Cost, read_office
from sync.draft_key import KeyRequest, read_key_answer, read_wrapped
from sync.problems import Problem, problem


def ask_office(folder: Path) -> KeyRequest:
    """A request for the data key of a locked device; asked again, it has the same key.

    Raises `passphrase-no-way-back`, `vault-damaged`, `disk-full` and `folder-read-only`.
    """
    kept = read_office(folder)
    if kept is None:
        raise problem("passphrase-no-way-back")
    own = _asked(folder)
    if own is None:
        own = AgeIdentity.generate()
        with named("the request", folder):
            write_file(folder / ASKED, f"{own}\n".encode(), mode=0o600)
    return KeyRequest(kept.wrapped, str(own.to_public()))


def opened_by_answer(folder: Path, answer: bytes) -> Home:
    """The device's home, opened with what the office answered; nothing is changed yet.

    Raises `draft-answer-unfit`, and what opening the store raises.
    """
    own = _asked(folder)
    if own is None:
        raise problem("draft-answer-unfit", why="no request of this device waits for one")
    try:
        sealed = read_key_answer(answer)
    except ValueError as exc:
        raise problem("draft-answer-unfit", why=str(exc)) from exc
    try:
        home = Home(folder, read_wrapped(pyrage.decrypt(sealed, [own]))[1])
    except (pyrage.DecryptError, ValueError) as exc:
        raise problem("draft-answer-unfit", why="it was made for another request") from exc
    try:
        home.open_store().database.close()
    except Problem as exc:
        if exc.code != "store-damaged":
            raise
        raise problem("draft-answer-unfit", why="its key does not open this device") from exc
    return home


def set_forgotten(folder: Path, answer: bytes, passphrase: str, cost: Cost = USUAL) -> Home:
    """Wrap the key that the office answered by a new passphrase; the request is over then.

    Raises what `opened_by_answer` and `change_passphrase` raise.
    """
    home = opened_by_answer(folder, answer)
    change_passphrase(home, passphrase, cost)
    return home


def _asked(folder: Path) -> AgeIdentity | None:
    try:
        return AgeIdentity.from_str((folder / ASKED).read_text("ascii").strip())
    except (OSError, ValueError, pyrage.IdentityError):
        return None
