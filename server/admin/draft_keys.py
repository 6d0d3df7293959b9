"""`tapak admin unwrap-draft-key`: an auditor forgot the passphrase of their device (S11)."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import click

from server.terminal import Terminal, command, read_input
from sync.problems import problem

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("unwrap-draft-key")
@click.argument("request", metavar="REQUEST")
@click.option("--reason", required=True, help="Why; it goes into the audit trail.")
@click.option("--code", help="The code that the auditor read out; it is asked for otherwise.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the answer to this file; it is printed otherwise.",
)
@command
def unwrap_command(
    terminal: Terminal, request: str, reason: str, code: str | None, out: Path | None
) -> None:
    """Answer a REQUEST (a file, or - for standard input) of a device whose passphrase is forgotten.

    Speak with the auditor first: you know the voice, and have the code read out that the device
    shows. The answer opens that one device, and only together with it.
    """
    from server.services.audit import CONSOLE
    from server.services.draft_key import answer, look_at

    with terminal.context() as ctx:
        asked = look_at(ctx, read_input(request))
        who = f"{asked.person_name}, {asked.device_name}, device {asked.device}"
        if code is None:
            code = click.prompt(f"{who}\nThe code that they read out", err=True)
        text = answer(ctx, CONSOLE, asked, code, reason)
    if out is not None:
        _write(out, text)
    body = {
        "device": asked.device,
        "person": asked.person,
        "answer": json.loads(text) if out is None else str(out),
    }
    told = [text.decode("ascii")] if out is None else [f"{out}  for {who}"]
    terminal.say(body, *told)


def _write(path: Path, text: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise problem("folder-read-only", folder=str(path.parent), why=why) from exc
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
