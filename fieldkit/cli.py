"""The fieldkit command: where everything is put together. Commands are imported when called.

Exit codes: 0 done, 1 a problem, 2 wrong use, 3 the server cannot be reached, 130 stopped.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.commands.desk import Setting, exit_code
from sync.problems import Problem, problem

COMMANDS = {
    "enrol": "fieldkit.commands.joining",
    "prepare": "fieldkit.commands.joining",
    "sync": "fieldkit.commands.joining",
    "start": "fieldkit.commands.recording",
    "answer": "fieldkit.commands.recording",
    "observe": "fieldkit.commands.recording",
    "outcome": "fieldkit.commands.recording",
    "hazard": "fieldkit.commands.urgent",
    "sign-off": "fieldkit.commands.recording",
    "interview": "fieldkit.commands.interviewing",
    "note": "fieldkit.commands.interviewing",
    "resolve": "fieldkit.commands.resolving",
    "checklist": "fieldkit.commands.versions",
    "photo": "fieldkit.commands.attaching",
    "attach": "fieldkit.commands.attaching",
    "facts": "fieldkit.commands.facts",
    "track": "fieldkit.commands.tracking",
    "place": "fieldkit.commands.placed",
    "bundle": "fieldkit.commands.bundling",
    "status": "fieldkit.commands.looking",
    "check": "fieldkit.commands.looking",
    "entries": "fieldkit.commands.written",
    "export": "fieldkit.commands.taking",
    "score": "fieldkit.commands.taking",
    "free": "fieldkit.commands.leaving",
    "seal": "fieldkit.commands.leaving",
    "wipe": "fieldkit.commands.leaving",
    "passphrase": "fieldkit.commands.locking",
    "lock": "fieldkit.commands.locking",
    "unlock": "fieldkit.commands.locking",
}


class Commands(click.Group):
    """The commands, each loaded when it is called; problems become text and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._stoppable(ctx)
        except Problem as exc:
            if ctx.ensure_object(Setting).json:
                show.data(exc.to_json())
            else:
                show.trouble(exc)
            ctx.exit(exit_code(exc))

    def _stoppable(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise problem("stopped") from exc


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="FIELDKIT_HOME",
    help="The device's folder; FIELDKIT_HOME, or ~/.fieldkit.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def cli(ctx: click.Context, home: Path | None, as_json: bool) -> None:
    """Inspect a site, offline; send what you recorded when there is a network.

    Exit codes: 0 done, 1 a problem, 2 wrong use, 3 the server cannot be reached, 130 stopped.
    """
    ctx.obj = Setting(home or Path.home() / ".fieldkit", as_json)


def main() -> None:
    """Entry point of the fieldkit command."""
    cli(prog_name="fieldkit")
