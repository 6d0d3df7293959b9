"""R09: movements that are faster than a vehicle could be."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.moments import Taken, Way, offsets
from checklists.discrepancies.rule import Rule, duration, metres, tenth
from checklists.discrepancies.visit_time import Window, windows
from sync.place import distances_m

_IN_HASTE = ("unsafe-and-left", "evacuated")
_LISTED = 10


@dataclass(frozen=True, slots=True)
class _Step:
    """One moment of a device's movement; `own` tells that its own clock gave the time."""

    at: int
    place: tuple[float, float]
    accuracy: float | None
    own: bool
    label: str
    entry: str
    evidence: str


@dataclass(frozen=True, slots=True)
class _Leap:
    """Two moments that imply too much speed: km/h to the tenth, metres to the tenth."""

    start: _Step
    end: _Step
    distance: Decimal
    taken_off: Decimal
    speed: Decimal
    surely: bool


@dataclass(frozen=True, slots=True)
class _Limits:
    speed: Decimal
    least_ms: int
    assumed: float


def _leaps(case: Case) -> tuple[Finding, ...]:
    movements = _movements(case)
    if not movements:
        return ()
    haste = [outcome for outcome in case.outcomes if outcome in _IN_HASTE]
    if haste:
        return (R09.needs("a visit that nobody had to leave in haste: speed is not judged then"),)
    s = case.settings["R09"]
    limits = _Limits(
        Decimal(s["speed_kmh"]), int(Decimal(s["least_s"]) * 1000), float(s["assumed_accuracy_m"])
    )
    found: list[Finding] = []
    for device, file, steps in movements:
        doubt = _doubt(case, device)
        leaps = sorted(_too_fast(steps, limits, doubt), key=_order)
        if leaps:
            found.append(_flag(case, device, file, leaps, limits, doubt))
    return tuple(found)


def _doubt(case: Case, device: str) -> int:
    """How far apart the device's own times may be: as far as its comparisons differ, and as far
    as its log shows that the clock was set back, in milliseconds.
    """
    known = offsets(case.clocks, device)
    doubt = known[1] - known[0] if known else 0
    latest = None
    for taken in sorted((t for t in case.fixes if t.device == device), key=lambda t: t.seq):
        if latest is not None:
            doubt = max(doubt, latest - taken.at)
        latest = taken.at if latest is None else max(latest, taken.at)
    return doubt


# -- movements ------------------------------------------------------------------------------------


def _movements(case: Case) -> list[tuple[str, str, list[_Step]]]:
    """Who moved, by which file, and the steps in the order of time, two or more.

    A device's own fixes and the track that it recorded are one movement, on the receiver's clock.
    A file that was brought in is another receiver's, which somebody else may have carried.
    """
    devices = sorted({t.device for t in case.fixes} | {w.device for w in case.ways})
    visit = windows(case)
    found: list[tuple[str, str, list[_Step]]] = []
    for device in devices:
        ways = [w for w in case.ways if w.device == device]
        fixes = [_of_fix(t) for t in case.fixes if t.device == device and t.measured]
        recorded = [
            _of_point(way, i) for way in ways if not _brought(way) for i in range(len(way.times))
        ]
        known = offsets(case.clocks, device)
        if recorded and fixes and known is None:
            found.append((device, "", fixes))  # two clocks that nothing brings together
            found.append((device, "track", recorded))
        else:
            ahead = (known[0] + known[1]) // 2 if recorded and known else 0
            found.append((device, "", recorded + [_moved(step, ahead) for step in fixes]))
        window = [w for w in visit if w.device == device]
        found.extend((device, way.file, _of_visit(window, way)) for way in ways if _brought(way))
    for _, _, steps in found:
        steps.sort(key=lambda s: (s.at, s.entry, s.place))
    return [(device, file, steps) for device, file, steps in found if len(steps) > 1]


def _brought(way: Way) -> bool:
    return way.source != "recorded"


def _of_visit(window: Sequence[Window], way: Way) -> list[_Step]:
    """The points of a receiver's file that belong to the visit: not the flight of last month."""
    if not window:
        return []
    first = bisect_left(way.times, min(w.begins for w in window))
    last = bisect_right(way.times, max(w.ends for w in window))
    return [_of_point(way, i) for i in range(first, last)]


def _of_point(way: Way, i: int) -> _Step:
    label = "a point of the track"
    return _Step(way.times[i], way.places[i], way.accuracies[i], False, label, "", way.file)


def _of_fix(taken: Taken) -> _Step:
    fix = taken.fix
    accuracy = None if fix.accuracy_m is None else float(fix.accuracy_m)
    place = (float(fix.lat), float(fix.lon))
    return _Step(taken.measured_at, place, accuracy, True, taken.label, taken.entry, taken.evidence)


def _moved(step: _Step, ahead: int) -> _Step:
    return _Step(
        step.at + ahead,
        step.place,
        step.accuracy,
        step.own,
        step.label,
        step.entry,
        step.evidence,
    )


# -- speeds ---------------------------------------------------------------------------------------


