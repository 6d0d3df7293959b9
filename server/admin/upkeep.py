"""`tapak admin`: the audit trail, verifying what is stored, rebuilding what is derived."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from server.terminal import Terminal, command, when

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("audit")
@command
def audit_command(terminal: Terminal) -> None:
    """Print the audit trail."""
    from server.store import audit

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = audit.lines(tx)
    terminal.table(
        found,
        ("N", "When", "Who", "Action", "Subject"),
        [
            (line["n"], when(line["at"]), line["who"], line["action"], line["subject"])
            for line in found
        ],
        "The audit trail is empty.",
    )


@click.command("verify")
@command
def verify_command(terminal: Terminal) -> None:
    """Check every stored byte against its chain, signature or digest; exit 1 on a fault."""
    from server.services.verify import verify

    with terminal.context() as ctx:
        found = verify(ctx)
    faults = [asdict(fault) for fault in found.faults]
    lines = [f"{fault.what}  {fault.where}: {fault.why}" for fault in found.faults]
    counted = [f"{name}  {count}" for name, count in found.counts.items()]
    closing = "No fault was found." if not faults else f"Faults: {len(faults)}"
    terminal.say({"faults": faults, "counts": dict(found.counts)}, *counted, *lines, closing)
    if faults:
        sys.exit(1)


@click.command("checkpoint")
@click.option("--now", is_flag=True, help="Make one now, also if the day has one already.")
@command
def checkpoint_command(terminal: Terminal, now: bool) -> None:
    """Print the newest checkpoint of everything that is held, to be kept or published elsewhere."""
    from server.services.checkpoints import make, newest
    from sync.problems import problem

    with terminal.context() as ctx:
        if now:
            make(ctx)
        found = newest(ctx)
    if found is None:
        raise problem("not-found")
    made = found.checkpoint
    terminal.say(
        {"id": found.id, **asdict(made)},
        f"Checkpoint {made.n} of {when(made.at)}, over {made.size} heads.",
        f"id    {found.id}",
        f"root  {made.root}",
    )


@click.command("rotate-keys")
@click.option("--receipt", is_flag=True, help="A new key for signing receipts and certificates.")
@click.option("--sealing", is_flag=True, help="A new key for what is sealed to this server.")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@command
def rotate_command(terminal: Terminal, receipt: bool, sealing: bool, reason: str) -> None:
    """Give the server new keys, signed by the old ones; devices follow at their next sync."""
    from server.services.audit import CONSOLE
    from server.services.rotation import rotate
    from sync.receipt import server_id

    with terminal.context() as ctx:
        keys = rotate(ctx, CONSOLE, receipt=receipt, sealing=sealing, reason=reason)
    fingerprint = server_id(keys.receipt_key)
    terminal.say(
        {
            "number": keys.number,
            "fingerprint": fingerprint,
            "sealing_key": keys.sealing_key,
        },
        f"Keys number {keys.number} are in use.",
        f"receipt key  {fingerprint[:16]}",
        f"sealing key  {keys.sealing_key}",
        "Start `tapak serve` and `tapak worker` anew now, and make a backup.",
        "Invitations that were not used yet carry the old key: make new ones.",
    )


@click.command("rebuild")
@command
def rebuild_command(terminal: Terminal) -> None:
    """Delete all scores, flags and previews and work them out again."""
    from server.services.rebuild import rebuild

    with terminal.context() as ctx:
        done = rebuild(ctx)
    terminal.say(
        asdict(done),
        f"Pictures read again: {done.pictures}. Facilities graded again: {done.facilities}.",
        *(f"Not graded: {facility}. {why}" for facility, why in done.left.items()),
    )
    if done.left:
        sys.exit(1)
