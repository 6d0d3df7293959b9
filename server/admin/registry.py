"""`tapak admin`: facilities, declarations, assignments and published documents."""

from __future__ import annotations

from dataclasses import asdict

import click

from server.terminal import Terminal, command, read_input, when

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.group()
def facility() -> None:
    """Facilities."""


@facility.command("add")
@click.argument("file")
@command
def facility_add(terminal: Terminal, file: str) -> None:
    """Add a facility from a JSON file (- for standard input).

    Members: id, name, country, jurisdiction, checklist, and if wanted limits and example.
    """
    from server.services import registry
    from server.services.audit import CONSOLE

    fields = registry.read_facility(read_input(file))
    with terminal.context() as ctx:
        added = registry.add_facility(ctx, CONSOLE, fields)
    terminal.say(asdict(added), f"{added.id}  {added.name}")


@facility.command("list")
@command
def facility_list(terminal: Terminal) -> None:
    """List the facilities."""
    from server.store import facilities

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = facilities.every(tx)
    terminal.table(
        [facilities.as_json(one) for one in found],
        ("Id", "Name", "Country", "Jurisdiction", "Checklist", "Limits", "Example"),
        [
            (f.id, f.name, f.country, f.jurisdiction, f.checklist, f.limits, f.example)
            for f in found
        ],
        "There is no facility yet. Add one with: tapak admin facility add FILE",
    )


@click.command("declare")
@click.argument("file")
@command
def declare_command(terminal: Terminal, file: str) -> None:
    """File an operator's declaration (JSON, - for standard input)."""
    from server.services import registry
    from server.services.audit import CONSOLE

    body = read_input(file)
    with terminal.context() as ctx:
        filing, new = registry.file_declaration(ctx, CONSOLE, body)
    said = "filed" if new else "filed before, nothing changed"
    terminal.say({**asdict(filing), "new": new}, f"{filing.facility}  {filing.id}  {said}")


@click.command("assign")
@click.argument("facility_id", metavar="FACILITY")
@click.argument("login")
@click.option("--from", "not_before", required=True, metavar="YYYY-MM-DD")
@click.option("--to", "not_after", required=True, metavar="YYYY-MM-DD")
@click.option("--purpose", required=True)
@click.option(
    "--grace-days",
    default=14,
    show_default=True,
    type=click.IntRange(0, 366),
    help="How many days the visit may begin early or run over.",
)
@click.option("--conflict", is_flag=True, help="A device that goes there needs a passphrase.")
@command
def assign_command(
    terminal: Terminal,
    facility_id: str,
    login: str,
    not_before: str,
    not_after: str,
    purpose: str,
    grace_days: int,
    conflict: bool,
) -> None:
    """Assign an auditor to a facility; the auditor's devices are told."""
    from server.services import programme
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        made = programme.assign(
            ctx,
            CONSOLE,
            facility=facility_id,
            person=login,
            purpose=purpose,
            not_before=not_before,
            not_after=not_after,
            grace_days=grace_days,
            conflict=conflict,
        )
    period = f"{made.not_before} to {made.not_after}"
    terminal.say(asdict(made), f"{made.facility}  {login}  {period}  {made.id}")


@click.command("end-assignment")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@command
def end_assignment_command(terminal: Terminal, assignment_id: str, reason: str) -> None:
    """End an assignment; what the auditor recorded stays, what came down for it goes."""
    from server.services import programme
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        ended = programme.end_assignment(ctx, CONSOLE, assignment_id, reason)
    terminal.say(asdict(ended), f"{ended.id}  {ended.facility}  ended")


@click.command("assignments")
@click.argument("facility_id", metavar="FACILITY")
@command
def assignments_command(terminal: Terminal, facility_id: str) -> None:
    """List the assignments to a facility."""
    from server.store import assignments, people

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = assignments.at_facilities(tx, [facility_id])
        names = people.names(tx, {one.person for one in found})
    terminal.table(
        [asdict(one) for one in found],
        ("Assignment", "Person", "From", "To", "Purpose", "Ended"),
        [
            (
                one.id,
                names.get(one.person),
                one.not_before,
                one.not_after,
                one.purpose,
                when(one.ended_at),
            )
            for one in found
        ],
        "Nobody is assigned there. Assign somebody with: tapak admin assign FACILITY LOGIN",
    )


@click.command("publish")
@click.argument("kind", required=False)
@click.argument("file", required=False)
@click.option("--builtin", is_flag=True, help="Publish what comes with the program.")
@command
def publish_command(terminal: Terminal, kind: str | None, file: str | None, builtin: bool) -> None:
    """Publish a checklist, limits, profile or rules FILE. The same bytes again change nothing."""
    from server.services import publishing
    from server.services.audit import CONSOLE

    if builtin == (kind is not None or file is not None) or (kind is None) != (file is None):
        raise click.UsageError("Give a kind and a file, or --builtin.")
    with terminal.context() as ctx:
        if kind is not None and file is not None:
            done = [publishing.publish(ctx, CONSOLE, kind, read_input(file), file)]
        else:
            done = publishing.publish_builtin(ctx, CONSOLE)
    terminal.table(
        [
            {"kind": d.kind, "name": d.name, "version": d.version, "digest": d.digest, "new": new}
            for d, new in done
        ],
        ("Kind", "Name", "Version", "Digest", "New"),
        [(d.kind, d.name, d.version, d.digest[:12], new) for d, new in done],
        "Nothing was published.",
    )
