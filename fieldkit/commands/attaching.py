"""photo and attach: files that support what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, fix_option, inspection_option
from fieldkit.evidence import Attached, Attachment, attach_files, attach_photos, item_paths
from sync.inspection import SOURCES, Fix

_FILES = click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
_ITEMS = click.option(
    "--item", "items", multiple=True, metavar="ITEM[/INSTANCE]", help="What it supports."
)
_NOTE = click.option("--note", default="", help="A note, without names of people.")


@click.command()
@_FILES
@_ITEMS
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default="imported",
    show_default=True,
    help="Where the picture comes from; a camera's card is imported.",
)
@fix_option
@_NOTE
@inspection_option
@desk
def photo(
    at: Desk,
    files: tuple[Path, ...],
    items: tuple[str, ...],
    source: str,
    fix: Fix | None,
    note: str,
    inspection: str | None,
) -> None:
    """Attach pictures; the same picture again is one picture."""
    recorder, which = at.recorder(), at.inspection(inspection)
    blobs = at.blobs
    blobs.sweep()
    paths = item_paths(recorder, which, items)
    what = Attachment("photo", source, paths, note, fix)
    _report(at, attach_photos(recorder, blobs, which, files, what))


@click.command()
@_FILES
@click.option(
    "--kind",
    type=click.Choice(["document", "sample", "interview", "track"]),
    required=True,
    help="What kind of evidence it is.",
)
@_ITEMS
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default="imported",
    show_default=True,
    help="Its origin.",
)
@fix_option
@_NOTE
@inspection_option
@desk
def attach(
    at: Desk,
    files: tuple[Path, ...],
    kind: str,
    items: tuple[str, ...],
    source: str,
    fix: Fix | None,
    note: str,
    inspection: str | None,
) -> None:
    """Attach documents, laboratory reports, interviews or tracks."""
    recorder, which = at.recorder(), at.inspection(inspection)
    blobs = at.blobs
    blobs.sweep()
    if kind == "interview" and not at.json:
        show.warn(
            "An interview must hold no name, voice or place by which a person could be found."
        )
    paths = item_paths(recorder, which, items)
    what = Attachment(kind, source, paths, note, fix)
    _report(at, attach_files(recorder, blobs, which, files, what))


def _report(at: Desk, attached: Iterable[Attached]) -> None:
    """Say what became of each file as it goes; exit code 1 when one was not attached."""
    done: list[dict[str, Any]] = []
    for one in attached:
        done.append(_data(one))
        if at.json:
            continue
        if one.state == "not-attached" and one.problem is not None:
            show.warn(f"{one.name}  not attached: {one.problem.happened} {one.problem.remedy}")
            continue
        show.facts([(one.name, f"{one.sha256[:12]}  {show.size(one.size)}  {_text(one)}")])
        if one.problem is not None:
            show.warn(f"{one.name}  {one.problem.happened} {one.problem.safe}")
    if at.json:
        show.data({"files": done})
    if any(one["state"] == "not-attached" for one in done):
        click.get_current_context().exit(1)


def _text(one: Attached) -> str:
    words = {"attached": "attached", "changed": "changed", "already-here": "already here"}
    return f"{words[one.state]}{_position(one)}"


def _position(one: Attached) -> str:
    facts = one.facts
    if facts is None:
        return ""
    if facts.get("gps_block") == "position":
        return f", position {facts['lat']}, {facts['lon']}"
    return ", no position in it"


def _data(one: Attached) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "sha256": one.sha256 or None,
        "size": one.size,
        "facts": dict(one.facts) if one.facts is not None else None,
        "problem": one.problem.to_json() if one.problem is not None else None,
    }
