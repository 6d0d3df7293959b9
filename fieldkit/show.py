"""How the terminal speaks: one column of aligned facts; colour only helps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from sync.problems import Problem

Fact = tuple[str, object]


def facts(rows: Sequence[Fact]) -> None:
    """Print label and value, labels aligned; a value of several lines stays in its column."""
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        first, *more = str(value).split("\n")
        click.echo(f"{click.style(label.ljust(width), dim=True)}  {first}".rstrip())
        for line in more:
            click.echo(f"{'':{width}}  {line}".rstrip())


def data(value: Any) -> None:
    """Print one JSON value."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def trouble(exc: Problem) -> None:
    """Print what happened, what is safe, and what to do, each on its line, on standard error."""
    click.echo(click.style(exc.happened, fg="red"), err=True)
    click.echo(exc.safe, err=True)
    click.echo(exc.remedy, err=True)


def warn(text: str) -> None:
    """Print one line that needs the reader's eye, on standard error."""
    click.echo(click.style(text, fg="yellow"), err=True)


def note(text: str) -> None:
    """Print one line about the whole, on standard error: it is no line of the result."""
    click.echo(text, err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[str]) -> None:
    """Print a plain table; the columns named in `numbers` are set to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        shown.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def size(count: int) -> str:
    """Bytes as a person reads them: 812 B, 4.2 kB, 2.1 MB."""
    if count < 1000:
        return f"{count} B"
    for unit in ("kB", "MB", "GB"):
        if count < 999_950 or unit == "GB":
            return f"{count / 1000:.1f} {unit}"
        count //= 1000
    return ""


def number(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 file, 3 files."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def time(at: int) -> str:
    """A time in UTC milliseconds as 23 Nov 2026, 14:05 (UTC+8), in this computer's zone."""
    there = datetime.fromtimestamp(at / 1000, UTC).astimezone()
    offset = there.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    hours, rest = divmod(abs(minutes), 60)
    zone = f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    return f"{there.day} {there:%b %Y, %H:%M} (UTC{zone})"
