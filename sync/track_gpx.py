"""GPX 1.0 and 1.1 -> tracks, read by gpxpy after the XML was looked over.

A document type is refused before anything in it is expanded, so an entity can neither grow nor
fetch a file. Accuracies are HDOP times the bound that gpsd takes for its unit, at 95 %.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.parsers import expat

import gpxpy
from gpxpy.gpx import GPX, GPXException, GPXTrackPoint

from sync.inspection import TrackPoint
from sync.nmea_receiver import METRES_PER_HDOP, METRES_PER_HDOP_CORRECTED
from sync.problems import Problem, problem
from sync.track_file import FROM_HDOP, ReadTrack

LIMIT_BYTES = 24 * 1024**2  # gpxpy holds the whole tree: some twenty times the file
LIMIT_DEPTH = 64
LIMIT_POINTS = 300_000  # three days and a half at one point a second
LIMIT_ELEMENTS = 2_000_000
_CUT = (
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_PARTIAL_CHAR,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
)


@dataclass(slots=True)
class _Outline:
    """What a first look at the XML found: its root, encoding, and how many points it closed."""

    root: str = ""
    encoding: str = "utf-8"
    depth: int = 0
    elements: int = 0
    closed: Counter[str] = field(default_factory=Counter)

    @property
    def prefix(self) -> str:
        return self.root.rpartition(":")[0]


def read_gpx(data: bytes, name: str) -> ReadTrack:
    """A GPX file's bytes -> its track; tracks and their segments are kept apart.

    Raises `track-unreadable` and `file-too-large`.
    """
    if len(data) > LIMIT_BYTES:
        raise problem("file-too-large", size=len(data), limit=LIMIT_BYTES)
    outline = _look_over(data, name)
    gpx = _parse(data, outline, name)
    notes: list[str] = []
    points, segments, count, dops = _points(gpx, notes)
    counts = {
        "tracks": len(gpx.tracks),
        "segments": sum(len(t.segments) for t in gpx.tracks),
        "points": count,
        "routes": len(gpx.routes),
        "waypoints": len(gpx.waypoints),
        "with_hdop": dops,
    }
    told = any(p.accuracy_m is not None for p in points)
    return ReadTrack(
        f"GPX {gpx.version or '1.0'}",
        tuple(points),
        tuple(segments),
        counts,
        (FROM_HDOP,) if told else (),
        tuple(notes),
        float(gpx.length_2d() or 0),
    )


# -- the XML --------------------------------------------------------------------------------------


def _look_over(data: bytes, name: str) -> _Outline:
    found = _Outline()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        why = "it has a document type (DTD), which no GPX file needs and which can do harm"
        raise _unreadable(name, why, found)

    def start(tag: str, _: object) -> None:
        found.root = found.root or tag
        found.depth += 1
        found.elements += 1
        if found.depth > LIMIT_DEPTH:
            raise _unreadable(name, f"its elements are nested deeper than {LIMIT_DEPTH}", found)
        if found.closed["trkpt"] > LIMIT_POINTS or found.elements > LIMIT_ELEMENTS:
            raise _unreadable(name, "it is longer than can be read at once", found)

    def end(tag: str) -> None:
        found.depth -= 1
        found.closed[tag.rpartition(":")[2]] += 1

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        found.encoding = encoding or found.encoding

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.XmlDeclHandler = declared
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as exc:
        raise _unreadable(name, _broken(exc), found) from exc
    if found.root.rpartition(":")[2] != "gpx":
        raise _unreadable(name, f"it is XML of another kind, with <{found.root[:40]}>", found)
    return found


def _broken(exc: Exception) -> str:
    if not isinstance(exc, expat.ExpatError):
        return f"its encoding is not known ({str(exc)[:80]})"
    what = expat.errors.messages[exc.code]
    if what in _CUT:
        return f"it breaks off in line {exc.lineno}"
    return f"it is not XML in line {exc.lineno} ({what})"


def _parse(data: bytes, outline: _Outline, name: str) -> GPX:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else outline.encoding)
        text = text.removeprefix("\ufeff")
        if outline.prefix:  # gpxpy looks for elements without a prefix
            text = re.sub(rf"<(/?){re.escape(outline.prefix)}:", r"<\1", text)
        return gpxpy.parse(text)
    except (GPXException, ValueError, LookupError) as exc:
        raise _unreadable(name, str(exc)[:120] or "it is not GPX", outline) from exc


def _unreadable(name: str, why: str, found: _Outline) -> Problem:
    points = found.closed["trkpt"]
    read = f"Up to there it holds {points} points." if points else "It holds no point up to there."
    return problem("track-unreadable", name=name, why=why, read=read)


# -- the points -----------------------------------------------------------------------------------


def _points(gpx: GPX, notes: list[str]) -> tuple[list[TrackPoint], list[int], int, int]:
    """Points, where segments begin, how many the file has, and how many of them have an HDOP."""
    points: list[TrackPoint] = []
    segments: list[int] = []
    count = dops = 0
    odd: Counter[str] = Counter()
    for track in gpx.tracks:
        for segment in track.segments:
            first = len(points)
            for given in segment.points:
                count += 1
                dops += given.horizontal_dilution is not None
                point = _point(given, odd)
                if point is not None:
                    points.append(point)
            if len(points) > first:
                segments.append(first)
    said = {
        "nowhere": "points that lie nowhere on Earth, left out: {}",
        "none": "points without a fix by their own word, left out: {}",
        "zone": "times without a zone, read as UTC as GPX prescribes: {}",
        "time": "times before 1970, left out: {}",
    }
    notes.extend(text.format(odd[key]) for key, text in said.items() if odd[key])
    return points, segments, count, dops


def _point(given: GPXTrackPoint, odd: Counter[str]) -> TrackPoint | None:
    lat, lon = given.latitude, given.longitude
    if not (abs(lat) <= 90 and abs(lon) <= 180):  # not a number is neither
        odd["nowhere"] += 1
        return None
    if given.type_of_gpx_fix == "none":
        odd["none"] += 1
        return None
    return TrackPoint(_time(given.time, odd), f"{lat:.9f}", f"{lon:.9f}", _accuracy(given))


def _time(given: datetime | None, odd: Counter[str]) -> int | None:
    if given is None:
        return None
    if given.tzinfo is None:
        odd["zone"] += 1
        given = given.replace(tzinfo=UTC)
    milliseconds = round(given.timestamp() * 1000)
    if milliseconds < 0:
        odd["time"] += 1
        return None
    return milliseconds


def _accuracy(given: GPXTrackPoint) -> str | None:
    hdop = given.horizontal_dilution
    if hdop is None or not math.isfinite(hdop) or not 0 < hdop < 1000:
        return None
    corrected = given.type_of_gpx_fix == "dgps"
    unit = METRES_PER_HDOP_CORRECTED if corrected else METRES_PER_HDOP
    return f"{max(hdop * float(unit), 0.1):.1f}"
