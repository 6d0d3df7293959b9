"""`tapak admin bundle`: what devices wrote on a stick is read, and answers are written onto one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.terminal import Terminal, command, report
from sync.bundle import SUFFIX
from sync.problems import Problem, problem

if TYPE_CHECKING:
    from server.context import Context
    from server.services.bundle_intake import Imported
    from server.services.steps import Tell

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

PATH = click.Path(path_type=Path)


@click.group()
def bundle() -> None:
    """Bundles: inspections that came on a stick, and answers to their devices."""


@bundle.command("read")
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--passphrase-stdin", is_flag=True, help="Read a passphrase from standard input.")
@click.option("--answer", type=PATH, help="A folder: write an answer for each bundle's device.")
@command
def bundle_read(
    terminal: Terminal, paths: tuple[Path, ...], passphrase_stdin: bool, answer: Path | None
) -> None:
    """Read bundles, files or folders of them; reading one again changes nothing."""
    from server.services.audit import CONSOLE
    from server.services.bundle_intake import read_bundle
    from server.services.bundle_report import as_json, as_lines

    words = sys.stdin.readline().rstrip("\n") if passphrase_stdin else None
    told: list[dict[str, Any]] = []
    lines: list[str] = []
    failed = False
    with terminal.context() as ctx:
        for path in _found(paths):
            body: dict[str, Any] = {"path": str(path)}
            lines.append(str(path))
            try:
                size = path.stat().st_size
                with path.open("rb") as file, terminal.progress() as tell:
                    done = read_bundle(
                        ctx,
                        CONSOLE,
                        file,
                        name=path.name,
                        passphrase=words,
                        tell=partial(_tell, tell, size),
                    )
                body |= as_json(done)
                lines += [f"  {line}" for line in as_lines(done)]
                failed |= done.trouble is not None
                if answer is not None:
                    body["answer"] = _answer(ctx, done, answer)
                    lines.append(f"  answer  {body['answer']}")
            except OSError as exc:
                raise problem("file-unreadable", name=str(path), why=str(exc)) from exc
            except Problem as exc:
                failed = True
                body["problem"] = exc.to_json()
                if not terminal.as_json:
                    report(exc, False)
            told.append(body)
    terminal.say({"read": told}, *lines)
    if failed:
        sys.exit(1)


@bundle.command("write")
@click.option("--for", "device", required=True, help="The device, by the beginning of its id.")
@click.argument("path", type=PATH)
@command
def bundle_write(terminal: Terminal, device: str, path: Path) -> None:
    """Write what the office has to say to a device into the folder PATH, or as the file PATH."""
    from server.services.bundle_answer import addressee

    with terminal.context() as ctx:
        to = addressee(ctx, device)
        written = _write(ctx, to, path)
    said = {"path": str(written), "device": to.device, "person": to.person}
    terminal.say(said, f"{written}  for {to.person_name}, device {to.device}")


def _tell(tell: Tell, size: int, read: int) -> None:
    from server.services.steps import Step

    tell(Step("reading", read, size))


def _answer(ctx: Context, done: Imported, folder: Path) -> str | None:
    from server.services.bundle_answer import addressee

    if done.opening is None or done.opening.device is None:
        return None
    return str(_write(ctx, addressee(ctx, done.opening.device), folder))


def _write(ctx: Context, to: Any, path: Path) -> Path:
    from server.services.bundle_answer import file_name, write_answer_bundle

    if path.is_dir():
        path = path / file_name(ctx, to)
    if path.exists():
        raise problem("bundle-exists", name=str(path))
    part = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            write_answer_bundle(ctx, to, file.write)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise problem("folder-read-only", folder=str(path.parent), why=why) from exc
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path


def _found(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix == SUFFIX and p.is_file())
            if not inside:
                raise problem("bundle-no-files", folder=str(path))
            yield from inside
        elif path.exists():
            yield path
        else:
            raise problem("file-missing", name=str(path))
