"""`tapak admin`: safeguarding keys, and consent that was withdrawn (L8)."""

from __future__ import annotations

from pathlib import Path

import click

from server.terminal import Terminal, command, when
from sync.safeguarding import fingerprint

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.group("safeguarding-key", invoke_without_command=True)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the private key is written to, and nowhere else: a stick, not this server.",
)
@click.option("--name", help="Who will hold the key.")
@click.option("--recipient", metavar="AGE1…", help="Publish a key that was made elsewhere instead.")
@command
def safeguarding_key(
    terminal: Terminal, out: Path | None, name: str | None, recipient: str | None
) -> None:
    """Make a safeguarding key, or publish one made with age-keygen; devices seal to it."""
    from server.services import safeguarding
    from server.services.audit import CONSOLE

    if click.get_current_context().invoked_subcommand is not None:
        return
    if (out is None) == (recipient is None) or not name:
        raise click.UsageError("Give --name, and either --out FILE or --recipient AGE1…")
    with terminal.context() as ctx:
        if out is not None:
            done = safeguarding.make_key(ctx, CONSOLE, name, out)
        else:
            done = safeguarding.publish_key(ctx, CONSOLE, name, recipient or "")
    body = {"recipient": done.recipient, "fingerprint": done.fingerprint, "name": done.name}
    lines = [
        f"public key   {done.recipient}",
        f"fingerprint  {done.fingerprint}",
        "Devices are told at their next prepare or sync. Give the fingerprint to your auditors by",
        "another way than this server, so that they can compare it.",
    ]
    if done.path is not None:
        body["file"] = done.path
        lines = [
            f"private key  {done.path}",
            *lines,
            "Move the private key off this machine now, with a copy in a second safe place. Nobody",
            "can recover it: without it, what is sealed from now on can never be read.",
        ]
    terminal.say(body, *lines)


@safeguarding_key.command("list")
@command
def key_list(terminal: Terminal) -> None:
    """List every key that was published, with its fingerprint."""
    from server.services import safeguarding

    with terminal.context() as ctx:
        found = safeguarding.keys(ctx)
    terminal.table(
        [
            {
                "recipient": one.recipient,
                "fingerprint": fingerprint(one.recipient),
                "name": one.name,
                "added_at": one.added_at,
                "ended_at": one.ended_at,
            }
            for one in found
        ],
        ("Fingerprint", "Held by", "Since", "Ended"),
        [
            (fingerprint(one.recipient), one.name, when(one.added_at), when(one.ended_at))
            for one in found
        ],
        "There is no safeguarding key yet. Make one: tapak admin safeguarding-key --out FILE",
    )


@safeguarding_key.command("end")
@click.argument("which", metavar="FINGERPRINT")
@command
def key_end(terminal: Terminal, which: str) -> None:
    """Have devices seal to this key no more. Keep it: it opens what was sealed to it before."""
    from server.services import safeguarding
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        ended = safeguarding.end_key(ctx, CONSOLE, which)
    terminal.say(
        {"recipient": ended.recipient, "name": ended.name},
        f"{fingerprint(ended.recipient)}  {ended.name}  ended",
        "Its holder must keep it: what was sealed to it before opens with it alone.",
    )


@click.command("withdraw-consent")
@click.argument("entry", metavar="NUMBER", required=False)
@click.option("--reason", help="Why, without naming anybody: it stands in the audit trail.")
@click.option("--list", "listing", is_flag=True, help="List what was withdrawn; keep it elsewhere.")
@command
def withdraw_consent(
    terminal: Terminal, entry: str | None, reason: str | None, listing: bool
) -> None:
    """Destroy the key of sealed entry NUMBER: nobody can read it any more."""
    from server.services.audit import CONSOLE
    from server.services.withdrawal import withdraw

    if listing:
        _say_withdrawn(terminal)
        return
    if entry is None or reason is None:
        raise click.UsageError("Give the entry's number and --reason, or --list.")
    with terminal.context() as ctx:
        done = withdraw(ctx, CONSOLE, entry, reason)
    said = "Its key is destroyed" if done.new else "It was withdrawn before; nothing is left here"
    terminal.say(
        {"entry": done.entry, "keys": list(done.keys), "new": done.new},
        f"{said}: {', '.join(key[:12] for key in done.keys)}.",
        "The device that wrote it drops its copy at its next sync. Backups in other places are not",
        "reached from here: docs/protected-people.md says what to do about them.",
    )


def _say_withdrawn(terminal: Terminal) -> None:
    from server.store import sealed

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = sealed.all_withdrawn(tx)
    terminal.table(
        [
            {"entry": w.entry, "key": w.key, "at": w.at, "by": w.by, "destroyed_at": w.destroyed_at}
            for w in found
        ],
        ("Entry", "Key", "Withdrawn", "By", "Destroyed"),
        [(w.entry, w.key[:12], when(w.at), w.by, when(w.destroyed_at)) for w in found],
        "Nothing was withdrawn yet.",
    )
