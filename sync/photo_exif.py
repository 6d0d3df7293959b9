"""What a camera wrote beside the pixels: an EXIF block -> position, times and the camera's name.

Tag meanings follow the EXIF standard (CIPA DC-008). Nothing here decides whether a value is
plausible for the inspection; a value that cannot be read as the standard writes it is absent.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import exifread

# ExifRead speaks about every damaged tag; with no handler of its own that goes to the terminal.
logging.getLogger("exifread").addHandler(logging.NullHandler())

GPS_NONE = "none"
GPS_WITHOUT_POSITION = "without-position"
GPS_POSITION = "position"

_LONGEST_TEXT = 64
_HEADERS = (b"II*\x00", b"MM\x00*")
_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(.*)", re.DOTALL)
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")

Tags = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """The facts of one EXIF block; fields as in `sync.photo.PhotoFacts`."""

    exif: bool = False
    gps_block: str = GPS_NONE
    lat: str | None = None
    lon: str | None = None
    datum: str | None = None
    altitude_m: str | None = None
    direction_deg: str | None = None
    direction_ref: str | None = None
    accuracy_m: str | None = None
    gps_time: str | None = None
    camera_time: str | None = None
    camera_offset: str | None = None
    modified_time: str | None = None
    orientation: int | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None


def read_exif(block: bytes) -> ExifFacts:
    """Read an EXIF block (a TIFF structure, with or without the `Exif` mark before it).

    A block that is not one reads as no EXIF. Bytes made to confuse a reader may raise anything
    that ExifRead raises; `sync.photo` turns it into a catalogue error.
    """
    block = block.removeprefix(b"Exif\x00\x00")
    # ExifRead would take other openings for whole files of other kinds.
    if not block.startswith(_HEADERS):
        return ExifFacts()
    tags = exifread.process_file(io.BytesIO(block), details=False, extract_thumbnail=False)
    if not tags:
        return ExifFacts()
    gps_block, lat, lon = _position(tags)
    camera_time, inline_offset = _local_time(tags, "EXIF DateTimeOriginal")
    modified_time, _ = _local_time(tags, "Image DateTime")
    direction = _measure(tags, "GPS GPSImgDirection", 0, 360)
    return ExifFacts(
        exif=True,
        gps_block=gps_block,
        lat=lat,
        lon=lon,
        datum=_text(tags, "GPS GPSMapDatum"),
        altitude_m=_altitude(tags),
        direction_deg="0" if direction == "360" else direction,
        direction_ref=None if direction is None else _direction_ref(tags),
        # ExifRead 3.5 has no name for GPSHPositioningError.
        accuracy_m=_measure(tags, "GPS Tag 0x001F", Fraction(1, 10**6), 10**7),
        gps_time=_gps_time(tags),
        camera_time=camera_time,
        camera_offset=_offset(_text(tags, "EXIF OffsetTimeOriginal")) or inline_offset,
        modified_time=modified_time,
        orientation=_orientation(tags),
        make=_text(tags, "Image Make"),
        model=_text(tags, "Image Model"),
        software=_text(tags, "Image Software"),
    )


def decimal_text(value: Fraction, places: int) -> str:
    """`value` as a decimal string of at most `places` digits after the point, without zeros."""
    scaled = round(value * 10**places)
    sign = "-" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled), 10**places)
    fraction = f"{rest:0{places}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


# -- position -------------------------------------------------------------------------------------


def _position(tags: Tags) -> tuple[str, str | None, str | None]:
    if "Image GPSInfo" not in tags and not any(name.startswith("GPS ") for name in tags):
        return GPS_NONE, None, None
    lat = _angle(tags, "GPS GPSLatitude", {"N": 1, "S": -1}, 90)
    lon = _angle(tags, "GPS GPSLongitude", {"E": 1, "W": -1}, 180)
    if lat is None or lon is None:
        return GPS_WITHOUT_POSITION, None, None
    return GPS_POSITION, decimal_text(lat, 9), decimal_text(lon, 9)


def _angle(tags: Tags, name: str, signs: Mapping[str, int], most: int) -> Fraction | None:
    """Degrees, minutes and seconds with their letter; without the letter there is no sign."""
    parts = _fractions(tags, name)
    sign = signs.get((_text(tags, f"{name}Ref") or "")[:1].upper())
    if parts is None or not 1 <= len(parts) <= 3 or sign is None or min(parts) < 0:
        return None
    angle = sum((part / 60**i for i, part in enumerate(parts)), Fraction(0))
    return sign * angle if angle <= most else None


def _altitude(tags: Tags) -> str | None:
    metres = _measure(tags, "GPS GPSAltitude", 0, 100_000)
    # References 1 (below sea level) and 3 (below the ellipsoid) make the height negative.
    below = _number(tags, "GPS GPSAltitudeRef") in (1, 3)
    return f"-{metres}" if below and metres not in (None, "0") else metres


def _direction_ref(tags: Tags) -> str | None:
    ref = (_text(tags, "GPS GPSImgDirectionRef") or "")[:1].upper()
    return {"T": "true", "M": "magnetic"}.get(ref)


def _measure(tags: Tags, name: str, least: int | Fraction, most: int) -> str | None:
    parts = _fractions(tags, name)
    if parts is None or len(parts) != 1 or not least <= parts[0] <= most:
        return None
    return decimal_text(parts[0], 6)


def _fractions(tags: Tags, name: str) -> list[Fraction] | None:
    """The rationals of a tag; None when one is not a rational or has no denominator."""
    tag = tags.get(name)
    values = tag.values if tag is not None else None
    if not isinstance(values, list) or not values:
        return None
    # ExifRead keeps n/0 as a Fraction that no sum survives, so the denominator is asked first.
    if not all(isinstance(v, Fraction) and v.denominator > 0 for v in values):
        return None
    return [Fraction(v.numerator, v.denominator) for v in values]


# -- times ----------------------------------------------------------------------------------------


def _gps_time(tags: Tags) -> str | None:
    """GPSDateStamp and GPSTimeStamp as UTC, to the millisecond."""
    date = _DATE.match(_text(tags, "GPS GPSDate") or "")
    clock = _fractions(tags, "GPS GPSTimeStamp")
    if date is None or clock is None or len(clock) != 3:
        return None
    hours, minutes, seconds = clock
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 60):
        return None
    try:
        day = datetime(*(int(part) for part in date.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        since = timedelta(milliseconds=round((hours * 3600 + minutes * 60 + seconds) * 1000))
        moment = day + since
    except (ValueError, OverflowError):
        return None
    if not moment.microsecond:
        return f"{moment.isoformat()}Z"
    return moment.isoformat(timespec="milliseconds").rstrip("0") + "Z"


def _local_time(tags: Tags, name: str) -> tuple[str | None, str | None]:
    """A camera's clock as naive ISO, and the offset when the same tag carries one."""
    found = _TIME.match(_text(tags, name) or "")
    if found is None:
        return None, None
    *numbers, rest = found.groups()
    try:
        moment = datetime(*(int(part) for part in numbers))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None, None
    return moment.isoformat(timespec="seconds"), _offset(rest)


def _offset(text: str | None) -> str | None:
    text = (text or "").strip()
    if text == "Z":
        return "+00:00"
    return text if _OFFSET.fullmatch(text) else None


# -- the rest -------------------------------------------------------------------------------------


def _orientation(tags: Tags) -> int | None:
    value = _number(tags, "Image Orientation")
    return value if value is not None and 1 <= value <= 8 else None


def _number(tags: Tags, name: str) -> int | None:
    tag = tags.get(name)
    values = tag.values if tag is not None else None
    if isinstance(values, list) and values and isinstance(values[0], int):
        return values[0]
    return None


def _text(tags: Tags, name: str) -> str | None:
    """A tag's text without control, format and unassigned characters, of bounded length."""
    tag = tags.get(name)
    values = tag.values if tag is not None else None
    if isinstance(values, bytes):
        values = values.decode("latin-1")
    if not isinstance(values, str):
        return None
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in values)
    return " ".join(visible.split())[:_LONGEST_TEXT].strip() or None
