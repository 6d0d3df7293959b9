"""What a visit says about time: fixes, tracks, when each device was at work, and its clock.

Times are UTC milliseconds. Those of entries and fixes are by the device's own clock, a claim (L9
of docs/protocol.md); those of tracks are the receiver's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sync.inspection import Evidence, Fix, Inspection, Slot, Track, Written

# A typed position was read off something, one from a track or a picture was worked out later:
# none of them says where this device was when the entry was written.
NOT_MEASURED_HERE = ("typed", "track", "exif")
_PLACELESS = ("document", "interview")


@dataclass(frozen=True, slots=True)
class Taken:
    """A fix, the entry that used it, and when that was by the device's clock (`at`).

    `source` is "client" or the evidence's source. `stands` tells whether the entry is a head.
    """

    label: str
    device: str
    seq: int
    entry: str
    at: int
    fix: Fix
    source: str
    evidence: str
    stands: bool

    @property
    def measured(self) -> bool:
        """Whether it shows where the device itself was when the entry was written."""
        return (
            self.source in ("client", "taken-here")
            and self.fix.source not in NOT_MEASURED_HERE
            and not self.fix.mock
        )

    @property
    def measured_at(self) -> int:
        """When it was measured by the device's clock; without a time of its own, when used."""
        return self.at if self.fix.at is None else self.fix.at


@dataclass(frozen=True, slots=True)
class Way:
    """A whole track of one receiver: the points that have a time, in its order.

    `file` is the digest of the file it was read from, or empty. `times`, `places` (degrees WGS 84)
    and `accuracies` (metres, None where not known) go together; no line is drawn to the points
    whose indices are in `breaks`. `untimed` counts points without a time.
    """

    device: str
    source: str
    file: str
    times: tuple[int, ...]
    places: tuple[tuple[float, float], ...]
    accuracies: tuple[float | None, ...]
    breaks: frozenset[int]
    untimed: int


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a device recorded the visit, by its own clock.

    `shown` tells whether a measured position or a picture taken in the client shows that it was
    used on site: without one, everything may have been typed from notes afterwards. `main` is
    False for a device that neither began nor ended the visit nor shows that it was there.
    """

    device: str
    begins: int
    ends: int
    shown: bool
    main: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a device's clock was behind another: `offset_ms` is the other less the device's.

    `source` is server or gnss; `at` is when it was compared, by the device's clock.
    """

    device: str
    source: str
    at: int
    offset_ms: int


# -- fixes ----------------------------------------------------------------------------------------


def fixes_of(inspection: Inspection, called: Callable[[str, str], str]) -> tuple[Taken, ...]:
    """Every fix that an entry used, standing or replaced; `called` names a file in a sentence."""
    found: list[Taken] = []

    def add(label: str, fix: Fix | None, w: Written, stands: bool, source: str, sha: str) -> None:
        if fix is not None:
            found.append(Taken(label, w.device, w.seq, w.h, w.at, fix, source, sha, stands))

    for about, stands in _each(inspection.about):
        add("the start of the visit", about.fix, about.written, stands, "client", "")
    for outcome, stands in _each(inspection.outcome):
        add("the end of the visit", outcome.fix, outcome.written, stands, "client", "")
    for (item, instance), answers in inspection.answers.items():
        label = f"the answer to {item}" + ("" if instance == "-" else f" at {instance}")
        for answer, stands in _each(answers):
            add(label, answer.fix, answer.written, stands, "client", "")
    for (what, instance), observed in inspection.observed.items():
        label = f"the observation of {what if instance == '-' else instance}"
        for seen, stands in _each(observed):
            add(label, seen.fix, seen.written, stands, "client", "")
    for attached in inspection.evidence.values():
        for one, stands in _each(attached):
            if one.kind not in _PLACELESS:
                label = f"the {one.kind} {called(one.name, one.sha256)}"
                add(label, one.fix, one.written, stands, one.source, one.sha256)
    return tuple(sorted(found, key=lambda t: (t.device, t.seq, t.entry)))


def _each(slot: Slot[Any]) -> Iterator[tuple[Any, bool]]:
    yield from ((head, True) for head in slot.heads)
    yield from ((before, False) for before in slot.earlier)


# -- tracks ---------------------------------------------------------------------------------------


def ways_of(inspection: Inspection) -> tuple[Way, ...]:
    """The tracks of a visit, their parts put together again."""
    parts: dict[tuple[str, str, str], list[Track]] = {}
    for slot in inspection.tracks.values():
        for track in slot.heads:
            parts.setdefault((track.device, track.source, track.file), []).append(track)
    return tuple(
        _way(*key, sorted(tracks, key=lambda t: (t.n, t.written.h)))
        for key, tracks in sorted(parts.items())
    )


