"""R02: a photograph's own position against where the device was tracked at that moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, CasePhoto, Finding, called
from checklists.discrepancies.moments import Way, offsets
from checklists.discrepancies.photo_time import SAID, PhotoTime, photo_times
from checklists.discrepancies.rule import Rule, metres, tenth
from checklists.discrepancies.visit_time import named
from sync.inspection import is_decimal
from sync.place import distance_m

_WGS84 = frozenset({"", "WGS84", "WGS1984"})


@dataclass(frozen=True, slots=True)
class _Own:
    """Where and when a photograph says it was taken: WGS 84, metres, the earliest and the latest
    time (UTC milliseconds) that it may have been.
    """

    place: tuple[float, float]
    accuracy: float | None
    earliest: int
    latest: int
    how: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A photograph against one place on a track: metres to the tenth."""

    way: Way
    at: int
    place: tuple[float, float]
    distance: Decimal
    known: Decimal
    allowed: Decimal

    @property
    def over(self) -> Decimal:
        return self.distance - self.allowed


def _against_tracks(case: Case) -> tuple[Finding, ...]:
    photos = sorted((p for p in case.photos if _judged(p)), key=lambda p: p.sha256)
    if not photos:
        return ()
    ways = [way for way in case.ways if way.times]
    if not ways:
        return (R02.needs("a track with times, recorded during the visit"),)
    times = photo_times(case.photos)
    found: list[Finding] = []
    unsure: dict[str, list[CasePhoto]] = {}
    for photo in photos:
        own = _own(case, photo, times.get(photo.sha256))
        if isinstance(own, str):
            unsure.setdefault(own, []).append(photo)
            continue
        mine = [w for w in ways if photo.source != "taken-here" or w.device == photo.device]
        held = [h for way in mine if (h := _hold(case, own, way)) is not None]
        if not held:
            unsure.setdefault(_TRACK, []).append(photo)
        elif min(h.over for h in held) > 0:
            found.append(_flag(case, photo, own, min(held, key=_order)))
    if unsure:
        needs = (f"{what} {named(some)}" for what, some in sorted(unsure.items()))
        found.append(R02.needs("; ".join(needs)))
    return tuple(found)


_FILE = "the file, which has not arrived here, of"
_TIME = "the time, with its zone, of"
_TRACK = "a track, without a gap there, of the moment of"
_CLOCK = "the device's clock compared with another, to know the time of"
_DATUM = "in WGS 84 the position of"


def _judged(photo: CasePhoto) -> bool:
    """Whether the photograph has a position of its own, or may have one in bytes that are not here.
    One that was taken from the track is none.
    """
    if photo.kind != "photo":
        return False
    if photo.source == "taken-here":
        return photo.fix is not None and photo.fix.source != "track"
    if photo.source != "imported" or photo.unreadable:
        return False
    return photo.facts is None or photo.facts.get("gps_block") == "position"


def _own(case: Case, photo: CasePhoto, time: PhotoTime | None) -> _Own | str:
    """The photograph's own position and time, or what is needed to know them."""
    if photo.source == "taken-here" and photo.fix is not None:
        # What the client signed counts, not what is left of a picture's own record.
        fix = photo.fix
        known = offsets(case.clocks, photo.device)
        if known is None or known[1] - known[0] > _gap(case):
            return _CLOCK
        at = photo.at if fix.at is None else fix.at
        accuracy = None if fix.accuracy_m is None else float(fix.accuracy_m)
        place = (float(fix.lat), float(fix.lon))
        return _Own(place, accuracy, at + known[0], at + known[1], "client")
    if photo.facts is None:
        return _FILE
    facts = photo.facts
    lat, lon, radius = (str(facts.get(k) or "") for k in ("lat", "lon", "accuracy_m"))
    if time is None or time.at is None or not (is_decimal(lat) and is_decimal(lon)):
        return _TIME
    datum = "".join(c for c in str(facts.get("datum") or "").upper() if c.isalnum())
    if datum not in _WGS84:
        return _DATUM
    accuracy = float(radius) if is_decimal(radius) else None
    return _Own((float(lat), float(lon)), accuracy, time.at, time.at, time.how)


