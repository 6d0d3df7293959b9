"""`tapak checklist check`: what a loader refuses, and what an author should know besides."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

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
    translation, limits table or profile, or the name of a checklist that comes with the program.

    Exit codes: 0 nothing amiss (notes may stand), 1 something amiss or a file that does not load,
    2 wrong use.
    """
    from checklists.check import AMISS
    from sync.problems import Problem

    files = [(name, *named_bytes(name)) for name in names]
    library = _library([_table(name) for name in tables], [data for _, data, _ in files])
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


def named_bytes(name: str) -> tuple[bytes, str]:
    """The bytes that a file, standard input (-) or a published checklist's name stands for, and the
    name to show; raises `file-missing` and `noun-unknown`.
    """
    from checklists import published

    if name == "-":
        return read_input(name), "standard input"
    if names_a_file(name):
        return read_input(name), name
    return published.checklist_bytes(name), f"{name} (published)"


def _table(name: str) -> Limits:
    from checklists import published
    from checklists.load_tables import load_limits

    if names_a_file(name):
        return load_limits(read_input(name), name)
    return load_limits(published.limits_bytes(name), f"limits/{name}.yaml")


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
