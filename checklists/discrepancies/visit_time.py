"""R07: photographs that were taken outside the recorded visit; and when that was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from checklists.discrepancies.case import Case, CasePhoto, Finding, called
from checklists.discrepancies.moments import Span, Way, offsets
from checklists.discrepancies.photo_time import (
    SAID,
    Camera,
    PhotoTime,
    camera_name,
    photo_times,
)
from checklists.discrepancies.rule import Rule, duration
from checklists.discrepancies.systems import OFFICIAL

_QUARTER_MS = 15 * 60_000
_ZONES = range(-14 * 4, 14 * 4 + 1)  # in quarters of an hour ahead of UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Window:
    """When one device recorded the visit, UTC milliseconds, its clock's offset taken into account.

    `shown` as in `moments.Span`, or a track shows it; `clock` tells whether the offset is known.
    """

    device: str
    begins: int
    ends: int
    shown: bool
    clock: bool

    def outside(self, at: int) -> int:
        """Milliseconds from the window to a time: negative before it, 0 within."""
        return min(at - self.begins, 0) or max(at - self.ends, 0)


def windows(case: Case) -> tuple[Window, ...]:
    """The recorded visit, device by device."""
    spans = [s for s in case.spans if s.main] or list(case.spans)
    notes = int(Decimal(case.settings["R07"]["notes_h"]) * 3_600_000)
    return tuple(_window(case, span, notes) for span in spans)


def _window(case: Case, span: Span, notes: int) -> Window:
    """A device's entries, and the tracks that it has of that visit.

    A file of a receiver may hold the walks of weeks. A run of a track is of this visit where it
    meets the entries, or where it ends so little before them that they can be notes of that day;
    it stretches the visit by no more than that.
    """
    known = offsets(case.clocks, span.device)
    least, most = known or (0, 0)
    first, last, shown = span.begins + least, span.ends + most, span.shown
    begins, ends = first, last
    for way in case.ways:
        for start, end in _runs(way) if way.device == span.device else ():
            if end < first - notes or start > last:
                continue
            shown = True
            begins = min(begins, max(start, first - notes))
            ends = max(ends, min(end, last + notes))
    return Window(span.device, begins, ends, shown, known is not None)


def _runs(way: Way) -> Iterable[tuple[int, int]]:
    """The first and last time of each unbroken run of a track."""
    if not way.times:
        return
    starts = sorted({0, *way.breaks})
    for start, following in zip(starts, (*starts[1:], len(way.times)), strict=True):
        yield way.times[start], way.times[following - 1]


def nearest(at: int, all_windows: Sequence[Window]) -> Window:
    """The window that a time lies in or nearest to."""
    return min(all_windows, key=lambda w: (abs(w.outside(at)), w.device))


# -- R07 ------------------------------------------------------------------------------------------


def _outside_visit(case: Case) -> tuple[Finding, ...]:
    photos = [p for p in case.photos if p.kind == "photo" and p.source in ("imported", "aerial")]
    photos.sort(key=lambda p: p.sha256)
    if not photos:
        return ()
    visit = windows(case)
    if not visit:
        return (R07.needs("entries that say when the visit was"),)
    times = photo_times(photos)
    found: list[Finding] = []
    bare: dict[Camera, list[CasePhoto]] = {}
    timeless: list[CasePhoto] = []
    for photo in photos:
        time = times.get(photo.sha256)
        if time is None or time.how == "none":
            timeless.append(photo)
        elif time.at is None:
            bare.setdefault(time.camera, []).append(photo)
        elif _is_outside(case, time.at, visit):
            found.append(_flag(case, photo, time, time.at, visit))
    for camera, some in sorted(bare.items()):
        found.extend(_bare(case, camera, some, times, visit))
    needs = _needs(timeless, visit)
    if needs:
        found.append(R07.needs(needs))
    return tuple(found)


def _margin(case: Case) -> int:
    return int(Decimal(case.settings["R07"]["margin_min"]) * 60_000)


def _is_outside(case: Case, at: int, visit: Sequence[Window]) -> bool:
    return abs(nearest(at, visit).outside(at)) > _margin(case)


def _bare(
    case: Case,
    camera: Camera,
    photos: Sequence[CasePhoto],
    times: Mapping[str, PhotoTime],
    visit: Sequence[Window],
) -> list[Finding]:
    """Pictures of one camera whose clock names no zone: read in the country's, then in any."""
    local = {p.sha256: times[p.sha256].local or 0 for p in photos}
    home = _home_minutes(case) * 60_000
    beyond = [p for p in photos if _is_outside(case, local[p.sha256] - home, visit)]
    if not beyond:
        return []
    zone = _fitting_zone(local.values(), lambda at: _is_outside(case, at, visit), home)
    if zone is not None:
        return [_zone_flag(case, camera, photos, beyond, local, zone)]
    return [_flag(case, p, times[p.sha256], local[p.sha256] - home, visit) for p in beyond]


def _fitting_zone(local: Iterable[int], is_outside: Callable[[int], bool], home: int) -> int | None:
    """The zone, milliseconds ahead of UTC, that puts all of these times inside: of several the
    likeliest, which is UTC, then a whole hour, then what is nearest to the country's own.
    """
    ends = sorted(local)
    ordered = [ends[0], ends[-1], *ends]  # most zones fail at one of the two ends
    fitting = [
        quarters * _QUARTER_MS
        for quarters in _ZONES
        if not any(is_outside(at - quarters * _QUARTER_MS) for at in ordered)
    ]

    def likeliest(zone: int) -> tuple[bool, bool, int, int]:
        return zone != 0, zone % (4 * _QUARTER_MS) != 0, abs(zone - home), zone

    return min(fitting, key=likeliest, default=None)


