"""`tapak checklist diff`: two versions held against each other, wherever each of them lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.terminal import Terminal, command, names_a_file, read_input

if TYPE_CHECKING:
    from server.services.comparing import Body

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@command
def diff_command(terminal: Terminal, before: str, after: str) -> None:
    """Show what version B changes of version A: items added, removed, reworded, levels, weights,
    severities, conditions, evidence and limits.

    Each is a FILE, the beginning of a digest, NAME@VERSION, or a NAME: the one published last on
    this server, else the one that comes with the program. Limits tables are compared too.
    """
    from checklists.differences_text import lines
    from server.services.comparing import compare_bodies

    found = compare_bodies(*(meant(terminal, name) for name in (before, after)))
    terminal.say(found.to_json(), *lines(found))


def meant(terminal: Terminal, name: str) -> Body:
    """The document that somebody means by a file, a digest or a name."""
    from server.services.comparing import document_in, document_named

    if names_a_file(name):
        return document_in(read_input(name), "standard input" if name == "-" else Path(name).name)
    return document_named(terminal.data, name)