def _too_fast(steps: Sequence[_Step], limits: _Limits, doubt: int) -> list[_Leap]:
    """The steps that are too fast: each against the one before it, and against the last one that
    lies far enough back for a receiver's noise to matter no more.
    """
    pairs: list[tuple[int, int]] = []
    back = 0
    for i in range(1, len(steps)):
        while back + 1 < i and steps[i].at - steps[back + 1].at >= limits.least_ms:
            back += 1
        pairs.append((i - 1, i))
        if back < i - 1 and steps[i].at - steps[back].at >= limits.least_ms:
            pairs.append((back, i))
    # A hundred thousand steps are sieved by a bound before their distances are worked out.
    slowest = float(limits.speed) / 3600.0
    fast = [
        (steps[a], steps[b])
        for a, b in pairs
        if _at_most_m(steps[a].place, steps[b].place) + 0.1
        > slowest * max(steps[b].at - steps[a].at, limits.least_ms)
    ]
    distances = distances_m([a.place for a, _ in fast], [b.place for _, b in fast])
    leaps = (
        _leap(a, b, distance, limits, doubt)
        for (a, b), distance in zip(fast, distances, strict=True)
    )
    return [leap for leap in leaps if leap is not None]


def _at_most_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """A distance that two places cannot exceed: a degree on WGS 84 is at most 111,695 m long."""
    return 111_695.0 * (abs(a[0] - b[0]) + abs(a[1] - b[1]))


def _leap(start: _Step, end: _Step, distance: float, limits: _Limits, doubt: int) -> _Leap | None:
    known = [step.accuracy for step in (start, end) if step.accuracy is not None]
    taken_off = sum((tenth(a) for a in known), Decimal(0))
    # Times by the device's clock are known no better than its comparisons agree.
    extra = doubt if start.own or end.own else 0
    between = max(end.at - start.at, limits.least_ms)
    beyond = tenth(distance) - taken_off
    speed = _speed(beyond, between)
    if speed <= limits.speed:
        return None
    assumed = tenth(limits.assumed) * (2 - len(known))
    surely = _speed(beyond - assumed, between + extra) > limits.speed
    return _Leap(start, end, tenth(distance), taken_off, speed, surely)


def _speed(distance: Decimal, milliseconds: int) -> Decimal:
    """Metres and milliseconds as km/h to the tenth."""
    return (distance * 3600 / milliseconds).quantize(Decimal("0.1"))


def _order(leap: _Leap) -> tuple[bool, Decimal, int, int, str, str]:
    start, end = leap.start, leap.end
    return not leap.surely, -leap.speed, start.at, end.at, start.entry, end.entry


# -- what is said ---------------------------------------------------------------------------------


def _flag(
    case: Case, device: str, file: str, leaps: Sequence[_Leap], limits: _Limits, doubt: int
) -> Finding:
    worst = leaps[0]
    between = worst.end.at - worst.start.at
    text = (
        f"Two consecutive positions of device {device[:8]} imply {_kmh(worst.speed)}: "
        f"{worst.end.label} is {metres(worst.distance)} from {worst.start.label}, "
        f"{duration(between)} later, after taking off ±{metres(worst.taken_off)} for the "
        "accuracies that are known."
    )
    if between < limits.least_ms:
        text += f" Less than {duration(limits.least_ms)} counts as that long."
    if len(leaps) > 1:
        text += f" In all, {len(leaps)} steps are that fast."
    if not worst.surely:
        text += (
            f" The device's clock was set in between, by up to {duration(doubt)}, or accuracies "
            "were not recorded; that may explain it, so it is a question."
            if doubt
            else " Accuracies that were not recorded may explain it, so it is a question."
        )
    files = {s.evidence for leap in leaps for s in (leap.start, leap.end) if s.evidence}
    return R09.flag(
        case,
        f"{device}/{file}" if file else device,
        "major" if worst.surely else "query",
        text,
        {
            "device": device,
            "count": len(leaps),
            "clock_doubt_ms": doubt,
            "steps": [_said(leap) for leap in leaps[:_LISTED]],
        },
        f"at most {_kmh(limits.speed)} after taking off the accuracies",
        f"{_kmh(worst.speed - limits.speed)} faster",
        tuple(sorted(files)),
    )


def _said(leap: _Leap) -> dict[str, object]:
    return {
        "from": _step(leap.start),
        "to": _step(leap.end),
        "seconds": f"{(leap.end.at - leap.start.at) / 1000:.3f}",
        "distance_m": str(leap.distance),
        "accuracies_m": str(leap.taken_off),
        "speed_kmh": str(leap.speed),
    }


def _step(step: _Step) -> dict[str, object]:
    return {
        "label": step.label,
        "entry": step.entry,
        "at": step.at,
        "lat": f"{step.place[0]:.7f}",
        "lon": f"{step.place[1]:.7f}",
        "accuracy_m": "unknown" if step.accuracy is None else str(tenth(step.accuracy)),
    }


def _kmh(speed: Decimal) -> str:
    return f"{speed:.0f} km/h" if speed >= 10 else f"{speed:.1f} km/h"


R09 = Rule(
    "R09",
    "1",
    "record",
    "A movement too fast to be real",
    "Two consecutive positions of one device imply more than the limit after taking off both "
    "accuracies. Typed positions and those of imported pictures are no movement; whoever left in "
    "haste is not judged.",
    (
        "a flight, which should be said in the note",
        "a receiver that has lost its satellites may jump for a moment",
        "the device's clock was set between the two",
    ),
    "The track of the whole day, a note of the flight, or the auditor's account of the way.",
    _leaps,
)