def _home_minutes(case: Case) -> int:
    return OFFICIAL[case.country].utc_minutes if case.country in OFFICIAL else 0


def _flag(
    case: Case, photo: CasePhoto, time: PhotoTime, at: int, visit: Sequence[Window]
) -> Finding:
    window = nearest(at, visit)
    away, margin = window.outside(at), _margin(case)
    side = "before" if away < 0 else "after"
    notes = Decimal(case.settings["R07"]["notes_h"]) * 3_600_000
    doubts = [
        *(
            ["Nothing that was measured shows that the device was used on site, so its entries "
             "may have been typed from notes made earlier, and this is a question."]
            if away < 0 and not window.shown and -away <= notes
            else []
        ),
        *(
            ["The device's clock has not been compared with another yet, so this is a question."]
            if not window.clock
            else []
        ),
    ]  # fmt: skip
    text = (
        f"The photograph {called(photo.name, photo.sha256)} was taken {duration(away)} {side} the "
        f"recorded visit, {SAID[time.how]}: at {_clock(case, at)}, while the visit was recorded "
        f"from {_clock(case, window.begins)} to {_clock(case, window.ends)}."
    )
    return R07.flag(
        case,
        photo.sha256,
        "query" if doubts else "major",
        " ".join([text, *doubts]),
        {
            "sha256": photo.sha256,
            "entry": photo.entry,
            "taken_at": at,
            "time_from": time.how,
            "visit_began": window.begins,
            "visit_ended": window.ends,
            "device": window.device,
        },
        f"within the recorded visit and {duration(margin)} before or after it",
        f"{duration(abs(away) - margin)} beyond that",
        (photo.sha256,),
    )


def _zone_flag(
    case: Case,
    camera: Camera,
    photos: Sequence[CasePhoto],
    beyond: Sequence[CasePhoto],
    local: Mapping[str, int],
    zone: int,
) -> Finding:
    home = _home_minutes(case) * 60_000
    count = len(beyond)
    some = "1 photograph" if count == 1 else f"{count} photographs"
    text = (
        f"{some} of {camera_name(camera)} would lie outside the recorded visit if its clock "
        f"showed {_zone_text(home)}, the country's time; it names no zone. If it showed "
        f"{_zone_text(zone)}, every one of its photographs without a zone would lie within the "
        "visit, so this is a question about the camera's clock."
    )
    return R07.flag(
        case,
        f"camera/{camera[0]}/{camera[1]}",
        "query",
        text,
        {
            "camera": camera_name(camera),
            "photographs": len(photos),
            "outside": [
                {"sha256": p.sha256, "entry": p.entry, "camera_time": _bare_clock(local[p.sha256])}
                for p in beyond
            ],
            "zone_of_the_country": _zone_text(home),
            "zone_that_fits": _zone_text(zone),
        },
        f"within the recorded visit and {duration(_margin(case))} before or after it",
        f"a shift of {duration(zone - home)} explains it",
        tuple(p.sha256 for p in beyond),
    )


def _needs(timeless: Sequence[CasePhoto], visit: Sequence[Window]) -> str:
    needs: list[str] = []
    if timeless:
        needs.append(f"the time at which {named(timeless)} was taken")
    unknown = [w.device[:8] for w in visit if not w.clock]
    if unknown:
        needs.append(
            f"the clock of device {', '.join(unknown)} compared with the server's, at a sync"
        )
    return "; ".join(needs)


def named(photos: Sequence[CasePhoto]) -> str:
    """A few photographs by their names, the others counted."""
    names = [called(p.name, p.sha256) for p in photos[:_NAMED]]
    more = len(photos) - len(names)
    each = "each of " if len(photos) > 1 else ""
    return each + ", ".join(names) + (f" and {more} more" if more else "")


def _clock(case: Case, at: int) -> str:
    minutes = _home_minutes(case)
    try:
        when = (_EPOCH + timedelta(milliseconds=at)).astimezone(
            timezone(timedelta(minutes=minutes))
        )
    except OverflowError:
        return "a time outside the calendar"
    return f"{when:%Y-%m-%d %H:%M} ({_zone_text(minutes * 60_000)})"


def _minutes_ahead(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


def _bare_clock(local: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=local):%Y-%m-%d %H:%M:%S}"


def _zone_text(milliseconds: int) -> str:
    hours, minutes = divmod(abs(milliseconds) // 60_000, 60)
    if not hours and not minutes:
        return "UTC"
    sign = "-" if milliseconds < 0 else "+"
    return f"UTC{sign}{hours}:{minutes:02d}" if minutes else f"UTC{sign}{hours}"


R07 = Rule(
    "R07",
    "1",
    "record",
    "A photograph taken outside the visit",
    "The time of a photograph that was brought in lies outside the recorded visit by more than "
    "the margin. Documents, scans and pictures taken in the client are not judged by it.",
    (
        "the camera's clock was set to another zone, or was never set",
        "the visit began on paper before a device was used, or went on after the last entry",
        "the picture shows an earlier state on purpose, which should be said in its note",
    ),
    "A picture of a clock or of a receiver's display by the same camera, its other pictures, or "
    "the auditor's account of when it was taken.",
    _outside_visit,
)
