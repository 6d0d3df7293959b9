"""`tapak admin`: backing the server up while it runs, checking a backup, restoring from it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.terminal import Terminal, command, when

if TYPE_CHECKING:
    from server.services.backup import Made
    from server.services.restore import Restored

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("backup")
@click.argument("folder", type=FOLDER)
@click.option("--check", is_flag=True, help="Make none: verify the newest backup in FOLDER.")
@click.option("--run", "run_name", metavar="RUN", help="With --check: another run, by its number.")
@click.option("--without-key", is_flag=True, help="Leave the server's key out; keep it elsewhere.")
@click.option("--keep", type=click.IntRange(1), help="Remove all but so many of the newest runs.")
@command
def backup_command(
    terminal: Terminal,
    folder: Path,
    check: bool,
    run_name: str | None,
    without_key: bool,
    keep: int | None,
) -> None:
    """Back up the running server into FOLDER; again into the same one copies only what is new."""
    if check:
        if without_key or keep is not None:
            raise click.UsageError("--check makes no backup: it goes with --run alone.")
        _check(terminal, folder, run_name)
        return
    if run_name is not None:
        raise click.UsageError("--run goes with --check.")
    from server.services.backup import make_backup

    with terminal.context() as ctx, terminal.progress() as tell:
        made = make_backup(ctx, folder, with_key=not without_key, keep=keep, tell=tell)
    terminal.say(asdict(made), *_told(made))
    if made.lacking or made.faults:
        sys.exit(1)


def _told(made: Made) -> list[str]:
    key = (
        "It holds the server's key and everybody's records: keep it as you keep the server."
        if made.with_key
        else "It does not hold the server's key: without a copy of that, no device can go on."
    )
    return [
        f"Backup {made.run} in {made.folder} is whole.",
        f"Tables: {made.tables}, rows: {made.rows}. Files: {made.files}"
        f" ({made.file_bytes} bytes), copied now: {made.copied} ({made.copied_bytes} bytes).",
        *(f"Removed what an earlier backup left half done: {name}" for name in made.swept),
        *(f"Removed the older run {name}" for name in made.removed),
        *(f"Not copied: file {one.sha256}. {one.why}" for one in made.lacking),
        *(f"As it is on the server: {one.where}: {one.why}" for one in made.faults),
        key,
    ]


def _check(terminal: Terminal, folder: Path, run_name: str | None) -> None:
    from server.services.backup_check import check_run
    from server.services.backup_folder import BackupFolder

    place = BackupFolder(folder.resolve())
    run = place.find(run_name)
    with terminal.progress() as tell:
        found = check_run(place, run, tell)
    faults = [asdict(fault) for fault in found.faults]
    closing = "No fault was found." if not faults else f"Faults: {len(faults)}"
    terminal.say(
        {"run": run.name, "faults": faults, "counts": dict(found.counts)},
        f"run  {run.name}",
        *(f"{name}  {count}" for name, count in found.counts.items()),
        *(f"{fault.what}  {fault.where}: {fault.why}" for fault in found.faults),
        closing,
    )
    if faults:
        sys.exit(1)


@click.command("restore")
@click.argument("folder", type=FOLDER)
@click.option("--run", "run_name", metavar="RUN", help="A run by its number; the newest otherwise.")
@click.option("--key", "key_file", type=FILE, help="The server's key, where the backup has none.")
@click.option(
    "--without-damaged-files",
    is_flag=True,
    help="Go on where files in the backup are damaged; devices are asked for them again.",
)
@command
def restore_command(
    terminal: Terminal,
    folder: Path,
    run_name: str | None,
    key_file: Path | None,
    without_damaged_files: bool,
) -> None:
    """Restore from the backup in FOLDER into an empty database and a new data folder."""
    import secrets
    import time

    from server.services.restore import Surroundings, restore

    with terminal.progress() as tell:
        to = Surroundings(
            terminal.settings(), lambda: time.time_ns() // 1_000_000, secrets.randbits, tell
        )
        done = restore(
            to,
            folder,
            run_name=run_name,
            key_file=key_file,
            without_damaged_files=without_damaged_files,
        )
    terminal.say(asdict(done), *_restored(done))


def _restored(done: Restored) -> list[str]:
    return [
        f"Restored from {done.run}, as things were on {when(done.made_at)}.",
        f"Rows: {done.rows}. Files: {done.files} ({done.file_bytes} bytes). Epoch: {done.epoch}.",
        *(f"Not held any more: file {sha256}" for sha256 in done.left_out),
        *(
            [f"Keys of withdrawn entries, not brought back: {done.keys_destroyed}."]
            if done.keys_destroyed
            else []
        ),
        f"Invitations that were open and are ended now: {done.invitations_ended}.",
        "Devices offer by themselves what came later. What staff did later is to be done again,",
        "first of all: devices revoked, people whose access ended, passwords changed.",
        "Then: tapak admin verify, tapak serve, tapak worker (it works out scores and flags).",
    ]
