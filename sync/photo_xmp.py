"""A position that stands only in a picture's XMP packet, as some programs write it.

Source: XMP specification part 2, 3.2 (EXIF schema) and 1.2.7.4 (GPSCoordinate: `39,3.08N` or
`39,3,4.8N`). The few properties are looked for by their names: a stranger's XML is not parsed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from sync.photo_exif import GPS_POSITION, ExifFacts, decimal_text

_MOST_BYTES = 1_000_000
_COORDINATE = re.compile(
    r"(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])"
)
_NUMBER = re.compile(r"(-?\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?")


def with_xmp_position(facts: ExifFacts, packet: bytes) -> ExifFacts:
    """`facts` with the packet's position, height and time where EXIF itself has no position."""
    if facts.gps_block == GPS_POSITION or b"GPSLatitude" not in packet[:_MOST_BYTES]:
        return facts
    text = packet[:_MOST_BYTES].decode("utf-8", "replace")
    lat = _angle(_property(text, "GPSLatitude"), {"N": 1, "S": -1}, 90)
    lon = _angle(_property(text, "GPSLongitude"), {"E": 1, "W": -1}, 180)
    if lat is None or lon is None:
        return facts
    return replace(
        facts,
        gps_block=GPS_POSITION,
        lat=decimal_text(lat, 9),
        lon=decimal_text(lon, 9),
        altitude_m=facts.altitude_m or _altitude(text),
        gps_time=facts.gps_time or _time(_property(text, "GPSTimeStamp")),
    )


def _property(text: str, name: str) -> str:
    """The text of `exif:name`, written as an attribute or as an element; empty where it is not."""
    found = re.search(
        rf"\bexif:{name}\s*(?:=\s*[\"']([^\"'<]{{0,64}})[\"']|>([^<]{{0,64}})<)", text
    )
    return (found[1] or found[2] or "").strip() if found else ""


def _angle(text: str, signs: dict[str, int], most: int) -> Fraction | None:
    found = _COORDINATE.fullmatch(text)
    if found is None or found[4] not in signs:
        return None
    minutes = Fraction(found[2]) + Fraction(found[3] or 0) / 60
    angle = Fraction(found[1]) + minutes / 60
    return signs[found[4]] * angle if minutes < 60 and angle <= most else None


def _altitude(text: str) -> str | None:
    found = _NUMBER.fullmatch(_property(text, "GPSAltitude"))
    below = _property(text, "GPSAltitudeRef") == "1"
    if found is None or Fraction(found[2] or 1) == 0:
        return None
    metres = Fraction(found[1]) / Fraction(found[2] or 1)
    return decimal_text(-abs(metres) if below else metres, 6) if abs(metres) <= 100_000 else None


def _time(text: str) -> str | None:
    """A moment with its zone, as UTC; without a zone it is no moment."""
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    if utc is None:
        return None
    written = utc.replace(tzinfo=None).isoformat()
    return (written.rstrip("0") if "." in written else written) + "Z"
