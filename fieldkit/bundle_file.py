"""Bundles as files on a disk or stick: a name of their own, room for them, whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fieldkit.bundle_content import Content, Maker, bundle_bytes
from fieldkit.bundle_sealing import Seal
from fieldkit.disk import WRITING, named, part_name, settle, settle_folder, sweep_parts
from fieldkit.show import size as told_size
from sync.bundle import SUFFIX
from sync.problems import problem

Tell = Callable[[int, int], object]  # bytes written, bytes in all


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle that is whole on its disk; `size` in bytes, `sha256` of what was written."""

    path: Path
    size: int
    content: Content
    sha256: str


def targets(path: Path, maker: Maker, contents: list[Content]) -> list[Path]:
    """Where each bundle goes: below a folder under a name of its own, else at the path given.

    Raises `bundle-exists`, `folder-read-only`.
    """
    if path.is_dir():
        stamp = datetime.fromtimestamp(maker.now / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        by, whom = _plain(maker.identity.person_name), _plain(contents[0].made_for)
        path = path / f"tapak-{stamp}-{by}-{maker.identity.device[:6]}-for-{whom}{SUFFIX}"
    elif not path.parent.is_dir():
        why = "there is no such folder"
        raise problem("folder-read-only", folder=str(path.parent), why=why)
    many = len(contents)
    found = [path]
    if many > 1:
        found = [path.with_stem(f"{path.stem}-{n}of{many}") for n in range(1, many + 1)]
    for one in found:
        if one.exists():
            raise problem("bundle-exists", name=str(one))
    return found


def made_for_in_name(path: Path) -> str:
    """A sentence on whom a bundle was made for, as far as its file's name says so."""
    match = re.search(r"-for-(.+?)(-\d+of\d+)?$", path.stem)
    return "" if match is None else f" By its name it was made for: {match[1]}."


def write_bundles(
    path: Path, maker: Maker, contents: list[Content], seal: Seal, tell: Tell
) -> list[Written]:
    """Write the bundles, each whole under its name or not there at all.

    Raises `bundle-exists`, `bundle-no-room`, `bundle-disk-limit`, `disk-full`,
    `folder-read-only`, and `file-digest` where a file changed on this device's disk.
    """
    seal.check()
    places = targets(path, maker, contents)
    folder = places[0].parent
    with named("the bundle", folder), suppress(PermissionError):
        sweep_parts(folder, f".*{SUFFIX}.*.part")
    total = sum(content.file_bytes for content in contents)
    _check_room(folder, total + len(contents) * _log_bytes(maker, contents[0]))
    done: list[Written] = []
    before = 0
    for place, content in zip(places, contents, strict=True):
        done.append(_write(place, maker, content, seal, partial(_further, tell, before, total)))
        before += content.file_bytes
    return done


def _further(tell: Tell, before: int, total: int, done: int) -> None:
    tell(min(before + done, total), total)


def _write(
    place: Path, maker: Maker, content: Content, seal: Seal, tell: Callable[[int], object]
) -> Written:
    part = part_name(place)
    size, digest = 0, hashlib.sha256()
    try:
        with named("the bundle", place.parent):
            descriptor = os.open(part, WRITING, 0o600)
            with os.fdopen(descriptor, "wb") as file:

                def write(data: bytes) -> None:
                    nonlocal size
                    file.write(data)
                    digest.update(data)
                    size += len(data)
                    tell(size)

                seal.seal(bundle_bytes(maker, content), write)
                file.flush()
                settle(file.fileno())
            _give_name(part, place)
            settle_folder(place.parent)
    except OSError as exc:
        if exc.errno == errno.EFBIG:
            raise problem("bundle-disk-limit", size=told_size(content.file_bytes)) from exc
        raise
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return Written(place, size, content, digest.hexdigest())


def _give_name(part: Path, place: Path) -> None:
    """The name, unless it was taken meanwhile: nothing is ever overwritten."""
    try:
        os.link(part, place)
    except FileExistsError as exc:
        raise problem("bundle-exists", name=str(place)) from exc
    except OSError:  # a stick's file system has no links
        if place.exists():
            raise problem("bundle-exists", name=str(place)) from None
        part.replace(place)


def _check_room(folder: Path, needed: int) -> None:
    with named("the bundle", folder):
        free = shutil.disk_usage(folder).free
    needed += needed // 1000 + 64 * 1024  # the seal adds 16 bytes to each 64 kB
    if free < needed:
        raise problem(
            "bundle-no-room", needed=told_size(needed), folder=str(folder), free=told_size(free)
        )


def _log_bytes(maker: Maker, content: Content) -> int:
    rows = maker.store.database.rows("select coalesce(sum(length(line) + 1), 0) from lines")
    return int(rows[0][0])


def found_in(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The bundles at these paths: files as they are given, and in folders those named so.

    Raises `file-missing` and `bundle-no-files`.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix == SUFFIX and p.is_file())
            if not inside:
                raise problem("bundle-no-files", folder=str(path))
            yield from inside
        elif path.exists():
            yield path
        else:
            raise problem("file-missing", name=str(path))


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:40] or "somebody"
