"""`tapak checklist`: the shared standard, for those who write it and those who decide on it."""

from __future__ import annotations

from pathlib import Path

import click

from server.checklist import (
    checking,
    comparing,
    deciding,
    drafting,
    previewing,
    rescoring,
    xlsform,
)
from server.terminal import Given, surroundings


@click.group()
@surroundings
@click.pass_context
def checklist(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """Checklists and limits tables: write, check, exchange, compare and decide on them."""
    ctx.obj = Given(data, as_json)


for _command in (
    drafting.new_command,
    drafting.stamp_command,
    checking.check_command,
    previewing.preview_command,
    comparing.diff_command,
    rescoring.rescore_command,
    deciding.publish_command,
    deciding.approve_command,
    deciding.refuse_command,
    deciding.proposals_command,
    xlsform.export_command,
    xlsform.import_command,
):
    checklist.add_command(_command)
