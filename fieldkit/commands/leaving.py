"""free, seal, wipe: what goes from this device, each only as far as it is said."""

from __future__ import annotations

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, alone, desk, inspection_option, now
from fieldkit.wiping import LOCKED, Loss, loss_of
from fieldkit.wiping import wipe as wipe_folder
from sync.problems import Problem, problem


@click.command()
@desk
def free(at: Desk) -> None:
    """Remove copies of files that the server has held safely for seven days (S4)."""
    from fieldkit.freeing import free as free_copies
    from fieldkit.ledger import Ledger

    done = free_copies(Ledger(at.store.database), at.blobs)
    kept = "none" if not done.kept else show.number(done.kept, "file")
    at.say(
        [
            ("freed", f"{show.number(done.files, 'file')}, {show.size(done.size)}"),
            ("still here", f"{kept}; not held safely, or not for seven days yet"),
        ],
        {"freed": {"files": done.files, "bytes": done.size}, "kept": done.kept},
    )


@click.command()
@inspection_option
@desk
def seal(at: Desk, inspection: str | None) -> None:
    """Take a signed inspection off this device, once the server has held all of it for seven days.

    What stays is that there was one, and the server's receipts.
    """
    from fieldkit.sealed_visits import seal_visit

    which = at.inspection(inspection)
    done = seal_visit(at.store, at.blobs, at.store.identity(), which, now())
    held = f"{show.number(done.seq, 'entry', 'entries')}, {show.number(done.files, 'file')}"
    at.say(
        [("inspection", which), ("sealed", "yes; it is not on this device any more"),
         ("held safely", held)],
        {"inspection": which, "sealed": True, "entries": done.seq, "files": done.files},
    )  # fmt: skip


@click.command()
@click.option("--type", "typed", metavar="WORDS", help="The words that are asked for, in a script.")
@alone
def wipe(at: Desk, typed: str | None) -> None:
    """Remove everything from this device. It says what is lost by that, and wants it typed."""
    loss = _loss(at)
    words = loss.words if loss is not None else LOCKED
    if not at.json:
        show.facts(_told(at, loss))
    if typed is None:
        typed = click.prompt(f"Type: {words}\n", err=True, default="", show_default=False)
    if typed.strip() != words:
        raise problem("wipe-not-typed", words=words)
    sealed = wipe_folder(at.home.folder)
    recoverable = "the keys of all copies of this folder's data were destroyed first"
    if not sealed:
        recoverable = "there was no passphrase: deleted files may be recoverable from the disk"
    at.say([("wiped", str(at.home.folder)), ("recoverable", recoverable)], {"wiped": True})


def _loss(at: Desk) -> Loss | None:
    """What is lost, or None on a device that stays locked."""
    from fieldkit.commands.passphrases import open_home

    try:
        return loss_of(open_home(at.home.folder))
    except Problem as exc:
        if exc.code not in ("device-locked", "passphrase-wrong", "vault-damaged"):
            raise
        return None


def _told(at: Desk, loss: Loss | None) -> list[show.Fact]:
    if loss is None:
        return [("lost", "unknown, since this device is locked: all that was not sent")]
    files = f"{show.number(loss.files, 'file')} ({show.size(loss.size)})"
    entries = show.number(loss.entries, "entry", "entries")
    protected = show.number(loss.protected, "protected entry", "protected entries")
    return [
        ("lost for good", f"{entries} that the server has not signed for"),
        ("", f"{files} that it does not hold safely"),
        ("", f"{protected} that wait for a sign-off"),
        ("stays", "what the server holds; this device has to be enrolled anew"),
    ]
