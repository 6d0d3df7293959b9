"""`tapak admin`: people, jurisdictions, invitations and devices."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from server.terminal import Terminal, command, password_line, when
from sync.problems import problem

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.group()
def person() -> None:
    """People who log in or whose devices are enrolled."""


@person.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's full name.")
@click.option("--role", "roles", required=True, multiple=True, help="A role; may be repeated.")
@click.option("--jurisdiction", required=True, help="Where the roles hold, and below it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@command
def person_add(
    terminal: Terminal,
    login: str,
    name: str,
    roles: tuple[str, ...],
    jurisdiction: str,
    password_stdin: bool,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed once."""
    from server.services import accounts
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        made = None if password_stdin else ctx.token(12)
        added = accounts.add_person(
            ctx,
            CONSOLE,
            login=login,
            name=name,
            password=made or password_line(),
            grants=[(role, jurisdiction) for role in roles],
        )
    body: dict[str, Any] = {"id": added.id, "login": added.login, "name": added.name}
    lines = [f"{added.login}  {added.name}  {added.id}"]
    if made is not None:
        body["password"] = made
        lines.append(f"password  {made}")
    terminal.say(body, *lines)


@person.command("password")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@command
def person_password(terminal: Terminal, login: str, password_stdin: bool) -> None:
    """Give a person a new password and end the person's sessions."""
    from server.services import accounts
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        made = None if password_stdin else ctx.token(12)
        accounts.set_password(ctx, CONSOLE, login, made or password_line())
    if made is not None:
        terminal.say({"login": login, "password": made}, f"password  {made}")


@person.command("list")
@command
def person_list(terminal: Terminal) -> None:
    """List the people and what they are granted."""
    from server.store import people

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = [(one, people.grants_of(tx, one.id)) for one in people.every(tx)]
    terminal.table(
        [
            {
                "id": one.id,
                "login": one.login,
                "name": one.name,
                "active": one.active,
                "grants": [{"role": role, "jurisdiction": place} for role, place in granted],
            }
            for one, granted in found
        ],
        ("Login", "Name", "Roles", "Active", "Id"),
        [
            (one.login, one.name, ", ".join(f"{r} in {p}" for r, p in granted), one.active, one.id)
            for one, granted in found
        ],
        "There is nobody yet. Add a jurisdiction, then: tapak admin person add",
    )


@click.group()
def jurisdiction() -> None:
    """The tree of regions, countries and states."""


@jurisdiction.command("add")
@click.argument("id_", metavar="ID")
@click.argument("name")
@click.option("--parent", help="The jurisdiction it belongs to.")
@click.option("--kind", default="country", show_default=True, help="region, country or state.")
@command
def jurisdiction_add(
    terminal: Terminal, id_: str, name: str, parent: str | None, kind: str
) -> None:
    """Add a jurisdiction."""
    from server.services import registry
    from server.services.audit import CONSOLE
    from server.store.jurisdictions import Jurisdiction

    with terminal.context() as ctx:
        added = registry.add_jurisdiction(ctx, CONSOLE, Jurisdiction(id_, name, parent, kind))
    terminal.say(asdict(added), f"{added.kind} {added.id}  {added.name}")


@click.command("invite")
@click.argument("login")
@click.option("--hours", default=72, show_default=True, type=click.IntRange(1, 720))
@click.option("--public-url", help="The address devices use (TAPAK_PUBLIC_URL).")
@click.option("--qr", is_flag=True, help="Draw the link as a QR code, to be scanned.")
@click.option(
    "--qr-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the QR code to this file, .svg or .png.",
)
@command
def invite_command(
    terminal: Terminal,
    login: str,
    hours: int,
    public_url: str | None,
    qr: bool,
    qr_file: Path | None,
) -> None:
    """Print a link and a short code that enrol one device of this person, once."""
    if qr_file is not None and qr_file.suffix.lower() not in (".svg", ".png"):
        raise problem("fields-malformed", why="--qr-file: give a name that ends with .svg or .png")
    from server.services import enrolment
    from server.services.audit import CONSOLE

    given = {} if public_url is None else {"public_url": public_url}
    with terminal.context(**given) as ctx:
        link = enrolment.invite(ctx, login, CONSOLE, hours)
    address, _, code = link.partition("/enrol#")
    said = {"login": login, "link": link, "server": address, "code": code, "hours": hours}
    if qr_file is not None:
        _draw(link, qr_file)
        said["qr_file"] = str(qr_file)
    terminal.say(said, *_invitation(link, address, code, hours, qr))


def _invitation(link: str, address: str, code: str, hours: int, qr: bool) -> list[str]:
    lines = [link]
    if qr:
        import segno

        drawn = io.StringIO()
        segno.make(link, error="m").terminal(drawn, compact=True)
        lines.append(drawn.getvalue().rstrip("\n"))
    lines.append(f"Typed by hand: fieldkit enrol {address} {code}")
    lines.append(f"It enrols one device, once, within {hours} hours.")
    return lines


def _draw(link: str, path: Path) -> None:
    import segno

    try:
        segno.make(link, error="m").save(str(path), scale=6)
    except OSError as exc:
        raise problem("folder-read-only", folder=str(path.parent), why=str(exc)) from exc


@click.group()
def device() -> None:
    """Enrolled devices."""


@device.command("list")
@command
def device_list(terminal: Terminal) -> None:
    """List the devices."""
    from server.store import devices, people

    with terminal.context() as ctx, ctx.db.read() as tx:
        found = devices.every(tx)
        names = people.names(tx, [one.person for one in found])
    terminal.table(
        [
            {
                "id": one.id,
                "name": one.name,
                "person": one.person,
                "kind": one.kind,
                "status": one.status,
                "enrolled_at": one.enrolled_at,
                "last_seen_at": one.last_seen_at,
            }
            for one in found
        ],
        ("Device", "Name", "Person", "Kind", "Status", "Enrolled", "Last seen"),
        [
            (
                one.id,
                one.name,
                names.get(one.person),
                one.kind,
                one.status,
                when(one.enrolled_at),
                when(one.last_seen_at),
            )
            for one in found
        ],
        "No device is enrolled yet. Invite one with: tapak admin invite LOGIN",
    )


@device.command("retire")
@click.argument("device_id", metavar="DEVICE")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@command
def device_retire(terminal: Terminal, device_id: str, reason: str) -> None:
    """End the token of a device that is handed on or put away; its work counts as before."""
    from server.services import enrolment
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        enrolment.retire_device(ctx, CONSOLE, device_id, reason)
    terminal.say({"id": device_id, "status": "retired"}, f"{device_id}  retired")


@device.command("revoke")
@click.argument("device_id", metavar="DEVICE")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@command
def device_revoke(terminal: Terminal, device_id: str, reason: str) -> None:
    """End a compromised device's token."""
    from server.services import enrolment
    from server.services.audit import CONSOLE

    with terminal.context() as ctx:
        followers = enrolment.revoke_device(ctx, CONSOLE, device_id, reason)
    lines = [f"{device_id}  revoked"]
    if followers:
        lines.append("These go on from it under keys of their own, and are active still:")
        lines += [f"  {one}" for one in followers]
        lines.append("Ask their person which of them it has; revoke the others too.")
    said = {"id": device_id, "status": "revoked", "go_on_from_it": list(followers)}
    terminal.say(said, *lines)
