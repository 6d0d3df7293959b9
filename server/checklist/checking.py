"""`tapak checklist check`: what a loader refuses, and what an author should know besides."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from server.checklist.comparing import meant
from server.terminal import Terminal, command, names_a_file, read_input

if TYPE_CHECKING:
    from checklists.check import Checked, Library
    from checklists.model import Limits
    from sync.problems import Problem

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("check")
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.option("--limits", "tables", multiple=True, metavar="NAME|FILE", help="Tell its gaps, too.")
@click.option("--strict", is_flag=True, help="Notes count as amiss.")
@command
def check_command(
    terminal: Terminal, names: tuple[str, ...], tables: tuple[str, ...], strict: bool
) -> None:
    """Say what is amiss in each FILE, with its line and what to do: a checklist, part, recipe,
    translation, limits table, profile or a sheet's own words, or what `tapak checklist diff` takes
    for a checklist.

    Exit codes: 0 nothing amiss (notes may stand), 1 something amiss or a file that does not load,
    2 wrong use.
    """
    from checklists.check import AMISS
    from sync.problems import Problem

    files = [(name, *_bytes_of(terminal, name)) for name in names]
    library = _library(
        [table_named(terminal, name) for name in tables], [data for _, data, _ in files]
    )
    done, refused = [], []
    for _, data, shown_as in files:
        try:
            done.append(_checked(data, shown_as, library))
        except Problem as exc:
            if exc.code != "checklist-malformed":
                raise
            refused.append(exc)
    amiss = [f for one in done for f in one.findings if strict or f.rank == AMISS]
    terminal.say(_body(done, refused), *_lines(done, refused))
    if amiss or refused:
        sys.exit(1)


def table_named(terminal: Terminal, name: str) -> Limits:
    """The limits table that somebody means by a file or a name; raises `checklist-malformed` where
    it is something else.
    """
    from checklists.load_tables import load_limits

    given = meant(terminal, name)
    return load_limits(given.data, given.source)


def _bytes_of(terminal: Terminal, name: str) -> tuple[bytes, str]:
    """What a file, standard input (-) or a document's name stands for, and the name to show."""
    if names_a_file(name):
        return read_input(name), "standard input" if name == "-" else name
    given = meant(terminal, name)
    return given.data, given.source


def _library(tables: list[Limits], given: Iterable[bytes]) -> Library:
    """The library, with the checklists among what was given, whose analytes use limits too."""
    from checklists import published
    from checklists.check import Library
    from checklists.load import load_checklist
    from sync.problems import Problem

    others = []
    for data in given:
        try:
            others.append(load_checklist(data, ""))
        except Problem:
            continue  # it is no checklist, or its faults are told when its turn comes
    return Library(published.part_names(), published.part, published.translations(), tables, others)


def _checked(data: bytes, name: str, library: Library) -> Checked:
    from checklists.check import check

    return check(data, name, library)


def _body(done: list[Checked], refused: list[Problem]) -> dict[str, object]:
    return {
        "files": [{"file": one.file, "format": one.kind} for one in done],
        "faults": [fault for exc in refused for fault in exc.detail["faults"]],
        "findings": [f.to_json(one.file) for one in done for f in one.findings],
    }


def _lines(done: list[Checked], refused: list[Problem]) -> Iterable[str]:
    from checklists.check import AMISS

    for exc in refused:
        for fault in exc.detail["faults"]:
            yield f"{fault['file']}:{fault['line']}: refused: {fault['message']} {fault['remedy']}"
    for one in done:
        for found in one.findings:
            yield f"{one.file}:{found.line}: {found.rank}: {found.message} {found.remedy}"
    for one in done:
        amiss = sum(f.rank == AMISS for f in one.findings)
        notes = len(one.findings) - amiss
        told = f"{amiss} amiss" if amiss else "nothing amiss"
        yield f"{one.file}: {told}, {notes} {'note' if notes == 1 else 'notes'}."
