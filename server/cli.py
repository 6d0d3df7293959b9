"""The command `tapak`: serve, worker, demo, and the administrator's commands."""

from __future__ import annotations

import sys

import click

from server.admin import admin
from server.checklist import checklist
from server.conflict import conflict
from server.rules import rules
from server.terminal import Terminal, command
from server.unsealing import safeguarding

HOST = "127.0.0.1"
PORT = 8040


class _Commands(click.Group):
    """Loads the demonstration only when it is asked for: it drives the whole program."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "demo"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "demo":
            return super().get_command(ctx, cmd_name)
        from server.demo.run import demo  # noqa: PLC0415

        return demo


@click.group(cls=_Commands)
@click.version_option(package_name="tapak", prog_name="tapak")
def main() -> None:
    """Tapak, the staff's side: serve it, work its queue, administer it."""


@main.command("serve")
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--public-url", help="The address people and devices use (TAPAK_PUBLIC_URL).")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    envvar="TAPAK_WORKERS",
    type=click.IntRange(1, 64),
    help="Serving processes (TAPAK_WORKERS); more than one on PostgreSQL only.",
)
@command
def serve_command(
    terminal: Terminal, host: str, port: int, public_url: str | None, workers: int
) -> None:
    """Serve the API and the pages until stopped."""
    from server.serve import serve  # noqa: PLC0415 - the other commands start without gunicorn

    url = public_url or f"http://{host}:{port}"
    serve(terminal.settings(public_url=url), host, port, workers)


@main.command("worker")
@click.option("--once", is_flag=True, help="Do what is due and stop.")
@command
def worker_command(terminal: Terminal, once: bool) -> None:
    """Read pictures, score and raise flags: what the web process leaves to be done."""
    from server.schedule import run_once, run_worker  # noqa: PLC0415

    with terminal.context() as ctx:
        ctx.blobs.shelf.check()
        if not once:
            run_worker(ctx)
            return
        done = run_once(ctx)
    left = done.graded.left
    terminal.say(
        {"pictures": done.pictures, "facilities": done.graded.done, "left": left},
        f"Pictures read: {done.pictures}. Facilities graded: {len(done.graded.done)}.",
        *(f"Not graded: {facility}. {why}" for facility, why in left.items()),
    )
    if left:
        sys.exit(1)


main.add_command(admin)
main.add_command(checklist)
main.add_command(conflict)
main.add_command(rules)
main.add_command(safeguarding)
