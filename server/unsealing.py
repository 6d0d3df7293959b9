"""`tapak safeguarding`: what the holder of a safeguarding key does, on a machine of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from server.terminal import Terminal, command


@click.group()
def safeguarding() -> None:
    """For the holder of a safeguarding key. Needs no server; run it on a machine of your own."""


@safeguarding.command("unseal")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The private key.",
)
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="A new folder for what comes out, readable for you alone.",
)
@command
def unseal_command(terminal: Terminal, source: Path, key_file: Path, out: Path) -> None:
    """Open the entries in SOURCE, a downloaded zip file or the folder it was unpacked to."""
    from server.services.unsealing import unseal  # noqa: PLC0415 - help needs no cryptography

    found = unseal(key_file, source, out)
    opened = [one for one in found if one.folder is not None]
    terminal.say(
        [
            {
                "id": one.id,
                "day": one.day,
                "folder": None if one.folder is None else str(one.folder),
                "files": one.files,
                "problem": None if one.problem is None else one.problem.to_json(),
            }
            for one in found
        ],
        *(
            f"{one.id}  {one.day}  {one.folder}"
            if one.problem is None
            else f"{one.id}  {one.day}  not opened: {one.problem.happened}"
            for one in found
        ),
        f"Opened {len(opened)} of {len(found)}. It lies there in the clear: delete it when you are",
        "done, and keep this disk encrypted.",
    )
    if len(opened) < len(found):
        sys.exit(1)
