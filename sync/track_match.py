"""A position from a track, by time: where someone was between two points, and how surely.

Between two points of one segment the way is taken to be straight. The accuracy is that of the
worse point, plus how far one may have gone meanwhile: the time to the nearer point, and what the
clock may be wrong, at the speed between the points, but a brisk walk at least. Outside the track
and in its gaps there is no position.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pyproj import Geod

from sync.inspection import Fix, TrackPoint
from sync.track import Way

SOURCE = "track"
WALK_M_PER_S = 1.5
UNKNOWN_M = 100.0  # a point whose accuracy is not known is taken for this good, as the rules do

_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why a track says nothing of a time: `why` is empty, before, after or gap.

    `away_ms` is how far the nearest point of the track is in time.
    """

    why: str
    away_ms: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """The timed points of a way, segment by segment, made ready for being asked often."""

    segments: tuple[tuple[tuple[int, ...], tuple[TrackPoint, ...]], ...]


def timeline(ways: Iterable[Way]) -> Timeline:
    """Every segment of every way in which a time occurs."""
    segments: list[tuple[tuple[int, ...], tuple[TrackPoint, ...]]] = []
    for way in ways:
        for segment in way.segments:
            timed = tuple(p for p in segment if p.at is not None)
            if timed:
                segments.append((tuple(p.at or 0 for p in timed), timed))
    return Timeline(tuple(segments))


def place(line: Timeline, at: int, clock_ms: int = 0) -> Fix | NoPlace:
    """Where the track was at a time (UTC milliseconds); of several answers the most accurate.

    `clock_ms` is how wrong the time itself may be.
    """
    found = [
        fix
        for times, points in line.segments
        if times[0] <= at <= times[-1]
        for fix in (_between(times, points, at, clock_ms),)
    ]
    if found:
        return min(found, key=lambda f: Decimal(f.accuracy_m or 0))
    if not line.segments:
        return NoPlace("empty")
    first = min(times[0] for times, _ in line.segments)
    last = max(times[-1] for times, _ in line.segments)
    if at < first:
        return NoPlace("before", first - at)
    if at > last:
        return NoPlace("after", at - last)
    ends = [end for times, _ in line.segments for end in (times[0], times[-1])]
    return NoPlace("gap", min(abs(end - at) for end in ends))


def _between(times: Sequence[int], points: Sequence[TrackPoint], at: int, clock_ms: int) -> Fix:
    index = max(bisect_right(times, at) - 1, 0)
    a = points[index]
    b = points[min(index + 1, len(points) - 1)]
    lat, lon, apart_m = float(a.lat), float(a.lon), 0.0
    span = (b.at or 0) - (a.at or 0)
    since = at - (a.at or 0)
    if span > 0 and since:
        azimuth, _, apart_m = _GEOD.inv(lon, lat, float(b.lon), float(b.lat))
        lon, lat, _ = _GEOD.fwd(lon, lat, azimuth, apart_m * since / span)
    elif span > 0:
        apart_m = _GEOD.inv(lon, lat, float(b.lon), float(b.lat))[2]
    speed = max(apart_m / span * 1000 if span else 0.0, WALK_M_PER_S)
    nearer = min(since, span - since) if span else 0
    worse = max(_accuracy(a), _accuracy(b) if since else 0.0)
    accuracy = worse + speed * (nearer + clock_ms) / 1000
    return Fix(f"{lat:.7f}", f"{lon:.7f}", f"{accuracy:.1f}", at, SOURCE)


def _accuracy(point: TrackPoint) -> float:
    return UNKNOWN_M if point.accuracy_m is None else float(point.accuracy_m)
