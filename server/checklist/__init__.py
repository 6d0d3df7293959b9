"""`tapak checklist`: the shared standard, for those who write it and those who decide on it."""

from __future__ import annotations

from pathlib import Path

import click

from server.checklist import comparing, rescoring, xlsform
from server.terminal import Given, surroundings


@click.group()
@surroundings
@click.pass_context
def checklist(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """Checklists and limits tables: exchange and compare them, and decide which are in force."""
    ctx.obj = Given(data, as_json)


for _command in (
    comparing.diff_command,
    rescoring.rescore_command,
    xlsform.export_command,
    xlsform.import_command,
):
    checklist.add_command(_command)