def _way(device: str, source: str, file: str, tracks: list[Track]) -> Way:
    rows: list[tuple[int, bool, str, str, float | None]] = []
    untimed, before, broken = 0, None, True
    for track in tracks:
        starts = set(track.segments)
        if before is not None and track.n != before + 1:
            broken = True  # a part between them is not here
        before = track.n
        for i, point in enumerate(track.points):
            broken = broken or i in starts
            if point.at is None:
                untimed += 1
                continue
            accuracy = None if point.accuracy_m is None else float(point.accuracy_m)
            rows.append((point.at, broken, point.lat, point.lon, accuracy))
            broken = False
    rows.sort(key=lambda row: row[0])
    return Way(
        device,
        source,
        file,
        tuple(row[0] for row in rows),
        tuple((float(row[2]), float(row[3])) for row in rows),
        tuple(row[4] for row in rows),
        frozenset(i for i, row in enumerate(rows) if row[1]),
        untimed,
    )


# -- when the visit was ---------------------------------------------------------------------------


def spans_of(inspection: Inspection, fixes: Iterable[Taken]) -> tuple[Span, ...]:
    """When each device recorded the visit, by its own clock.

    A visit begins with a device's first entry, whatever is corrected in it later, and ends with
    the last outcome that it recorded before signing. Answers and observations that are written
    after that outcome are notes made later and stretch nothing, unless a measured position or a
    picture taken in the client shows that the device was still there. Files that are brought in
    say nothing about when that was.
    """
    signed: dict[str, int] = {}
    for slot in inspection.sign_offs.values():
        for one, _ in _each(slot):
            device, at = one.written.device, one.written.at
            signed[device] = min(at, signed.get(device, at))
    began: dict[str, list[int]] = {}
    ended: dict[str, list[int]] = {}
    noted: dict[str, list[int]] = {}
    shown: dict[str, list[int]] = {}
    for about, _ in _each(inspection.about):
        began.setdefault(about.written.device, []).append(about.written.at)
    for outcome, _ in _each(inspection.outcome):
        w = outcome.written
        if w.at <= signed.get(w.device, w.at):
            ended.setdefault(w.device, []).append(w.at)
    for slots in (inspection.answers, inspection.observed):
        for entry in (e for slot in slots.values() for e, _ in _each(slot)):
            noted.setdefault(entry.written.device, []).append(entry.written.at)
    for taken in fixes:
        if taken.measured:
            shown.setdefault(taken.device, []).append(taken.at)
    for picture in _taken_here(inspection):
        shown.setdefault(picture.written.device, []).append(picture.written.at)
    found: list[Span] = []
    for device in sorted({*began, *ended, *noted, *shown}):
        there = [*sorted(began.get(device, ()))[:1], *ended.get(device, ()), *shown.get(device, ())]
        last = max(ended[device]) if device in ended else signed.get(device)
        notes = [n for n in noted.get(device, ()) if last is None or n <= last]
        moments = there + notes or noted.get(device, [])
        main = device in began or device in ended or device in shown
        found.append(Span(device, min(moments), max(moments), device in shown, main))
    return tuple(found)


def _taken_here(inspection: Inspection) -> Iterator[Evidence]:
    for slot in inspection.evidence.values():
        for one, _ in _each(slot):
            if one.kind == "photo" and one.source == "taken-here":
                yield one


# -- clocks ---------------------------------------------------------------------------------------


def clocks_of(
    inspection: Inspection, spans: Iterable[Span], measured: Iterable[Reading]
) -> tuple[Reading, ...]:
    """What is known of the clocks of the devices that recorded the visit.

    `measured` is what was compared with the server's clock. A track that bears both times adds
    its two ends: the 5th and the 95th hundredth of the offsets, so that a stray point counts for
    nothing while a clock that was set on the way shows.
    """
    devices = {span.device for span in spans}
    found = {reading for reading in measured if reading.device in devices}
    for slot in inspection.tracks.values():
        for track in slot.heads:
            if track.source != "recorded" or track.device not in devices:
                continue
            offsets = sorted(
                (p.at - p.device_at, p.device_at)
                for p in track.points
                if p.at is not None and p.device_at is not None
            )
            few = len(offsets) // 20
            for offset, at in {offsets[few], offsets[-1 - few]} if offsets else ():
                found.add(Reading(track.device, "gnss", at, offset))
    return tuple(sorted(found, key=lambda r: (r.device, r.source, r.at, r.offset_ms)))


def offsets(clocks: Iterable[Reading], device: str) -> tuple[int, int] | None:
    """The least and the largest offset that was found of a device's clock; None where unknown."""
    known = [reading.offset_ms for reading in clocks if reading.device == device]
    return (min(known), max(known)) if known else None
