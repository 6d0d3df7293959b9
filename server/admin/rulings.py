"""`tapak admin aside`: entries of people who are not assigned, and what staff rule about them."""

from __future__ import annotations

from dataclasses import asdict

import click

from server.terminal import Terminal, command

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.group()
def aside() -> None:
    """Entries that were set aside because their writer was not assigned there at that time."""


@aside.command("list")
@command
def aside_list(terminal: Terminal) -> None:
    """List the logs of which something is set aside, or was ruled on."""
    from server.services.inspections import load_inspection
    from server.store import stored

    rows = []
    with terminal.context() as ctx, ctx.db.read() as tx:
        for one in stored.all_inspections(tx):
            loaded = load_inspection(tx, one.id)
            rows += [(loaded, found) for found in (loaded.aside if loaded else ())]
        told = [
            {
                "inspection": loaded.id,
                "facility": loaded.facility,
                "device": found.log.device,
                "person": found.log.person,
                "name": loaded.people.get(found.log.person),
                "set_aside": len(found.records),
                "entries": found.log.seq,
                "ruling": None if found.ruling is None else asdict(found.ruling),
                "open": found.open,
            }
            for loaded, found in rows
            if loaded is not None
        ]
    terminal.table(
        told,
        ("Inspection", "Facility", "Device", "Person", "Set aside", "Ruling", "To be ruled on"),
        [
            (
                one["inspection"],
                one["facility"],
                one["device"],
                one["name"],
                f"{one['set_aside']} of {one['entries']}",
                found.ruling.ruling if found.ruling else None,
                found.open,
            )
            for one, (_, found) in zip(told, rows, strict=True)
        ],
        "Nothing is set aside.",
    )


def _rule(
    terminal: Terminal, inspection: str, device: str, login: str, reason: str, ruling: str
) -> None:
    from server.services import admission

    with terminal.context() as ctx:
        made = admission.rule_at_console(ctx, login, inspection, device, ruling, reason)
    said = f"{made.device}  {made.inspection}  {made.ruling}, entries 1 to {made.seq}"
    terminal.say(asdict(made), said)


_INSPECTION = click.argument("inspection")
_DEVICE = click.argument("device")
_BY = click.option("--by", "login", required=True, help="The login of the person who decided.")
_REASON = click.option("--reason", required=True, help="Why; it goes into the audit trail.")


@aside.command("admit")
@_INSPECTION
@_DEVICE
@_BY
@_REASON
@command
def aside_admit(terminal: Terminal, inspection: str, device: str, login: str, reason: str) -> None:
    """Let a log's entries count; a later ruling can take it back."""
    _rule(terminal, inspection, device, login, reason, "admitted")


@aside.command("refuse")
@_INSPECTION
@_DEVICE
@_BY
@_REASON
@command
def aside_refuse(terminal: Terminal, inspection: str, device: str, login: str, reason: str) -> None:
    """Leave a log's entries aside: kept and visible, counted nowhere."""
    _rule(terminal, inspection, device, login, reason, "refused")
