"""`tapak checklist new`: a draft to begin from. `stamp`: of which English a translation is."""

from __future__ import annotations

from pathlib import Path

import click

from server.terminal import Terminal, command, read_input, write_output

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415


@click.command("new")
@click.argument("checklist_id", metavar="ID")
@click.option("--title", help="Its title in English; else made from ID.")
@click.option("--process", "processes", multiple=True, help="A process of the site, or several.")
@click.option("--part", "parts", multiple=True, help="A part of the library, or several.")
@click.option("--lang", "languages", multiple=True, help="Translations to take along; else all.")
@click.option("--out", metavar="FILE", help="Where to write it; - for the screen, else ID.yaml.")
@click.option("--force", is_flag=True, help="Replace the file.")
@command
def new_command(
    terminal: Terminal,
    checklist_id: str,
    title: str | None,
    processes: tuple[str, ...],
    parts: tuple[str, ...],
    languages: tuple[str, ...],
    out: str | None,
    force: bool,
) -> None:
    """Write a draft checklist named ID: composed of the library's parts for the processes or parts
    that are named, else a short example with comments.

    Processes: in-situ-leach, hard-rock, cracking, separation, residue-storage, metal-making,
    magnet-making, recycling, logistics.
    """
    from checklists import draft
    from checklists.load import load_checklist

    if languages and not (processes or parts):
        raise click.UsageError("--lang goes with --process or --part: the example is in English.")
    named = title or checklist_id.replace("-", " ").capitalize()
    wanted = dict.fromkeys((*(draft.parts_for(processes) if processes else ()), *parts))
    if wanted:
        body = draft.composed_draft(checklist_id, named, list(wanted), languages or None)
    else:
        body = draft.blank_draft(checklist_id, named)
    place = out or f"{checklist_id}.yaml"
    made = load_checklist(body, place)
    if place == "-":
        click.echo(body.decode(), nl=False)
        return
    write_output(Path(place), body, force)
    items = sum(1 for _ in made.items())
    terminal.say(
        {
            "file": place,
            "id": made.id,
            "version": made.version,
            "parts": list(wanted),
            "languages": list(made.languages),
            "items": items,
        },
        f"Written: {place}, {items} items in {len(made.sections)} sections, "
        f"languages {', '.join(made.languages)}.",
        f"Then: tapak checklist check {place}",
    )


@click.command("stamp")
@click.argument("file")
@command
def stamp_command(terminal: Terminal, file: str) -> None:
    """Write into a translation FILE of which English its texts are, where that is not said yet.

    A mark that stands there is left alone: whoever changes one says to have looked at it again.
    """
    from checklists.published import part
    from checklists.translations import read_translation, stamped

    before = read_input(file)
    done = read_translation(before, file)
    after = stamped(before, part(done.part))
    marks = len(read_translation(after, file).of) - len(done.of)
    if after != before:
        Path(file).write_bytes(after)
    terminal.say({"file": file, "marks": marks}, f"Marks written into {file}: {marks}.")
