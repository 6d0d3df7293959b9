"""facts: what pictures say of themselves, as JSON lines or to be read. It touches nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.cards import find_pictures
from fieldkit.commands.desk import Desk, desk
from sync.photo_batch import Reading
from sync.photo_exif import GPS_NONE, GPS_POSITION
from sync.problems import problem

READERS = 2
_SPELLED = re.compile(r"[\s_-]")
_NUMBERS = ("lat", "lon", "altitude_m", "direction_deg", "accuracy_m")
_FIRST = (*_NUMBERS, "gps_time", "camera_time", "orientation", "make", "model", "software")
_ORDER = (
    *_FIRST,
    *("sha256", "phash", "gps_block", "datum", "direction_ref", "camera_offset", "modified_time"),
    *("exif", "media_type", "width", "height", "size"),
)


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path)
)
@desk
def facts(at: Desk, files: tuple[Path, ...]) -> None:
    """Show what pictures say of themselves, and attach nothing.

    With --json, one JSON object a line: the facts, numbers as numbers, or `error` with its code
    and the reason. Exit code 1 when there was an error in any file. No enrolment, no device
    folder and no network are needed, and nothing is written.
    """
    failed = False
    for reading in _readings(files):
        failed = failed or reading.facts is None
        if at.json:
            # Names that are no text travel as JSON's escapes.
            click.echo(json.dumps(as_object(reading)))
        else:
            show.facts(_rows(reading))
            click.echo()
    if failed:
        click.get_current_context().exit(1)


def as_object(reading: Reading) -> dict[str, Any]:
    """One line of the answer: the facts with their numbers as numbers, or the error."""
    name = os.fspath(reading.path)
    if reading.facts is None:
        fault = reading.problem or problem("picture-unreadable", why="nothing is known of it")
        return {"file": name, "error": fault.code, "reason": fault.happened}
    return {"file": name} | {key: _value(key, reading.facts[key]) for key in _ORDER}


def _readings(files: tuple[Path, ...]) -> Iterator[Reading]:
    from fieldkit.imaging import read_files

    def wanted() -> Iterator[Path | Reading]:
        for found in find_pictures(files):
            if found.problem is None:
                yield found.path
            elif found.problem.code != "film-not-attached":
                yield Reading(found.path, problem=found.problem)

    return read_files(wanted(), processes=READERS)


def _value(key: str, value: Any) -> Any:
    return float(value) if key in _NUMBERS and value is not None else value


def _rows(reading: Reading) -> list[show.Fact]:
    name = os.fspath(reading.path).encode("utf-8", "replace").decode("utf-8")
    found = reading.facts
    if found is None:
        said = as_object(reading)
        return [("file", name), ("error", f"{said['error']}: {said['reason']}")]
    rows: list[show.Fact] = [("file", name), ("position", _position(found))]
    if found["altitude_m"] is not None:
        rows.append(("height", f"{found['altitude_m']} m"))
    if found["direction_deg"] is not None:
        north = f" from {found['direction_ref']} north" if found["direction_ref"] else ""
        rows.append(("direction", f"{found['direction_deg']}°{north}"))
    if found["gps_time"] is not None:
        rows.append(("receiver's time", found["gps_time"]))
    if found["camera_time"] is not None:
        zone = found["camera_offset"] or ", its zone not said"
        rows.append(("camera's time", f"{found['camera_time']}{zone}"))
    camera = " ".join(found[k] for k in ("make", "model") if found[k])
    rows += [("camera", camera)] if camera else []
    rows += [("software", found["software"])] if found["software"] else []
    turned = f", orientation {found['orientation']}" if found["orientation"] else ""
    size = f"{found['width']} × {found['height']}, {show.size(found['size'])}"
    rows.append(("picture", f"{found['media_type']}, {size}{turned}"))
    return [*rows, ("sha256", found["sha256"]), ("phash", found["phash"])]


def _position(found: Mapping[str, Any]) -> str:
    if found["gps_block"] == GPS_NONE:
        return "none: no receiver's block in it"
    if found["gps_block"] != GPS_POSITION:
        return "none: a receiver's block without a position"
    accuracy = f" ±{found['accuracy_m']} m" if found["accuracy_m"] is not None else ""
    named = found["datum"] or ""
    datum = "" if _SPELLED.sub("", named).upper() in ("", "WGS84") else f", datum {named}"
    return f"{found['lat']}, {found['lon']}{accuracy}{datum}"
