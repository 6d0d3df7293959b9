"""`tapak admin`: the administrator's commands, on the server's own machine."""

from __future__ import annotations

from pathlib import Path

import click

from server.admin import (
    backups,
    bundles,
    draft_keys,
    people,
    registry,
    rulings,
    safeguarding,
    upkeep,
)
from server.terminal import Given, surroundings


@click.group()
@surroundings
@click.pass_context
def admin(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """Administer the server on its own machine; every change is in the audit trail."""
    ctx.obj = Given(data, as_json)


for _command in (
    people.person,
    people.jurisdiction,
    people.invite_command,
    people.device,
    draft_keys.unwrap_command,
    registry.facility,
    registry.declare_command,
    registry.assign_command,
    registry.assignments_command,
    registry.end_assignment_command,
    registry.publish_command,
    rulings.aside,
    upkeep.audit_command,
    upkeep.verify_command,
    upkeep.checkpoint_command,
    upkeep.rotate_command,
    upkeep.rebuild_command,
    safeguarding.safeguarding_key,
    safeguarding.withdraw_consent,
    backups.backup_command,
    backups.restore_command,
    bundles.bundle,
):
    admin.add_command(_command)
