"""`tapak checklist rescore`: what a version would change of the scores on this server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from server.checklist.comparing import meant
from server.terminal import Terminal, command

if TYPE_CHECKING:
    from server.services.rescoring import Effects

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("rescore")
@click.argument("version", metavar="VERSION")
@click.option("--for", "used", metavar="NAME", help="What it would replace, by another name.")
@command
def rescore_command(terminal: Terminal, version: str, used: str | None) -> None:
    """Show what VERSION of a checklist or limits table would change of the scores on this server,
    item by item and why. Nothing is stored.

    It is a FILE, a draft too, the id of a proposal, the beginning of a digest, NAME@VERSION, or a
    NAME, as for `diff`. Scores that it does not touch are not computed again.
    """
    from checklists.load import load_checklist, load_limits
    from checklists.model import Limits
    from server.services.rescoring import effects, facilities_using

    body = meant(terminal, version)
    load = load_limits if body.kind == "limits" else load_checklist
    newer = load(body.data, body.source)
    with terminal.context() as ctx, ctx.db.read() as tx:
        places = facilities_using(tx, newer, used or "")
        found = effects(tx, newer, places)
    said = {
        "touched": [one.to_json() for one in found.touched],
        "untouched": found.untouched,
        "named": found.named,
    }
    name = used or (newer.jurisdiction if isinstance(newer, Limits) else newer.id)
    terminal.say(said, *_lines(found, "" if places else name))


def _lines(found: Effects, unused: str) -> Iterator[str]:
    from checklists.rescoring import lines

    if unused:
        yield f"No facility uses {unused}. Name what this would replace: --for NAME."
    for one in found.touched:
        if one.changes:
            yield from lines(one)
            yield ""
    changed = sum(one.changes for one in found.touched)
    yield f"Scored again: {len(found.touched)}, of which {changed} change."
    yield f"Not touched: {found.untouched}."
    if found.named:
        yield f"Inspections that keep the version they name: {found.named}."
