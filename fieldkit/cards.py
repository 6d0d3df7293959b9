"""The pictures in files, folders and camera cards, found one after the other in a steady order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sync.problems import Problem, problem

# A picture by its name goes in, whether or not it can be read: what cannot is kept and named.
PICTURES = frozenset(
    {
        "jpg", "jpeg", "jpe", "jfif", "jif", "mpo", "tif", "tiff", "png", "apng", "webp", "heic",
        "heif", "heics", "heifs", "hif", "avif", "avifs", "gif", "bmp", "dib", "ico", "psd", "jp2",
        "j2k", "jpx", "jxl", "dng", "raw", "arw", "cr2", "cr3", "crw", "nef", "nrw", "orf", "pef",
        "raf", "rw2", "srw", "3fr",
    }
)  # fmt: skip
FILMS = frozenset(
    {
        "mp4", "m4v", "mov", "avi", "mts", "m2ts", "mpg", "mpeg", "mkv", "webm", "3gp", "3g2",
        "wmv", "flv", "insv", "lrv", "lrf", "360", "vob",
    }
)  # fmt: skip
# Names that say plainly that it is no photograph: side files of cameras, texts, sounds.
_OTHERS = frozenset(
    {
        "aae", "bup", "cpi", "csv", "ctg", "dat", "db", "html", "htm", "ifo", "ind", "inf", "ini",
        "json", "log", "md", "mpl", "nmea", "gpx", "pdf", "rst", "rsv", "sav", "thm", "txt", "url",
        "wav", "mp3", "m4a", "xml", "xmp", "zip",
    }
)  # fmt: skip
# What cameras, phones and computers leave on a card for themselves. Hidden names are left anyway.
_LEFT_FOLDERS = frozenset(
    (
        "__macosx",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost.dir",
        "lost+found",
        "found.000",
        "@eadir",
        "thmbnl",
        "thumbnails",
        "android",
    )
)
# How a picture's bytes begin, for those whose name does not say it.
_OPENINGS = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (8, b"WEBP"),
    (4, b"ftyphei"),
    (4, b"ftyphev"),
    (4, b"ftypmif1"),
    (4, b"ftypmsf1"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One file: a picture to attach (`problem` is None), or something to name and not attach."""

    path: Path
    problem: Problem | None = None


def find_pictures(given: Iterable[Path]) -> Iterator[Found]:
    """Each file that was given by name, whatever it is, and the pictures of each folder.

    Folders are read to their depths, names sorted, links to folders not followed. Films are named
    (`film-not-attached`), folders that cannot be read too (`file-unreadable`); what is no picture
    is passed over. Only one folder's names at a depth are held at a time.
    """
    for path in given:
        if _is(path.is_dir):
            yield from _in_folder(path)
        else:
            yield Found(path)


def _in_folder(folder: Path) -> Iterator[Found]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as exc:
        why = exc.strerror or "unknown"
        yield Found(folder, problem("file-unreadable", name=str(folder), why=why))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if _is(partial(entry.is_dir, follow_symlinks=False)):
            if entry.name.lower() not in _LEFT_FOLDERS:
                yield from _in_folder(path)
        elif _is(entry.is_file):
            kind = path.suffix[1:].lower()
            if kind in FILMS:
                yield Found(path, problem("film-not-attached", name=entry.name))
            elif kind in PICTURES or (kind not in _OTHERS and _opens_as_picture(path)):
                yield Found(path)


def _is(asked: Callable[[], bool]) -> bool:
    """What asking a file system says; no where it cannot tell."""
    try:
        return asked()
    except OSError:
        return False


def _opens_as_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            opening = file.read(16)
    except OSError:
        return False
    return any(opening[at:].startswith(mark) for at, mark in _OPENINGS)
