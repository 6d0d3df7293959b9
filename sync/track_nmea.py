"""NMEA 0183 logs -> tracks: one point for each moment that the receiver gave a position for.

Accuracies are radii at 95 %: twice the root of the variances where GBS or GST give standard
deviations (2DRMS), else HDOP times gpsd's bound for its unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sync.inspection import TrackPoint
from sync.nmea import Tally, as_number, sentences
from sync.nmea_receiver import RECKONED, SIMULATED, TYPED, Receiver, Report
from sync.track_file import FROM_DEVIATIONS, FROM_HDOP, ReadTrack

_NOT_MEASURED = {
    RECKONED: "dead reckoning",
    TYPED: "typed in by hand",
    SIMULATED: "a simulation",
}
_TENTH = Decimal("0.1")
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that a receiver's log says: its reports in order; and by epoch the times that
    came with a date, be it after the report, and the deviations (GST, as 2DRMS in metres).
    """

    reports: tuple[Report, ...]
    times: dict[int, datetime]
    deviations: dict[int, Decimal]
    tally: Tally
    rolled_over: int

    @property
    def fixes(self) -> tuple[Report, ...]:
        return tuple(r for r in self.reports if r.is_fix)


def hear(data: bytes) -> Heard:
    """Listen to a whole log as gpsd 3.22 would."""
    receiver, tally = Receiver(), Tally()
    reports: list[Report] = []
    times: dict[int, datetime] = {}
    deviations: dict[int, Decimal] = {}
    for sentence in sentences(data, tally):
        report = receiver.take(sentence)
        if report is not None:
            reports.append(report)
        dated = receiver.dated(sentence)
        if dated is not None:
            times[receiver.epoch] = dated
        if sentence.address.endswith("GST") and sentence.count >= 8:
            radius = _radius(as_number(sentence[6]), as_number(sentence[7]))
            if radius is not None and receiver.clock.is_at(sentence[1]):
                deviations[receiver.epoch] = radius
    return Heard(tuple(reports), times, deviations, tally, receiver.clock.rolled_over)


def read_nmea(data: bytes) -> ReadTrack:
    """A log's bytes -> its track. Sentences that are damaged are counted and left out."""
    heard = hear(data)
    notes: list[str] = []
    if heard.tally.damaged:
        notes.append(f"damaged sentences, left out: {heard.tally.damaged}")
    if heard.rolled_over:
        notes.append(
            "the receiver's dates lie before 2017, as after its week counter began anew: "
            "1024 weeks were added"
        )
    points, sources = [], Counter[str]()
    for report in _one_each(heard.fixes, notes):
        accuracy, source = _accuracy(report, heard.deviations)
        sources[source] += 1
        points.append(_point(report, heard.times.get(report.epoch, report.fix.at), accuracy))
    return ReadTrack(
        "NMEA 0183",
        tuple(points),
        (0,) if points else (),
        {
            "sentences": heard.tally.sentences,
            "damaged": heard.tally.damaged,
            "reports": len(heard.reports),
            "fixes": len(heard.fixes),
        },
        tuple(s for s, _ in sources.most_common() if s),
        tuple(notes),
    )


def _one_each(fixes: Iterable[Report], notes: list[str]) -> list[Report]:
    """The last report of each moment; what was not measured is left out, and said."""
    last: dict[int, Report] = {}
    left: Counter[str] = Counter()
    for report in fixes:
        last[report.epoch] = report
    kept: list[Report] = []
    for report in last.values():
        why = _NOT_MEASURED.get(report.fix.status)
        if why is None:
            kept.append(report)
        else:
            left[why] += 1
    notes.extend(f"positions from {why}, left out: {count}" for why, count in left.items())
    return kept


def _accuracy(report: Report, deviations: dict[int, Decimal]) -> tuple[Decimal | None, str]:
    fix = report.fix
    radius = deviations.get(report.epoch) or _radius(fix.sigma_lat, fix.sigma_lon)
    if radius:
        return radius, FROM_DEVIATIONS
    return (fix.eph, FROM_HDOP) if fix.eph else (None, "")


def _radius(sigma_lat: Decimal | None, sigma_lon: Decimal | None) -> Decimal | None:
    """2DRMS: the circle that holds between 95 and 98 % of positions, whatever the ellipse."""
    if sigma_lat is None or sigma_lon is None:
        return None
    return 2 * (sigma_lat * sigma_lat + sigma_lon * sigma_lon).sqrt()


def _point(report: Report, time: datetime | None, accuracy: Decimal | None) -> TrackPoint:
    fix = report.fix
    at = None if time is None else (time - _EPOCH) // _MILLISECOND
    told = None if accuracy is None else f"{max(accuracy.quantize(_TENTH), _TENTH)}"
    return TrackPoint(at, f"{fix.lat:f}", f"{fix.lon:f}", told)
