"""A track file's bytes -> a track; which format they are in, they say themselves."""

from __future__ import annotations

import re

from sync.problems import problem
from sync.track_file import LIMIT_BYTES, ReadTrack
from sync.track_gpx import read_gpx
from sync.track_nmea import read_nmea

_SENTENCE = re.compile(rb"\$[A-Z]{5},|\$P[A-Z]{3}")


def read_track(data: bytes, name: str) -> ReadTrack:
    """A GPX or NMEA file's bytes -> its track; `name` is for the messages.

    Raises `track-unreadable` and `file-too-large`.
    """
    if len(data) > LIMIT_BYTES:
        raise problem("file-too-large", size=len(data), limit=LIMIT_BYTES)
    if _looks_like_xml(data):
        return read_gpx(data, name)
    if _SENTENCE.search(data):
        return read_nmea(data)
    why = "it is neither GPX nor NMEA 0183"
    raise problem("track-unreadable", name=name, why=why, read="Nothing was read from it.")


def _looks_like_xml(data: bytes) -> bool:
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<", b"\0<"))
