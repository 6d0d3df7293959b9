"""free, seal, wipe: what goes from this device, each only as far as it is said."""

from __future__ import annotations

from pathlib import Path

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
@click.option(
    "--bundle",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Do it at once: write it into a bundle for the office first, in a folder or as a file.",
)
@click.option("--undo", metavar="INSPECTION", help="Have it back from the server, to correct it.")
@inspection_option
@desk
def seal(at: Desk, inspection: str | None, bundle: Path | None, undo: str | None) -> None:
    """Take a signed inspection off this device, once the server has held all of it for seven days.

    What stays is that there was one, and the server's receipts. With --bundle it goes as soon as
    the bundle was written and read back: whoever carries the bundle carries the only copy.
    """
    from fieldkit.sealed_visits import seal_visit

    if undo is not None:
        _undo(at, undo)
        return
    which = at.inspection(inspection)
    if bundle is not None:
        _into_bundle(at, which, bundle)
        return
    done = seal_visit(at.store, at.blobs, at.store.identity(), which, now())
    held = f"{show.number(done.seq, 'entry', 'entries')}, {show.number(done.files, 'file')}"
    at.say(
        [("inspection", which), ("sealed", "yes; it is not on this device any more"),
         ("held safely", held)],
        {"inspection": which, "sealed": True, "entries": done.seq, "files": done.files},
    )  # fmt: skip


def _undo(at: Desk, given: str) -> None:
    from fieldkit.reissued import undo_seal
    from fieldkit.sealed_visits import sealed_visit
    from fieldkit.transport import HttpTransport

    sealed, identity = sealed_visit(at.store, given), at.store.identity()
    with HttpTransport(identity.server, identity.token) as transport:
        came = undo_seal(at.store, identity, sealed, transport)
    at.say(
        [
            ("inspection", f"{sealed.log}  {sealed.facility}"),
            ("back", f"{show.number(came, 'entry', 'entries')}, as they were signed"),
            ("files", "stay at the server; the next sync says which it holds"),
            ("next", "Correct it, sign it again, and run: fieldkit sync"),
        ],
        {"inspection": sealed.log, "sealed": False, "entries": came},
    )


def _into_bundle(at: Desk, inspection: str, path: Path) -> None:
    from fieldkit.commands.bundling import maker_of, progress
    from fieldkit.sealed_bundles import seal_into_bundle

    with progress(at, "writing") as tell:
        sealed, written = seal_into_bundle(maker_of(at), path, inspection, tell)
    held = f"{show.number(sealed.seq, 'entry', 'entries')}, {show.number(sealed.files, 'file')}"
    at.say(
        [
            ("inspection", inspection),
            ("sealed", "yes; it is not on this device any more"),
            ("bundle", "\n".join(str(one.path) for one in written)),
            ("holds", f"{held}; read back from its disk"),
            ("next", "Bring it to your office. It is the only copy until the server signed\n"
             "for it; fieldkit status says when."),
        ],
        {
            "inspection": inspection,
            "sealed": True,
            "entries": sealed.seq,
            "files": sealed.files,
            "bundles": [{"path": str(o.path), "bytes": o.size} for o in written],
        },
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
