"""A camera's clock against UTC: an offset that is given, or one that its own pictures show.

An offset is the camera's clock minus UTC, in milliseconds. Pictures that carry both a receiver's
time and the camera's own show it; the median of one make and model is taken, and none where they
lie further apart than a minute: then the clock was set anew between them, or carried to another
zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

QUARTER_MS = 15 * 60_000
SPREAD_LIMIT_MS = 60_000
FARTHEST_WEST_MS, FARTHEST_EAST_MS = -12 * 3_600_000, 14 * 3_600_000
SECOND_MS = 1000  # EXIF tells the camera's time in whole seconds

_ZONE = re.compile(r"([+-])(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\Z", re.ASCII)
_SECONDS = re.compile(r"([+-])(\d{1,10})s?\Z", re.ASCII)

Camera = tuple[str, str]  # make and model


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far a camera's clock is ahead of UTC; from how many pictures, and how far these lie
    from it at most. `pictures` is 0 where the offset was given.
    """

    offset_ms: int
    spread_ms: int = 0
    pictures: int = 0

    @property
    def zone_ms(self) -> int:
        """The part that is a time zone: whole quarters of an hour, as far as there are zones."""
        zone = round(self.offset_ms / QUARTER_MS) * QUARTER_MS
        return zone if FARTHEST_WEST_MS <= zone <= FARTHEST_EAST_MS else 0

    @property
    def drift_ms(self) -> int:
        """What is left: how much the clock is fast (or slow, below zero)."""
        return self.offset_ms - self.zone_ms

    @property
    def agrees(self) -> bool:
        """Whether the pictures lie close enough together for the offset to be used."""
        return self.spread_ms <= SPREAD_LIMIT_MS


def parse_offset(text: str) -> ClockOffset | None:
    """+08:00, -03:30:12, or +37 and -3600s in seconds -> an offset; None for anything else."""
    zone, seconds = _ZONE.match(text.strip()), _SECONDS.match(text.strip())
    if zone is not None:
        sign, hours, minutes, rest = zone.groups()
        total = (int(hours) * 60 + int(minutes)) * 60 + int(rest or 0)
    elif seconds is not None:
        sign, total = seconds.group(1), int(seconds.group(2))
    else:
        return None
    return ClockOffset((-total if sign == "-" else total) * 1000)


def estimate(pictures: Iterable[Mapping[str, object]]) -> dict[Camera, ClockOffset]:
    """The offset of each camera whose pictures carry both times (facts of sync.photo).

    Look at `agrees` before one is used.
    """
    seen: dict[Camera, list[int]] = {}
    for facts in pictures:
        camera = camera_of(facts)
        there, utc = _moment(facts.get("camera_time")), _moment(facts.get("gps_time"))
        if camera is not None and there is not None and utc is not None:
            seen.setdefault(camera, []).append(there - utc)
    found: dict[Camera, ClockOffset] = {}
    for camera, offsets in seen.items():
        middle = round(median(offsets))
        spread = max(abs(offset - middle) for offset in offsets)
        found[camera] = ClockOffset(middle, spread, len(offsets))
    return found


def camera_of(facts: Mapping[str, object]) -> Camera | None:
    """Make and model of the camera that took a picture; None where neither is told."""
    make, model = str(facts.get("make") or ""), str(facts.get("model") or "")
    return (make, model) if make or model else None


def taken_at(facts: Mapping[str, object], offset: ClockOffset | None) -> tuple[int, int] | None:
    """When a picture was taken (UTC milliseconds), and how wrong that may be.

    The receiver's time comes first, then the camera's clock with `offset`, then the offset that
    the camera recorded itself. None where there is no way to know, and where `times_differ`.
    """
    utc = _moment(facts.get("gps_time"))
    if utc is not None:
        return None if times_differ(facts, offset) else (utc, SECOND_MS)
    there = _moment(facts.get("camera_time"))
    if there is None:
        return None
    if offset is None:
        own = parse_offset(str(facts.get("camera_offset") or ""))
        return None if own is None else (there - own.offset_ms, SECOND_MS)
    return there - offset.offset_ms, offset.spread_ms + SECOND_MS


def times_differ(facts: Mapping[str, object], offset: ClockOffset | None) -> bool:
    """Whether a picture's two times tell of different moments: a receiver without a fix may
    repeat an old time, and an offset that was given may be wrong.
    """
    utc, there = _moment(facts.get("gps_time")), _moment(facts.get("camera_time"))
    if utc is None or there is None or offset is None:
        return False
    return abs(there - offset.offset_ms - utc) > SPREAD_LIMIT_MS + offset.spread_ms


def _moment(text: object) -> int | None:
    """ISO as sync.photo writes it -> milliseconds; a time without a zone is read as if in UTC."""
    try:
        moment = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = round(moment.timestamp() * 1000)
    return milliseconds if milliseconds >= 0 else None
