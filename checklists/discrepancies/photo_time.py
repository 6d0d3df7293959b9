"""When a photograph was taken, as far as its own record says so, and by which clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median_low
from typing import Any

from checklists.discrepancies.case import CasePhoto, shown

Camera = tuple[str, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AGREE_MS = 120_000  # a camera's clock is known where its pictures agree about it this closely


@dataclass(frozen=True, slots=True)
class PhotoTime:
    """When a photograph was taken, UTC milliseconds; `at` is None where no zone is known.

    `how` says by which clock, the surest first: gps, camera (with its zone), camera-compared (with
    GPS times of the same camera's pictures), entry (as the client noted it), bare (`local` is then
    the camera's clock, read as if it were UTC), or none.
    """

    at: int | None
    how: str
    local: int | None
    camera: Camera


SAID = {
    "gps": "by the GPS time in the picture",
    "camera": "by the camera's clock and the zone it names",
    "entry": "as noted when the picture was attached",
    "camera-compared": "by the camera's clock, as GPS times in its other pictures correct it",
    "bare": "by the camera's clock, whose zone is not known",
}


def photo_times(photos: Iterable[CasePhoto]) -> dict[str, PhotoTime]:
    """The time of each photograph whose facts are here, by its digest."""
    known = {p.sha256: (p, p.facts) for p in photos if p.facts is not None}
    compared = _camera_clocks(facts for _, facts in known.values())
    return {sha: _time(photo, facts, compared) for sha, (photo, facts) in known.items()}


def camera_name(camera: Camera) -> str:
    """The camera as it is named in a sentence."""
    name = shown(" ".join(part for part in camera if part))
    return f"the camera {name}" if name else "a camera that gives no name"


def _time(photo: CasePhoto, facts: Mapping[str, Any], compared: Mapping[Camera, int]) -> PhotoTime:
    camera = _camera(facts)
    local = _moment(facts.get("camera_time"), "+00:00")
    gps = _moment(facts.get("gps_time"), "")
    if gps is not None:
        return PhotoTime(gps, "gps", local, camera)
    zoned = _moment(facts.get("camera_time"), facts.get("camera_offset"))
    if zoned is not None:
        return PhotoTime(zoned, "camera", local, camera)
    if local is not None and camera in compared:
        return PhotoTime(local + compared[camera], "camera-compared", local, camera)
    noted = _noted(photo)
    if noted is not None:
        return PhotoTime(noted, "entry", local, camera)
    return PhotoTime(None, "none" if local is None else "bare", local, camera)


def _noted(photo: CasePhoto) -> int | None:
    """The time that the entry gives: when it was taken, or by which it was placed on a track."""
    if photo.taken_at is not None:
        return photo.taken_at
    return photo.fix.at if photo.fix is not None and photo.fix.source == "track" else None


def _camera_clocks(all_facts: Iterable[Mapping[str, Any]]) -> dict[Camera, int]:
    """What must be added to each camera's bare clock, where its pictures agree about it."""
    found: dict[Camera, list[int]] = {}
    for facts in all_facts:
        gps = _moment(facts.get("gps_time"), "")
        local = _moment(facts.get("camera_time"), "+00:00")
        if gps is not None and local is not None and any(_camera(facts)):
            found.setdefault(_camera(facts), []).append(gps - local)
    return {
        camera: median_low(differences)
        for camera, differences in found.items()
        if max(differences) - min(differences) <= _AGREE_MS
    }


def _camera(facts: Mapping[str, Any]) -> Camera:
    return str(facts.get("make") or ""), str(facts.get("model") or "")


def _moment(text: object, offset: object) -> int | None:
    """UTC milliseconds of an ISO time with its offset; None where either is missing or unfit."""
    if not isinstance(text, str) or not isinstance(offset, str):
        return None
    try:
        when = datetime.fromisoformat(f"{text}{offset}")
        return None if when.tzinfo is None else (when - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
