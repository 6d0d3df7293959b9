"""`tapak checklist publish`, `approve`, `refuse`, `proposals`: two people decide on a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from server.terminal import Terminal, command, password_line, read_input, when

if TYPE_CHECKING:
    from server.context import Context
    from server.permissions import Principal
    from server.store.proposals import Proposal

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

_PERSON = click.option("--as", "login", required=True, metavar="LOGIN", help="Who decides.")
_PASSWORD = click.option(
    "--password-stdin", is_flag=True, help="Read the person's password from standard input."
)


@click.command("publish")
@click.argument("file")
@click.option(
    "--effective",
    "days",
    multiple=True,
    required=True,
    metavar="JURISDICTION=YYYY-MM-DD",
    help="Where it applies from which day; may be repeated.",
)
@_PERSON
@_PASSWORD
@command
def publish_command(
    terminal: Terminal, file: str, days: tuple[str, ...], login: str, password_stdin: bool
) -> None:
    """Propose the checklist or limits table in FILE; another person approves it."""
    from server.services.comparing import document_in
    from server.services.proposing import propose

    if file == "-" and password_stdin:
        raise click.UsageError("Standard input holds the password: give FILE as a path.")
    document = document_in(read_input(file), file)
    effective = dict(_day(one) for one in days)
    with terminal.context() as ctx:
        who = _who(ctx, login, password_stdin)
        made, new = propose(ctx, who, document.kind, document.data, file, effective)
    terminal.say(
        {**_as_json(made), "new": new},
        f"{made.id}  {made.name} {made.version}  {made.digest}",
        *(f"  {place} from {day}" for place, day in sorted(made.effective.items())),
        "It waits for another person: tapak checklist approve " + made.id
        if new
        else "It waits already; nothing was changed.",
    )


@click.command("approve")
@click.argument("proposal")
@_PERSON
@_PASSWORD
@command
def approve_command(terminal: Terminal, proposal: str, login: str, password_stdin: bool) -> None:
    """Approve a PROPOSAL of somebody else: from its days on it is in force."""
    from server.services.proposing import approve

    with terminal.context() as ctx:
        found, touched = approve(ctx, _who(ctx, login, password_stdin), proposal)
    count = len(touched)
    terminal.say(
        {**_as_json(found), "ruling": "approved", "touched": touched},
        f"{found.name} {found.version} is published  {found.digest}",
        *(f"  {place} from {day}" for place, day in sorted(found.effective.items())),
        f"{count} {'facility is' if count == 1 else 'facilities are'} graded again.",
    )


@click.command("refuse")
@click.argument("proposal")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@_PERSON
@_PASSWORD
@command
def refuse_command(
    terminal: Terminal, proposal: str, reason: str, login: str, password_stdin: bool
) -> None:
    """Refuse a PROPOSAL, or take back one's own."""
    from server.services.proposing import refuse

    with terminal.context() as ctx:
        found = refuse(ctx, _who(ctx, login, password_stdin), proposal, reason)
    said = f"{found.id}  {found.name} {found.version}  refused"
    terminal.say({**_as_json(found), "ruling": "refused"}, said)


@click.command("proposals")
@command
def proposals_command(terminal: Terminal) -> None:
    """List the proposals that wait for a second person."""
    from server.store import people, proposals

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = proposals.waiting(tx)
        names = people.names(tx, {one.proposed_by for one in found})
    terminal.table(
        [_as_json(one) for one in found],
        ("Proposal", "Kind", "Name", "Version", "In force from", "Proposed by", "At"),
        [
            (
                one.id,
                one.kind,
                one.name,
                one.version,
                ", ".join(f"{place} {day}" for place, day in sorted(one.effective.items())),
                names.get(one.proposed_by),
                when(one.proposed_at),
            )
            for one in found
        ],
        "Nothing waits for approval.",
    )


def _who(ctx: Context, login: str, from_stdin: bool) -> Principal:
    """The person who decides, proven by their password: two people cannot be one at the console."""
    from server.services.accounts import identify

    password = password_line() if from_stdin else click.prompt("Password", hide_input=True)
    return identify(ctx, login, password)


def _day(text: str) -> tuple[str, str]:
    place, found, day = text.partition("=")
    if not found or not place:
        raise click.UsageError(f"--effective {text!r}: give JURISDICTION=YYYY-MM-DD.")
    return place, day


def _as_json(of: Proposal) -> dict[str, object]:
    return {
        "proposal": of.id,
        "kind": of.kind,
        "name": of.name,
        "version": of.version,
        "digest": of.digest,
        "effective": dict(of.effective),
        "proposed_by": of.proposed_by,
        "proposed_at": of.proposed_at,
    }
