"""What a track shows: its length, its gaps and its accuracy, and where a line must break.

A gap is a pause longer than a minute, or than ten times the track's usual interval where that is
longer, and any pause over ten minutes; also a time that runs backwards, and a break that the file
itself makes. No line is drawn, and nothing counted, across a gap. Lengths are geodesic metres on
the WGS 84 ellipsoid, times UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pyproj import Geod

from sync.inspection import Track, TrackPoint

GAP_MS = 60_000
GAP_INTERVALS = 10
LONGEST_PAUSE_MS = 600_000
_USUAL_FROM = 3  # intervals: fewer show nothing that is usual

_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Way:
    """Points in order, and the indices at which a new segment begins (0 among them)."""

    points: tuple[TrackPoint, ...]
    starts: tuple[int, ...]

    @property
    def segments(self) -> list[tuple[TrackPoint, ...]]:
        """The runs of points within which a line may be drawn."""
        edges = (*self.starts, len(self.points))
        return [self.points[a:b] for a, b in pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a track says nothing: from when to when (None: no time), and how far apart its ends
    are, as the crow flies.
    """

    start: int | None
    end: int | None
    across_m: float

    @property
    def duration_ms(self) -> int | None:
        return None if self.start is None or self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True)
class Summary:
    """A track in figures. Accuracies in metres at 95 %; None where no point has one."""

    points: int
    timed: int
    segments: int
    length_m: float
    start: int | None
    end: int | None
    gaps: tuple[Gap, ...]
    median_accuracy_m: float | None
    worst_accuracy_m: float | None
    without_accuracy: int

    @property
    def duration_ms(self) -> int | None:
        return None if self.start is None or self.end is None else self.end - self.start


def with_gaps(points: Sequence[TrackPoint], starts: Iterable[int]) -> Way:
    """A way broken at the file's own breaks and at every gap in its times."""
    wanted = {0, *starts} if points else set()
    longest = longest_pause_ms(points)
    last: int | None = None
    for index, point in enumerate(points):
        if point.at is None:
            continue
        if last is not None and not 0 <= point.at - last <= longest:
            wanted.add(index)
        last = point.at
    return Way(tuple(points), tuple(sorted(wanted)))


def longest_pause_ms(points: Iterable[TrackPoint]) -> int:
    """The longest pause that is no gap: a minute, or ten of the usual intervals, at most ten
    minutes.
    """
    times = [p.at for p in points if p.at is not None]
    intervals = [b - a for a, b in pairwise(times) if b > a]
    usual = median(intervals) if len(intervals) >= _USUAL_FROM else 0
    return int(min(max(GAP_MS, GAP_INTERVALS * usual), LONGEST_PAUSE_MS))


def ways(tracks: Iterable[Track]) -> dict[tuple[str, str], Way]:
    """The parts that an inspection holds, put together: (device, file) -> way.

    A part that is not here is a gap.
    """
    parts: dict[tuple[str, str], list[Track]] = {}
    for track in sorted(tracks, key=lambda t: (t.device, t.n)):
        parts.setdefault((track.device, track.file), []).append(track)
    return {key: _joined(found) for key, found in parts.items()}


def _joined(parts: Sequence[Track]) -> Way:
    points: list[TrackPoint] = []
    starts: set[int] = set()
    before: Track | None = None
    for part in parts:
        first = len(points)
        goes_on = before is not None and before.n + 1 == part.n and 0 not in part.segments
        starts |= {first + s for s in part.segments} | (set() if goes_on else {first})
        points.extend(part.points)
        before = part
    return with_gaps(points, starts)


def summarise(way: Way) -> Summary:
    """A way in figures; its length leaves the gaps out."""
    points = way.points
    times = [p.at for p in points if p.at is not None]
    accuracies = [float(p.accuracy_m) for p in points if p.accuracy_m is not None]
    return Summary(
        len(points),
        len(times),
        len(way.starts),
        sum(length_m(segment) for segment in way.segments),
        min(times, default=None),
        max(times, default=None),
        tuple(_gap(points[i - 1], points[i]) for i in way.starts if i > 0),
        median(accuracies) if accuracies else None,
        max(accuracies, default=None),
        len(points) - len(accuracies),
    )


def length_m(points: Sequence[TrackPoint]) -> float:
    """The geodesic length of a line through points, in metres."""
    if len(points) < 2:
        return 0.0
    lons, lats = [float(p.lon) for p in points], [float(p.lat) for p in points]
    return float(_GEOD.line_length(lons, lats))


def _gap(before: TrackPoint, after: TrackPoint) -> Gap:
    return Gap(before.at, after.at, length_m((before, after)))


def thinned(way: Way, most: int) -> Way:
    """A way of about `most` points at most: of each segment every k-th point, and both its ends.

    More stay where a way has more segments than that.
    """
    if len(way.points) <= most:
        return way
    step = -(-len(way.points) // most)
    points: list[TrackPoint] = []
    starts: list[int] = []
    for segment in way.segments:
        starts.append(len(points))
        points.extend(segment[::step])
        if (len(segment) - 1) % step:
            points.append(segment[-1])
    return Way(tuple(points), tuple(starts))
