"""photo and attach: files that support what was recorded."""

from __future__ import annotations

from pathlib import Path

import click

from fieldkit import show
from fieldkit.cards import Found, find_pictures
from fieldkit.commands.attached import report
from fieldkit.commands.desk import Desk, camera_offset_option, desk, fix_option, inspection_option
from fieldkit.commands.placed import place_and_tell
from fieldkit.evidence import Attached, Attachment, attach_files, attach_photos, item_paths
from sync.camera_clock import ClockOffset
from sync.inspection import SOURCES, Fix

_FILES = click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
_ITEMS = click.option(
    "--item", "items", multiple=True, metavar="ITEM[/INSTANCE]", help="What it supports."
)
_NOTE = click.option("--note", default="", help="A note, without names of people.")


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path)
)
@_ITEMS
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default="imported",
    show_default=True,
    help="Where the picture comes from; a camera's card is imported.",
)
@fix_option
@click.option(
    "--from-track", is_flag=True, help="Give pictures without a position one from the track."
)
@camera_offset_option
@_NOTE
@inspection_option
@desk
def photo(
    at: Desk,
    files: tuple[Path, ...],
    items: tuple[str, ...],
    source: str,
    fix: Fix | None,
    from_track: bool,
    camera_offset: ClockOffset | None,
    note: str,
    inspection: str | None,
) -> None:
    """Attach pictures: files, folders, a camera's whole card.

    The same picture again is one picture. A picture that cannot be read is kept all the same.
    """
    recorder, which = at.recorder(), at.inspection(inspection)
    blobs = at.blobs
    blobs.sweep()
    paths = item_paths(recorder, which, items)
    what = Attachment("photo", source, paths, note, fix)
    found = map(_from, find_pictures(files))
    report(
        at,
        attach_photos(recorder, blobs, which, found, what),
        count=lambda: sum(1 for _ in find_pictures(files)),
        last=(lambda: place_and_tell(at, recorder, which, camera_offset)) if from_track else None,
    )


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
    report(at, attach_files(recorder, blobs, which, files, what))


def _from(found: Found) -> Path | Attached:
    """A picture to attach, or what is said of a file that is none."""
    if found.problem is None:
        return found.path
    state = "left-out" if found.problem.code == "film-not-attached" else "not-attached"
    return Attached(found.path.name, state, problem=found.problem)
