"""Photos without a position get one from the inspection's tracks, by the time they were taken.

A picture's own position is never touched, nor one that somebody typed; what was placed from a
track before is placed anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fieldkit.capture import Recorder, load_inspection
from fieldkit.fixes import fix_value
from fieldkit.tracks import ways_of
from sync.camera_clock import Camera, ClockOffset, camera_of, estimate, taken_at, times_differ
from sync.inspection import Evidence, Fix, Inspection
from sync.photo_exif import GPS_POSITION
from sync.problems import problem
from sync.track_match import SOURCE, NoPlace, Timeline, place, timeline

# Taken from elsewhere than where the auditor walked, or not at the time at all.
_NOT_ON_THE_WAY = ("aerial", "scan")


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one photo: `state` is

    placed or already-placed (then `fix` is the position), own-position, typed, elsewhere (aerial
    or a scan), unreadable, no-time, clock-unknown, clock-unsure, times-differ, conflict, or
    before, after or gap (then `away_ms` is how far the track is in time).
    """

    name: str
    sha256: str
    state: str
    fix: Fix | None = None
    away_ms: int = 0


@dataclass(frozen=True, slots=True)
class Placing:
    """What became of all photos, and how the cameras' clocks were found to be."""

    photos: tuple[Placed, ...]
    clocks: Mapping[Camera, ClockOffset]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a photo is placed by."""

    line: Timeline
    given: ClockOffset | None
    clocks: Mapping[Camera, ClockOffset]


def place_photos(recorder: Recorder, inspection: str, given: ClockOffset | None) -> Placing:
    """Place every photo of this device that lacks a position; all entries in one transaction.

    `given` is the cameras' offset where it was said. Raises `track-none` where the inspection has
    no track with times in it.
    """
    read = load_inspection(recorder.store, inspection)
    line = timeline(ways_of(read))
    if not line.segments:
        raise problem("track-none")
    facts = _facts(recorder, read)
    ground = _Ground(line, given, estimate(f for f in facts.values() if f is not None))
    photos: list[Placed] = []
    entries: list[tuple[str, dict[str, Any]]] = []
    for path, evidence in _own_photos(read, recorder.identity.device):
        one = _place(evidence, facts.get(path), ground)
        if path in read.conflicts:  # whoever settles it decides on the position too
            one = Placed(one.name, one.sha256, "conflict")
        photos.append(one)
        if one.state == "placed" and one.fix is not None:
            entries.append((path, {"fix": fix_value(one.fix)}))
    with recorder.store.writing(recorder.identity, recorder.now, "the positions") as log:
        for path, value in entries:
            state = log.standing(inspection, path)
            if state is not None and state.entry is not None:
                log.append(inspection, path, {**state.entry.value, **value})
    return Placing(tuple(photos), ground.clocks)


def _own_photos(read: Inspection, device: str) -> Iterator[tuple[str, Evidence]]:
    """This device's photos by path; where several values stand at one, the latest."""
    for (sha256, whose), slot in read.evidence.items():
        if whose == device and slot.heads and slot.heads[0].kind == "photo":
            yield f"evidence/{sha256}/{whose}", slot.heads[0]


def _place(evidence: Evidence, facts: Mapping[str, Any] | None, ground: _Ground) -> Placed:
    name, sha256 = evidence.name, evidence.sha256
    why = _needs_none(evidence, facts)
    if why is not None or facts is None:
        return Placed(name, sha256, why or "unreadable")
    camera = camera_of(facts)
    shown = ground.clocks.get(camera) if camera is not None else None
    offset = ground.given or (shown if shown is not None and shown.agrees else None)
    moment = taken_at(facts, offset)
    if moment is None and times_differ(facts, offset):
        return Placed(name, sha256, "times-differ")
    if moment is None:
        unsure = shown is not None and not shown.agrees
        lacking = "clock-unsure" if unsure else "clock-unknown"
        return Placed(name, sha256, lacking if facts.get("camera_time") else "no-time")
    found = place(ground.line, *moment)
    if isinstance(found, NoPlace):
        return Placed(name, sha256, found.why, away_ms=found.away_ms)
    return Placed(name, sha256, "already-placed" if found == evidence.fix else "placed", found)


def _needs_none(evidence: Evidence, facts: Mapping[str, Any] | None) -> str | None:
    if facts is not None and facts.get("gps_block") == GPS_POSITION:
        return "own-position"
    if evidence.fix is not None and evidence.fix.source != SOURCE:
        return "typed"
    return "elsewhere" if evidence.source in _NOT_ON_THE_WAY else None


def _facts(recorder: Recorder, read: Inspection) -> dict[str, dict[str, Any] | None]:
    """Path -> what each photo says of itself; None where it cannot be read."""
    found: dict[str, dict[str, Any] | None] = {}
    for sha256, device in read.evidence:
        text, _ = recorder.store.facts_of(sha256)
        found[f"evidence/{sha256}/{device}"] = None if text is None else json.loads(text)
    return found
