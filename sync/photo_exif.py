"""What a camera wrote beside the pixels: an EXIF block -> position, times and the camera's name.

Tag meanings follow the EXIF standard (CIPA DC-008). Nothing here decides whether a value is
plausible for the inspection; a value that cannot be read as the standard writes it is absent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from sync.photo_tiff import Directory, read_directories

GPS_NONE = "none"
GPS_WITHOUT_POSITION = "without-position"
GPS_POSITION = "position"

_MAKE, _MODEL, _ORIENTATION, _SOFTWARE, _MODIFIED = 0x010F, 0x0110, 0x0112, 0x0131, 0x0132
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_LAT_REF, _LAT, _LON_REF, _LON, _ALTITUDE_REF, _ALTITUDE = 1, 2, 3, 4, 5, 6
_GPS_CLOCK, _DIRECTION_REF, _DIRECTION, _DATUM, _GPS_DATE, _ACCURACY = 7, 16, 17, 18, 29, 31

_LONGEST_TEXT = 64
# Some cameras pad with spaces instead of zeros.
_TIME = re.compile(
    r"(\d{4})[:/-]([\d ]\d)[:/-]([\d ]\d)[ T]([\d ]\d):([\d ]\d):([\d ]\d)(?:\.\d+)?(.*)",
    re.DOTALL,
)
_DATE = re.compile(r"(\d{4})[:/-]([\d ]\d)[:/-]([\d ]\d)")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")


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

    A block that is not one reads as no EXIF; of a damaged one, what is whole is read.
    """
    found = read_directories(block)
    if found is None or not (found.image or found.exif or found.gps):
        return ExifFacts()
    gps = found.gps or {}
    gps_block, lat, lon = _position(found.gps)
    camera_time, inline_offset = _local_time(found.exif, _TAKEN)
    modified_time, _ = _local_time(found.image, _MODIFIED)
    direction = _measure(gps, _DIRECTION, 0, 360)
    return ExifFacts(
        exif=True,
        gps_block=gps_block,
        lat=lat,
        lon=lon,
        datum=_text(gps, _DATUM),
        altitude_m=_altitude(gps),
        direction_deg="0" if direction == "360" else direction,
        direction_ref=None if direction is None else _direction_ref(gps),
        # An error of 0 m is none that a receiver can know: it says that the error is unknown.
        accuracy_m=_measure(gps, _ACCURACY, Fraction(1, 10**6), 10**7),
        gps_time=_gps_time(gps),
        camera_time=camera_time,
        camera_offset=_offset(_text(found.exif, _TAKEN_OFFSET)) or inline_offset,
        modified_time=modified_time,
        orientation=_orientation(found.image),
        make=_text(found.image, _MAKE),
        model=_text(found.image, _MODEL),
        software=_text(found.image, _SOFTWARE),
    )


def decimal_text(value: Fraction, places: int) -> str:
    """`value` as a decimal string of at most `places` digits after the point, without zeros."""
    scaled = round(value * 10**places)
    sign = "-" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled), 10**places)
    fraction = f"{rest:0{places}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


# -- position -------------------------------------------------------------------------------------


def _position(gps: Directory | None) -> tuple[str, str | None, str | None]:
    if gps is None:
        return GPS_NONE, None, None
    lat = _angle(gps, _LAT, _LAT_REF, {"N": 1, "S": -1}, 90)
    lon = _angle(gps, _LON, _LON_REF, {"E": 1, "W": -1}, 180)
    if lat is None or lon is None:
        return GPS_WITHOUT_POSITION, None, None
    return GPS_POSITION, decimal_text(lat, 9), decimal_text(lon, 9)


def _angle(
    gps: Directory, tag: int, ref: int, signs: Mapping[str, int], most: int
) -> Fraction | None:
    """Degrees, minutes and seconds with their letter; without the letter there is no sign."""
    parts = _numbers(gps, tag)
    # 0/0 for minutes or seconds says that the part before it carries them in its decimals.
    while len(parts) > 1 and parts[-1] is None:
        parts.pop()
    sign = signs.get((_text(gps, ref) or "")[:1].upper())
    given = [part for part in parts if part is not None and part >= 0]
    if sign is None or len(given) != len(parts) or not 1 <= len(given) <= 3:
        return None
    angle = sum((part / 60**i for i, part in enumerate(given)), Fraction(0))
    return sign * angle if angle <= most else None


def _altitude(gps: Directory) -> str | None:
    """Metres above sea level or the ellipsoid; negative where it is below it."""
    metres = _measure(gps, _ALTITUDE, -100_000, 100_000)
    value = gps.get(_ALTITUDE_REF)
    # References 1 (below sea level) and 3 (below the ellipsoid) make the height negative.
    below = value is not None and value.integer() in (1, 3)
    if below and metres is not None and metres != "0":
        return f"-{metres.removeprefix('-')}"
    return metres


def _direction_ref(gps: Directory) -> str | None:
    ref = (_text(gps, _DIRECTION_REF) or "")[:1].upper()
    return {"T": "true", "M": "magnetic"}.get(ref)


def _measure(gps: Directory, tag: int, least: int | Fraction, most: int) -> str | None:
    parts = _numbers(gps, tag)
    if len(parts) != 1 or parts[0] is None or not least <= parts[0] <= most:
        return None
    return decimal_text(parts[0], 6)


def _numbers(tags: Directory, tag: int) -> list[Fraction | None]:
    value = tags.get(tag)
    return [] if value is None else value.numbers()


# -- times ----------------------------------------------------------------------------------------


def _gps_time(gps: Directory) -> str | None:
    """GPSDateStamp and GPSTimeStamp as UTC, to the microsecond; None without a date."""
    date = _DATE.match(_text(gps, _GPS_DATE) or "")
    clock = [part for part in _numbers(gps, _GPS_CLOCK) if part is not None]
    if date is None or len(clock) != 3:
        return None
    hours, minutes, seconds = clock
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60):
        return None
    try:
        day = datetime(*(int(part) for part in date.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        since = timedelta(microseconds=round((hours * 3600 + minutes * 60 + seconds) * 10**6))
        moment = day + since
    except (ValueError, OverflowError):
        return None
    if not moment.microsecond:
        return f"{moment.isoformat()}Z"
    return moment.isoformat(timespec="microseconds").rstrip("0") + "Z"


def _local_time(tags: Directory, tag: int) -> tuple[str | None, str | None]:
    """A camera's clock as naive ISO, and the offset when the same tag carries one."""
    found = _TIME.match(_text(tags, tag) or "")
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


def _orientation(image: Directory) -> int | None:
    value = image.get(_ORIENTATION)
    number = value.integer() if value is not None else None
    return number if number is not None and 1 <= number <= 8 else None


def _text(tags: Directory, tag: int) -> str | None:
    """A tag's text without control, format and unassigned characters, of bounded length."""
    value = tags.get(tag)
    if value is None:
        return None
    visible = "".join(c if unicodedata.category(c)[0] != "C" else "\0" for c in value.text())
    return re.sub(r" *\0[ \0]*", " ", visible).strip()[:_LONGEST_TEXT].strip() or None
