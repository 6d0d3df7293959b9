"""Tracks: a receiver's file is attached as it is, and the way in it recorded as entries (L5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fieldkit.blobs import Blobs
from fieldkit.capture import Recorder, load_inspection
from fieldkit.evidence import Attachment, attach_files
from sync.inspection import Inspection, Track
from sync.problems import Problem, problem
from sync.track import Summary, Way, summarise, thinned, ways, with_gaps
from sync.track_entry import track_values
from sync.track_file import LIMIT_BYTES, ReadTrack
from sync.track_reader import read_track

# A day and a half at one point a second; more is thinned, as every byte of it travels.
MOST_POINTS = 130_000
GPX_TYPE, NMEA_TYPE = "application/gpx+xml", "text/plain"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a track file shows; `track` is None where it cannot be read, and `problem` says why."""

    name: str
    sha256: str = ""
    size: int = 0
    track: ReadTrack | None = None
    way: Way | None = None
    summary: Summary | None = None
    problem: Problem | None = None

    @property
    def is_gpx(self) -> bool:
        return self.track is not None and self.track.format.startswith("GPX")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a track file: `state` is attached, changed, already-here or not-attached.

    `entries` were written now; `points` stand in them, `left_out` points do not.
    """

    looked: Looked
    state: str
    entries: int = 0
    points: int = 0
    left_out: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A way that stands in an inspection: whose, from which file, and what it shows."""

    device: str
    file: str
    name: str
    summary: Summary
    entries: int
    thinned_from: int | None


def look(file: Path) -> Looked:
    """Read a track file and touch nothing; what is wrong with it is in `problem`."""
    try:
        data = _read(file)
        track = read_track(data, file.name)
    except Problem as exc:
        return Looked(file.name, problem=exc)
    way = with_gaps(track.points, track.segments)
    sha256 = hashlib.sha256(data).hexdigest()
    return Looked(file.name, sha256, len(data), track, way, summarise(way))


def take_tracks(
    recorder: Recorder,
    blobs: Blobs,
    inspection: str,
    files: Iterable[Path],
    what: Attachment,
    most_points: int = MOST_POINTS,
) -> Iterator[Taken]:
    """Attach each file and record its way; one that cannot be read does not stop the others.

    Ended in between, the same command again records what is lacking.
    """
    for file in files:
        looked = look(file)
        if looked.way is None:
            yield Taken(looked, "not-attached", problem=looked.problem)
            continue
        media_type = GPX_TYPE if looked.is_gpx else NMEA_TYPE
        named = replace(what, media_type=media_type)
        (one,) = attach_files(recorder, blobs, inspection, [file], named)
        if one.state == "not-attached":
            yield Taken(looked, one.state, problem=one.problem)
        elif one.sha256 != looked.sha256:
            why = "it changed while it was read"
            changed = problem("file-unreadable", name=file.name, why=why)
            yield Taken(looked, "not-attached", problem=changed)
        else:
            yield _record(recorder, inspection, looked, thinned(looked.way, most_points), one.state)


def standing_tracks(inspection: Inspection) -> list[Standing]:
    """The ways that stand in an inspection, by device and file."""
    tracks = list(_tracks(inspection))
    names = {one.sha256: one.name for slot in inspection.evidence.values() for one in slot.heads}
    found: list[Standing] = []
    for (device, file), way in ways(tracks).items():
        parts = [t for t in tracks if (t.device, t.file) == (device, file)]
        whole = max((t.thinned_from or 0 for t in parts), default=0) or None
        name = names.get(file, "")
        found.append(Standing(device, file, name, summarise(way), len(parts), whole))
    return found


def ways_of(inspection: Inspection) -> list[Way]:
    """The ways of an inspection's tracks, without whose they are."""
    return list(ways(_tracks(inspection)).values())


def _record(recorder: Recorder, inspection: str, looked: Looked, kept: Way, state: str) -> Taken:
    """Write the points that are `kept` of a file's way, unless this device has done so before."""
    device = recorder.identity.device
    own = [t for t in _tracks(load_inspection(recorder.store, inspection)) if t.device == device]
    if any(t.file == looked.sha256 for t in own) or not kept.points:
        return Taken(looked, state, points=len(kept.points))
    whole = looked.summary.points if looked.summary is not None else 0
    left_out = whole - len(kept.points)
    values = track_values(
        "imported", looked.sha256, kept.points, kept.starts, whole if left_out else None
    )
    _write(recorder, inspection, looked.name, max((t.n for t in own), default=0) + 1, values)
    became = "changed" if state == "already-here" else state
    return Taken(looked, became, len(values), len(kept.points), left_out)


def _write(
    recorder: Recorder, inspection: str, name: str, n: int, values: Sequence[Mapping[str, Any]]
) -> None:
    """All entries of a track in one transaction: a part alone would look like a gap."""
    with recorder.store.writing(recorder.identity, recorder.now, name) as log:
        for offset, value in enumerate(values):
            log.append(inspection, f"track/{recorder.identity.device}/{n + offset}", value)


def _tracks(inspection: Inspection) -> Iterator[Track]:
    for slot in inspection.tracks.values():
        yield from slot.heads


def _read(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():
            raise problem("file-unreadable", name=str(file), why="it is not a file")
        size = file.stat().st_size
        if size > LIMIT_BYTES:
            raise problem("file-too-large", size=size, limit=LIMIT_BYTES)
        data = file.read_bytes()
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(file)) from exc
    except OSError as exc:
        raise problem("file-unreadable", name=str(file), why=exc.strerror or "unknown") from exc
    if not data:
        raise problem("file-empty", name=file.name)
    return data
