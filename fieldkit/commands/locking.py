"""passphrase, lock, unlock: what a device shows to whoever holds it (S11)."""

from __future__ import annotations

from pathlib import Path

import click

from fieldkit.commands.desk import Desk, alone, unopened
from fieldkit.commands.passphrases import read_passphrase
from fieldkit.passphrase import change_passphrase, remove_passphrase, set_passphrase
from fieldkit.passphrase import unlock as open_home
from fieldkit.session import IDLE_MINUTES, session_of
from fieldkit.vault import SHORTEST, has_vault
from sync.problems import problem


@click.group()
def passphrase() -> None:
    """Set, change or remove the passphrase that seals everything on this device."""


@passphrase.command("set")
@alone
def set_(at: Desk) -> None:
    """Seal everything on this device: entries, photos, assignments, documents, its key."""
    if has_vault(at.home.folder):
        raise problem("passphrase-set")
    chosen = read_passphrase(f"New passphrase ({SHORTEST} characters or more)", twice=True)
    set_passphrase(at.home, chosen)
    _forget(at)
    at.say(
        [
            ("passphrase", "set; everything on this device is sealed"),
            ("the plain files", "overwritten and removed, as far as the disk lets go of them"),
            ("next", "fieldkit unlock"),
        ],
        {"passphrase": True},
    )


@passphrase.command("change")
@alone
def change(at: Desk) -> None:
    """Choose another passphrase; what is sealed stays as it is."""
    opened = open_home(_sealed(at), read_passphrase("Passphrase"))
    chosen = read_passphrase("New passphrase", twice=True, new=True)
    change_passphrase(opened, chosen)
    _forget(at)
    at.say([("passphrase", "changed; this device is locked")], {"passphrase": True})


@passphrase.command("remove")
@alone
def remove(at: Desk) -> None:
    """Put everything on this device back in plain."""
    opened = open_home(_sealed(at), read_passphrase("Passphrase"))
    remove_passphrase(opened)
    _forget(at)
    told = "removed; whoever holds this device can read what is on it"
    at.say([("passphrase", told)], {"passphrase": False})


@click.command()
@unopened
def lock(at: Desk) -> None:
    """Forget the key that is held in memory."""
    _sealed(at)
    _forget(at)
    at.say([("device", "locked")], {"locked": True})


@click.command()
@click.option(
    "--minutes",
    type=click.IntRange(1, 24 * 60),
    default=IDLE_MINUTES,
    show_default=True,
    help="How long it stays unlocked when no command is given.",
)
@unopened
def unlock(at: Desk, minutes: int) -> None:
    """Hold the key in memory, so that commands do not ask: until lock, or the computer is off."""
    folder = _sealed(at)
    session = session_of(folder)
    if session is None:
        raise problem("no-session")
    opened = open_home(folder, read_passphrase("Passphrase"))
    assert opened.data_key is not None  # noqa: S101 - it was just opened
    session.hold(opened.data_key, minutes)
    told = f"unlocked; locks itself after {minutes} minutes without a command"
    at.say([("device", told)], {"locked": False, "minutes": minutes})


def _sealed(at: Desk) -> Path:
    if not has_vault(at.home.folder):
        raise problem("passphrase-none")
    return at.home.folder


def _forget(at: Desk) -> None:
    session = session_of(at.home.folder)
    if session is not None:
        session.forget()
