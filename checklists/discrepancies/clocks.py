"""R08: how far a device's clock was from the server's and from GNSS time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.moments import Reading, Span
from checklists.discrepancies.rule import Rule, duration

_BY = {"server": "the server's", "gnss": "GNSS time"}
_LISTED = 20


def _skew(case: Case) -> tuple[Finding, ...]:
    found: list[Finding] = []
    unknown: list[str] = []
    for span in case.spans:
        readings = [r for r in case.clocks if r.device == span.device]
        worst = max(readings, key=_by_offset, default=None)
        if worst is not None and abs(worst.offset_ms) > _limit(case, "skew_s"):
            found.append(_flag(case, worst, readings))
        elif not _compared(span, readings):
            unknown.append(span.device[:8])
    if unknown:
        found.append(
            R08.needs(
                f"the clock of device {', '.join(unknown)} compared with the server's at a sync "
                "after the visit began, or with GNSS times on a track that it recorded"
            )
        )
    return tuple(found)


def _compared(span: Span, readings: Sequence[Reading]) -> bool:
    """What was compared before the visit says nothing about the clock during it."""
    return any(r.source == "gnss" or r.at >= span.begins for r in readings)


def _limit(case: Case, name: str) -> Decimal:
    return Decimal(case.settings["R08"][name]) * 1000


def _by_offset(reading: Reading) -> tuple[int, int, int, str]:
    return abs(reading.offset_ms), reading.offset_ms, reading.at, reading.source


def _flag(case: Case, worst: Reading, readings: Sequence[Reading]) -> Finding:
    off = abs(worst.offset_ms)
    way = "behind" if worst.offset_ms > 0 else "ahead of"
    spread = max(r.offset_ms for r in readings) - min(r.offset_ms for r in readings)
    text = (
        f"The clock of device {worst.device[:8]} was {duration(off)} {way} {_BY[worst.source]}. "
        "Where times of this visit are compared, this offset is taken into account."
    )
    if spread > _limit(case, "skew_s"):
        text += (
            f" The comparisons differ by {duration(spread)}: the clock was set in between, so "
            "times by it are known no better than that."
        )
    allowed, major = _limit(case, "skew_s"), _limit(case, "major_s")
    return R08.flag(
        case,
        worst.device,
        "major" if off > major else "minor",
        text,
        {
            "device": worst.device,
            "offset_ms": worst.offset_ms,
            "compared_with": worst.source,
            "comparisons": [
                {"with": r.source, "device_time": r.at, "offset_ms": r.offset_ms}
                for r in sorted(readings, key=_by_offset, reverse=True)[:_LISTED]
            ],
        },
        f"at most {duration(int(allowed))}; major beyond {duration(int(major))}",
        f"{duration(int(off - allowed))} beyond the threshold",
    )


R08 = Rule(
    "R08",
    "1",
    "record",
    "A device's clock was wrong",
    "The device's clock differs from the server's, measured at each sync, or from GNSS time, "
    "recorded along a track, by more than the limit.",
    (
        "without a network a device's clock drifts, or starts anew after its battery was empty",
        "the clock was set to local time as if it were another zone's",
        "a slow connection delayed what the server compared",
    ),
    "Another sync after the clock was set, or the device's own times on a track.",
    _skew,
)
