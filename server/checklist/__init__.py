"""`tapak checklist`: the shared standard, for those who write it and those who decide on it."""

from __future__ import annotations

from pathlib import Path

import click

from server.checklist import xlsform
from server.terminal import Given, surroundings


@click.group()
@surroundings
@click.pass_context
def checklist(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """Checklists: write them, and exchange them with other programs."""
    ctx.obj = Given(data, as_json)


for _command in (xlsform.export_command, xlsform.import_command):
    checklist.add_command(_command)
