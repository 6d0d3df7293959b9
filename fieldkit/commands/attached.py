"""Telling what became of each file as it goes, and what there was in all."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, exit_code
from fieldkit.evidence import Attached
from sync.photo_exif import GPS_NONE, GPS_POSITION
from sync.problems import Problem, problem

_WORDS = {"attached": "attached", "changed": "changed", "already-here": "already here"}


def report(
    at: Desk,
    attached: Iterable[Attached],
    count: Callable[[], int] | None = None,
    last: Callable[[], Mapping[str, Any]] | None = None,
) -> None:
    """Say what became of each file as it goes, then what there was in all.

    `count` counts the files beforehand, for a bar where someone is looking. `last` is done once
    all are attached: it speaks for itself, and gives what JSON holds of it. Exit code 1 when a
    file was not attached. Nothing is held of a file once it is told.
    """
    found: Counter[str] = Counter()
    tell = _Json() if at.json else _Lines()
    trouble: Problem | None = None
    with _stoppable() as stopped, _bar(at, count) as step:
        try:
            for one in attached:
                _count(found, one)
                tell.one(one)
                step()
                if stopped():
                    trouble = problem("stopped")
                    break
        except Problem as exc:
            trouble = exc
    more: Mapping[str, Any] = {}
    if not at.json:
        tell.end(found, trouble, more)
    if last is not None and trouble is None:
        try:
            more = last()
        except Problem as exc:
            trouble = exc
            if not at.json:
                show.trouble(exc)
    if at.json:
        tell.end(found, trouble, more)
    if trouble is not None:
        click.get_current_context().exit(exit_code(trouble))
    if found["not-attached"]:
        click.get_current_context().exit(1)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C waits for the file under way, so that what is said is whole; pressed again, it stops
    at once. What is called says whether it was pressed.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield lambda: False
        return
    pressed: list[int] = []

    def note(number: int, _frame: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _count(found: Counter[str], one: Attached) -> None:
    found[one.state] += 1
    if one.facts is not None:
        has_position = one.facts.get("gps_block") == GPS_POSITION
        found["position" if has_position else "no-position"] += 1
    elif one.problem is not None and one.state in _WORDS:
        found["unreadable"] += 1


class _Lines:
    """For people: a line a file, and at the end what there was in all."""

    def one(self, one: Attached) -> None:
        if one.state not in _WORDS:
            if one.problem is not None:
                show.warn(f"{one.name}  not attached: {one.problem.happened} {one.problem.remedy}")
            return
        what = f"{one.sha256[:12]}  {show.size(one.size)}  {_WORDS[one.state]}{_position(one)}"
        show.facts([(one.name, what)])
        if one.problem is not None:
            show.warn(f"{one.name}  {one.problem.happened} {one.problem.safe}")

    def end(self, found: Counter[str], trouble: Problem | None, more: Mapping[str, Any]) -> None:
        show.note(summary(found))
        if trouble is not None:
            show.trouble(trouble)


class _Json:
    """For programs: one JSON value, written as it grows."""

    def __init__(self) -> None:
        self._files = 0

    def one(self, one: Attached) -> None:
        before = ",\n" if self._files else '{"files": [\n'
        click.echo(f"{before}{_one_line(_data(one))}", nl=False)
        self._files += 1

    def end(self, found: Counter[str], trouble: Problem | None, more: Mapping[str, Any]) -> None:
        said = {
            "attached": found["attached"],
            "changed": found["changed"],
            "already_here": found["already-here"],
            "unreadable": found["unreadable"],
            "not_attached": found["not-attached"],
            "left_out": found["left-out"],
            "with_position": found["position"],
            "without_position": found["no-position"],
        }
        opened = "\n" if self._files else '{"files": ['
        last = dict(more) if trouble is None else {"problem": trouble.to_json()}
        rest = "".join(f",\n{_one_line(key)}: {_one_line(value)}" for key, value in last.items())
        click.echo(f'{opened}],\n"summary": {_one_line(said)}{rest}}}')


def summary(found: Counter[str]) -> str:
    """What there was in all, in one sentence for each thing there was."""
    if not found.total():
        return "No pictures were found there."
    parts = [f"{found['attached']} attached"]
    if found["changed"]:
        parts.append(f"{found['changed']} changed")
    if found["already-here"]:
        parts.append(f"{found['already-here']} already here")
    if found["not-attached"]:
        parts.append(f"{found['not-attached']} not attached")
    if found["left-out"]:
        parts.append(f"{show.number(found['left-out'], 'film')} left out")
    text = f"{', '.join(parts)}."
    if found["position"] or found["no-position"]:
        text += f" {found['position']} with a position, {found['no-position']} without."
    if found["unreadable"]:
        text += f" {found['unreadable']} cannot be read, and are kept as they are."
    return text


@contextmanager
def _bar(at: Desk, count: Callable[[], int] | None) -> Iterator[Callable[[], None]]:
    """A bar where someone is looking, nothing otherwise; what is called moves it by a file."""
    if at.json or count is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task("", total=count())
        yield lambda: bar.advance(task)


def _position(one: Attached) -> str:
    facts = one.facts
    if facts is None:
        return ""
    if facts.get("gps_block") == GPS_POSITION:
        return f", position {facts['lat']}, {facts['lon']}"
    if facts.get("gps_block") == GPS_NONE:
        return ", no position in it"
    return ", a receiver's block without a position in it"


def _data(one: Attached) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "sha256": one.sha256 or None,
        "size": one.size,
        "facts": dict(one.facts) if one.facts is not None else None,
        "problem": one.problem.to_json() if one.problem is not None else None,
    }


def _one_line(value: object) -> str:
    return json.dumps(value)  # names that are no text travel as JSON's escapes
