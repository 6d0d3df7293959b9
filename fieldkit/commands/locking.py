"""passphrase, lock, unlock: what a device shows to whoever holds it (S11)."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, alone, unopened
from fieldkit.commands.passphrases import read_passphrase
from fieldkit.disk import named, write_file
from fieldkit.forgotten import ask_office, opened_by_answer, set_forgotten
from fieldkit.passphrase import change_passphrase, remove_passphrase, set_passphrase
from fieldkit.passphrase import unlock as open_home
from fieldkit.session import IDLE_MINUTES, session_of
from fieldkit.vault import SHORTEST, has_vault, read_office
from sync.draft_key import MAX_BYTES, write_key_request
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
            ("if it is forgotten", _way_back(at)),
            ("next", "fieldkit unlock"),
        ],
        {"passphrase": True, "office_copy": read_office(at.home.folder) is not None},
    )


def _way_back(at: Desk) -> str:
    if read_office(at.home.folder) is None:
        return "nobody can open this device before its next sync; from then on your office can help"
    return "your office can help: fieldkit passphrase forgotten"


@passphrase.command("change")
@alone
def change(at: Desk) -> None:
    """Choose another passphrase; what is sealed stays as it is."""
    opened = open_home(_sealed(at), read_passphrase("Passphrase"))
    chosen = read_passphrase("New passphrase", twice=True, new=True)
    change_passphrase(opened, chosen)
    _forget(at)
    at.say([("passphrase", "changed; this device is locked")], {"passphrase": True})


@passphrase.command("forgotten")
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--answer", metavar="FILE", help="What the office answered; - reads it as typed in.")
@alone
def forgotten(at: Desk, path: Path | None, answer: str | None) -> None:
    """Ask the office to open this device: a request in the file PATH, or as text and QR code.

    Nothing in it can be read on the way. With the office's --answer, choose a new passphrase.
    """
    folder = _sealed(at)
    if answer is not None:
        _take_answer(at, folder, answer)
        return
    request = ask_office(folder)
    text = write_key_request(request)
    if path is not None:
        with named("the request", path.parent):
            write_file(path, text + b"\n")
    elif not at.json:
        _show(text)
    at.say(
        [
            ("request", str(path) if path is not None else "above; it tells nothing on the way"),
            ("code", request.code),
            ("next", "Send the request to your office, and read them the code on the telephone.\n"
             "Then: fieldkit passphrase forgotten --answer FILE"),
        ],
        {"request": text.decode("ascii"), "code": request.code, "path": path and str(path)},
    )  # fmt: skip


def _take_answer(at: Desk, folder: Path, source: str) -> None:
    data = _answer_bytes(source)
    opened_by_answer(folder, data)  # before anybody thinks of a passphrase
    chosen = read_passphrase(
        f"New passphrase ({SHORTEST} characters or more)", twice=True, new=True
    )
    set_forgotten(folder, data, chosen)
    _forget(at)
    told = "set; nothing was lost, and this device is locked"
    at.say([("passphrase", told), ("next", "fieldkit unlock")], {"passphrase": True})


def _answer_bytes(source: str) -> bytes:
    try:
        with click.open_file(source, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
            return data
    except OSError as exc:
        why = exc.strerror or "unknown"
        raise problem("file-unreadable", name=source, why=why) from exc


def _show(text: bytes) -> None:
    import segno

    code = segno.make(text, error="l", micro=False)
    wide = code.symbol_size()[0]
    if wide <= shutil.get_terminal_size().columns:
        code.terminal(compact=True)
    else:
        show.warn(f"For a QR code make this window at least {wide} columns wide.")
    click.echo(text.decode("ascii"))


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
