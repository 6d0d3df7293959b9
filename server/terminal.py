"""What every command of `tapak` shares: the data folder, plain or JSON output, errors."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from server.context import Context, open_context
from server.services.steps import Step, Tell, silent
from server.settings import Settings, read_settings
from sync.problems import Problem, problem

Command = Callable[..., Any]
_FILE = re.compile(r"-\Z|.*[/\\]|.*\.ya?ml\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Given:
    """The options that a group was given for the commands in it."""

    data: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Terminal:
    """A command's surroundings: where the data are, and how to print."""

    data: Path
    as_json: bool

    def settings(self, **kwargs: Any) -> Settings:
        return read_settings(self.data, **kwargs)

    @contextmanager
    def context(self, **kwargs: Any) -> Iterator[Context]:
        """The server's context for one command; the database is closed afterwards."""
        ctx = open_context(self.settings(**kwargs))
        try:
            yield ctx
        finally:
            ctx.db.close()

    def say(self, body: Any, *lines: str) -> None:
        """Print `body` as JSON if asked to, else the lines."""
        if self.as_json:
            click.echo(json.dumps(body, ensure_ascii=False, sort_keys=True))
        else:
            for line in lines:
                click.echo(line)

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """A bar with what is left, where someone is looking; nothing otherwise."""
        from rich.console import Console  # noqa: PLC0415 - most commands are over at once

        console = Console(stderr=True)
        if self.as_json or not console.is_terminal:
            yield silent
            return
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        words, bar, size = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
        columns = (words, bar, size, TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as shown:
            task = shown.add_task("beginning", total=None)

            def tell(step: Step) -> None:
                total = step.total or None
                shown.update(task, description=step.doing, completed=step.done, total=total)

            yield tell

    def table(
        self, body: Any, titles: Sequence[str], rows: Iterable[Sequence[Any]], none: str
    ) -> None:
        """Print `body` as JSON if asked to, else a table, or the sentence `none` without rows."""
        shown = [[_cell(value) for value in row] for row in rows]
        if self.as_json or not shown:
            self.say(body, none)
            return
        from rich import box  # noqa: PLC0415 - most commands print no table
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for title in titles:
            table.add_column(title, overflow="fold")
        for row in shown:
            table.add_row(*(Text(cell) for cell in row))
        Console(highlight=False).print(table)


def surroundings(function: Command) -> Command:
    """Give a click command or group the options `--data` and `--json`."""
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        help="The server's data folder (TAPAK_DATA, else ./tapak-data).",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return data(as_json(function))


def command(function: Command) -> Command:
    """Give a click command `--data` and `--json`, which its group may have been given already, a
    `Terminal` as first argument, and errors as three sentences on standard error, exit code 1.
    """

    @surroundings
    @functools.wraps(function)
    def wrapper(data: Path | None, as_json: bool, **kwargs: Any) -> Any:
        above = click.get_current_context().find_object(Given) or Given(None, False)
        folder = data or above.data or Path(os.environ.get("TAPAK_DATA") or "tapak-data")
        terminal = Terminal(folder, as_json or above.as_json)
        try:
            return function(terminal, **kwargs)
        except Problem as found:
            report(found, terminal.as_json)
            sys.exit(1)

    return wrapper


def report(found: Problem, as_json: bool) -> None:
    """Print a problem to standard error: what happened, what is safe, what to do."""
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, default=str), err=True)
        return
    for sentence in (found.happened, found.safe, found.remedy):
        click.echo(sentence, err=True)
    for fault in found.detail.get("faults", ()):
        at = fault["at"] if "at" in fault else f"{fault['file']}:{fault['line']}"
        click.echo(f"  {at}: {fault['message']} {fault['remedy']}", err=True)


def read_input(file: str, most: int = -1) -> bytes:
    """The bytes of a file, or of standard input for "-": the first `most` of them, where that is
    given. Raises a file problem.
    """
    if file == "-":
        return sys.stdin.buffer.read(most)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except FileNotFoundError as exc:
        raise problem("file-missing", name=file) from exc
    except OSError as exc:
        raise problem("file-unreadable", name=file, why=exc.strerror or str(exc)) from exc


def password_line() -> str:
    """The first line of standard input, without its line feed: a password."""
    try:
        line = sys.stdin.buffer.readline().decode("utf-8")
    except UnicodeDecodeError as exc:
        raise problem("fields-malformed", why="password: it is not valid text") from exc
    return line.rstrip("\r\n")


def write_output(output: Path, data: bytes, force: bool) -> None:
    """Write the file, whole or not at all; raises `file-exists` and `file-unwritable`."""
    if output.exists() and not force:
        raise problem("file-exists", name=str(output))
    beside = output.with_name(f".{output.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(output)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        raise problem("file-unwritable", name=str(output), why=exc.strerror or str(exc)) from exc


def names_a_file(name: str) -> bool:
    """Whether a word stands for a file, or standard input, rather than for a document's name."""
    return bool(_FILE.match(name)) or Path(name).is_file()


def when(at: int | None) -> str | None:
    """A time in UTC milliseconds as a person reads it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
