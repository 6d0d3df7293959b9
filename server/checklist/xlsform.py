"""`tapak checklist export` and `import`: checklists as XLSForms, and back as drafts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.checklist.comparing import meant
from server.terminal import Terminal, command, read_input, write_output

if TYPE_CHECKING:
    from checklists.xlsform.draft import Draft

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

_HEADS = {
    "left-out": "Without a counterpart",
    "assumed": "Taken, but look at it",
    "to-complete": "To be completed before it can be used",
}


@click.command("export")
@click.argument("checklist")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The workbook to write, such as form.xlsx.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@command
def export_command(terminal: Terminal, checklist: str, output: Path, force: bool) -> None:
    """Write CHECKLIST as an XLSForm, for ODK and KoboToolbox.

    It is a FILE, the beginning of a digest, NAME@VERSION, or a NAME: the one published last on this
    server, else the one that comes with the program.
    """
    from checklists.load import load_checklist
    from checklists.xlsform.export import to_xlsform
    from checklists.xlsform.workbook import write_workbook

    given = meant(terminal, checklist)
    found = load_checklist(given.data, given.source)
    body = write_workbook(to_xlsform(found))
    write_output(output, body, force)
    items = sum(1 for _ in found.items())
    terminal.say(
        {"file": str(output), "checklist": found.id, "version": found.version, "items": items},
        f"{output}: {found.id} {found.version}, {items} items, as an XLSForm.",
    )


@click.command("import")
@click.argument("form")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The draft to write, such as draft.yaml.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@command
def import_command(terminal: Terminal, form: str, output: Path, force: bool) -> None:
    """Make a draft of a checklist of FORM, an XLSForm (.xlsx), and say what it cannot hold."""
    from checklists.xlsform.draft import to_draft
    from checklists.xlsform.workbook import MAX_BYTES, read_workbook

    name = "standard input" if form == "-" else Path(form).name
    data = read_input(form, MAX_BYTES + 1)
    draft = to_draft(*read_workbook(data, name), name)
    write_output(output, draft.data, force)
    terminal.say(_body(draft, output), *_lines(draft, output))


def _body(draft: Draft, output: Path) -> dict[str, Any]:
    from checklists.xlsform.book import letters

    return {
        "file": str(output),
        "complete": draft.checklist is not None,
        "sections": draft.sections,
        "items": draft.items,
        "observed": draft.observed,
        "more": draft.more,
        "messages": [
            {
                "at": str(one.place),
                "sheet": one.place.sheet,
                "row": one.place.row,
                "column": letters(one.place.column),
                "kind": one.kind,
                "reason": one.reason,
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in draft.messages
        ],
    }


def _lines(draft: Draft, output: Path) -> Iterator[str]:
    counts = f"{draft.sections} sections, {draft.items} items, {draft.observed} observations"
    state = "complete" if draft.checklist is not None else "not complete yet"
    yield f"{output}: {counts}; {state}."
    for kind, head in _HEADS.items():
        found = draft.of_kind(kind)
        if found:
            yield f"{head} ({len(found)}):"
            yield from (f"  {one}" for one in found)
    if draft.more:
        yield f"And {draft.more} more that are not listed."
