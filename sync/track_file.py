"""What was read from a track file, whichever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.inspection import TrackPoint

LIMIT_BYTES = 64 * 1024**2
FROM_HDOP = "HDOP"
FROM_DEVIATIONS = "the receiver's standard deviations"


@dataclass(frozen=True, slots=True)
class ReadTrack:
    """A track as its file gives it. `segments` are the breaks that the file itself makes.

    `counts` are the format's own figures (GPX: tracks, segments, points, routes, waypoints; NMEA:
    sentences, damaged, reports, fixes). `accuracy_from` says what the accuracies were reckoned
    from, `notes` what had to be left out or put right. `length_2d_m` is gpxpy's, for GPX only.
    """

    format: str
    points: tuple[TrackPoint, ...]
    segments: tuple[int, ...]
    counts: Mapping[str, int]
    accuracy_from: tuple[str, ...]
    notes: tuple[str, ...]
    length_2d_m: float | None = None
