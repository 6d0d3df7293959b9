"""`tapak checklist preview`: how a checklist reads, in the terminal, as a page, and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.checklist.checking import table_named
from server.checklist.comparing import meant
from server.terminal import Terminal, command, write_output
from sync.nearest import nearest
from sync.problems import problem

if TYPE_CHECKING:
    from checklists.model import Checklist

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

_FONTS = (
    "The page carries no fonts: whoever reads it needs some for its script, as telephones and "
    "computers of this decade have. To put them in the page: pip install 'tapak[print]'."
)
_OUT = click.Path(path_type=Path, dir_okay=False)


@click.command("preview")
@click.argument("checklist")
@click.option("--lang", "language", default="en", show_default=True, help="The language to show.")
@click.option("--html", type=_OUT, help="Write it as a page.")
@click.option("--pdf", type=_OUT, help="Write it for printing (needs the extra `print`).")
@click.option("--limits", "tables", multiple=True, metavar="NAME|FILE", help="Show its limits.")
@click.option(
    "--fonts",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder with more fonts for the PDF.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@command
def preview_command(
    terminal: Terminal,
    checklist: str,
    language: str,
    html: Path | None,
    pdf: Path | None,
    tables: tuple[str, ...],
    fonts: tuple[Path, ...],
    force: bool,
) -> None:
    """Show how CHECKLIST reads in a language: in the terminal, or written as a page or a PDF. A
    text that is missing in the language is shown in English and marked [en].

    It is a FILE, the beginning of a digest, NAME@VERSION, or a NAME: the one published last on this
    server, else the one that comes with the program. A recipe is composed first.
    """
    from checklists.sheet import as_text, sheet, told

    found = _checklist(terminal, checklist)
    if language not in found.languages:
        near = nearest(language, found.languages)
        raise problem("noun-unknown", noun="language of the checklist", name=language, nearest=near)
    laid = sheet(found, language, [table_named(terminal, name) for name in tables])
    written, remarks = [], told(laid)
    if html is not None:
        from server.checklist.sheet_page import needs_fonts, page

        write_output(html, page(laid), force)
        written.append(str(html))
        if needs_fonts(laid):
            remarks.append(_FONTS)
    if pdf is not None:
        from server.checklist import sheet_print

        write_output(pdf, sheet_print.pdf(laid, fonts), force)
        written.append(str(pdf))
    if written:
        terminal.say(
            {"files": written, "told": laid["told"]},
            f"Written: {', '.join(written)}.",
            *remarks,
        )
    else:
        terminal.say(laid, *as_text(laid))


def _checklist(terminal: Terminal, name: str) -> Checklist:
    from checklists import published
    from checklists.compose import RECIPE_FORMAT, compose, read_recipe
    from checklists.load import load_checklist
    from checklists.yaml_lines import Faults, Keyed, Scalar, read_yaml

    given = meant(terminal, name)
    root = read_yaml(given.data, Faults(given.source))
    said = root.get("format") if isinstance(root, Keyed) else None
    if isinstance(said, Scalar) and said.text == RECIPE_FORMAT:
        recipe = read_recipe(given.data, given.source, published.part_names())
        composed = compose(recipe, published.part, published.translations())
        return load_checklist(composed, f"{given.source} (composed)")
    return load_checklist(given.data, given.source)