def _gap(case: Case) -> Decimal:
    return Decimal(case.settings["R02"]["gap_s"]) * 1000


def _hold(case: Case, own: _Own, way: Way) -> _Held | None:
    """The place on a track that speaks most for the photograph; None where it says nothing."""
    places = [
        place for at in sorted({own.earliest, own.latest}) for place in _places(way, at, _gap(case))
    ]
    held = [_measure(case, own, way, *place) for place in places]
    return min(held, key=_order, default=None)


def _order(held: _Held) -> tuple[Decimal, Decimal, str, str, int]:
    return held.over, held.distance, held.way.device, held.way.file, held.at


def _places(
    way: Way, at: int, gap: Decimal
) -> Iterable[tuple[int, tuple[float, float], float | None]]:
    """Where the track was at a time: between two points that are close in time, or at one.

    Between two points it may have been at either, or on the straight line between them.
    """
    times = way.times
    after = bisect_left(times, at)
    if after < len(times) and times[after] == at:
        yield at, way.places[after], way.accuracies[after]
        return
    before = after - 1
    if before < 0 or after == len(times) or after in way.breaks:
        return
    if times[after] - times[before] > gap:
        return
    share = (at - times[before]) / (times[after] - times[before])
    (lat_a, lon_a), (lat_b, lon_b) = way.places[before], way.places[after]
    known = [a for a in (way.accuracies[before], way.accuracies[after]) if a is not None]
    accuracy = max(known, default=None)
    yield times[before], way.places[before], accuracy
    yield at, (lat_a + share * (lat_b - lat_a), lon_a + share * (lon_b - lon_a)), accuracy
    yield times[after], way.places[after], accuracy


def _measure(
    case: Case, own: _Own, way: Way, at: int, place: tuple[float, float], accuracy: float | None
) -> _Held:
    known = sum((tenth(a) for a in (own.accuracy, accuracy) if a is not None), Decimal(0))
    allowed = 2 * known + Decimal(case.settings["R02"]["margin_m"])
    return _Held(way, at, place, tenth(distance_m(own.place, place)), known, allowed)


def _flag(case: Case, photo: CasePhoto, own: _Own, held: _Held) -> Finding:
    name = called(photo.name, photo.sha256)
    said = "as the client noted it" if own.how == "client" else SAID[own.how]
    text = (
        f"The photograph {name} gives a position that is {metres(held.distance)} from where the "
        f"device was tracked at that moment ({said}). The accuracies that are known, "
        f"±{metres(held.known)} together, and the margin explain up to {metres(held.allowed)}."
    )
    files = (held.way.file,) if held.way.file else ()
    return R02.flag(
        case,
        photo.sha256,
        "major",
        text,
        {
            "sha256": photo.sha256,
            "entry": photo.entry,
            "source": photo.source,
            "time_from": own.how,
            "taken_at": own.earliest,
            "photo": _where(own.place),
            "track": {**_where(held.place), "at": held.at, "device": held.way.device},
            "track_files": list(files),
            "distance_m": str(held.distance),
            "accuracies_m": str(held.known),
        },
        f"at most {metres(held.allowed)}: twice the accuracies and "
        f"{metres(Decimal(case.settings['R02']['margin_m']))}",
        f"{metres(held.over)} beyond that",
        (photo.sha256,),
    )


def _where(place: tuple[float, float]) -> Mapping[str, str]:
    return {"lat": f"{place[0]:.7f}", "lon": f"{place[1]:.7f}"}


R02 = Rule(
    "R02",
    "1",
    "record",
    "A photograph away from the track",
    "A photograph's own position lies farther from the track of the visit at the same moment than "
    "twice the known accuracies and the margin. Gaps in a track are no flag; aerial pictures are "
    "not judged.",
    (
        "the camera wrote a position that it had kept from earlier",
        "under trees or between steep walls a receiver may be far off for a while",
        "a colleague took the picture elsewhere on the site while the device was tracked here",
        "the camera's clock was wrong by some minutes",
    ),
    "What the picture shows, other pictures of the same place, or the auditor's account of who "
    "took it and where.",
    _against_tracks,
)
