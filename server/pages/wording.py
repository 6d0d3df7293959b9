"""The words and figures of the pages: dates, distances, numbers, and the names of things.

Numbers arrive as exact decimal strings and are only shortened here, for showing. What would make
a grade look better than it is never comes from the shortening: coverage is cut, not rounded up,
and an interval is widened to whole points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from server.services.weighing import Change, Stand

SEVERITIES = ("critical", "major", "minor", "query")
GRADES = ("A", "B", "C", "D", "E")

# Minutes east of Greenwich. Where a country keeps several zones, that of its capital is shown;
# the offset always stands beside the time, so that it can be checked.
_COUNTRIES: Mapping[str, tuple[str, int]] = {
    "BN": ("Brunei Darussalam", 480),
    "ID": ("Indonesia", 420),
    "KH": ("Cambodia", 420),
    "LA": ("Lao PDR", 420),
    "MM": ("Myanmar", 390),
    "MY": ("Malaysia", 480),
    "PH": ("Philippines", 480),
    "SG": ("Singapore", 480),
    "TH": ("Thailand", 420),
    "VN": ("Viet Nam", 420),
}

# A SHA-256, a nonce's id, a device's id.
_AN_ID = re.compile("[0-9a-f]{64}|[0-9a-f]{32}|[a-z2-7]{32}")

LABELS: Mapping[str, str] = {
    # answers
    "fully": "Fully meets",
    "substantially": "Substantially meets",
    "partially": "Partially meets",
    "does-not-meet": "Does not meet",
    "not-applicable": "Not applicable",
    "not-observed": "Not observed",
    "refused": "Access refused",
    # how an item counted
    "counted": "Counted",
    "adverse-unproven": "Adverse, evidence missing",
    "no-limit": "No legal limit",
    "unanswered": "Unanswered",
    "does-not-apply": "Does not apply",
    # outcomes of a visit
    "visited": "Visited",
    "partly": "Visited in part",
    "refused-at-the-gate": "Refused at the gate",
    "unsafe-and-left": "Unsafe, and left",
    "evacuated": "Evacuated",
    # states an operator declares
    "exploring": "Exploring",
    "active": "Active",
    "care": "Care and maintenance",
    "closed": "Closed",
    "abandoned": "Abandoned",
    # life of a flag
    "open": "Open",
    "upheld": "Upheld",
    "dismissed": "Dismissed",
    "superseded": "Superseded",
    # sources and kinds of evidence
    "taken-here": "Taken in the client",
    "imported": "Imported from a camera or file",
    "aerial": "Aerial picture",
    "scan": "Scan of a document",
    "photo": "Photo",
    "document": "Document",
    "sample": "Sample",
    "interview": "Interview",
    "track": "Track",
    # pillars
    "environment": "Environment",
    "social": "Social",
    "governance": "Governance",
    # what a flag is about
    "operations": "about operations",
    "record": "about the record",
    # processes
    "in-situ-leach": "In-situ leaching",
    "separation": "Solvent-extraction separation",
}


def label(value: str | None) -> str:
    """The words for a code; an unknown code is shown with its hyphens as spaces."""
    if not value:
        return "—"
    return LABELS.get(value, value.replace("-", " ").capitalize())


def level_label(value: str | None, scale: str = "levels") -> str:
    """The words for an answer's level; a met-or-not item has two."""
    if scale == "met-or-not" and value in ("fully", "does-not-meet"):
        return "Met" if value == "fully" else "Not met"
    return label(value)


def country(code: str) -> str:
    """The country's name for its two letters, or the letters."""
    return _COUNTRIES.get(code, (code, 0))[0]


# -- times ----------------------------------------------------------------------------------------


def moment(at: int | None, code: str = "") -> str:
    """UTC milliseconds as `23 Nov 2026, 14:05 (UTC+8)` in the country's time."""
    if at is None:
        return "time not recorded"
    minutes = _COUNTRIES.get(code, ("", 0))[1]
    try:
        when = datetime.fromtimestamp(at / 1000, UTC).astimezone(
            timezone(timedelta(minutes=minutes))
        )
    except (OverflowError, ValueError, OSError):
        return "a time outside the calendar"
    return f"{when.day} {when:%b %Y, %H:%M} ({_offset(minutes)})"


def day(at: int | None, code: str = "") -> str:
    """UTC milliseconds as `23 Nov 2026` in the country's time."""
    return moment(at, code).split(",", maxsplit=1)[0]


def day_text(text: str) -> str:
    """A date YYYY-MM-DD as `23 Nov 2026`; anything else unchanged."""
    try:
        when = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.day} {when:%b %Y}"


def between(first: int, last: int, code: str = "") -> tuple[str, str]:
    """Two moments of UTC milliseconds, what they share of day and offset said once."""
    one, other = moment(first, code), moment(last, code)
    parts = re.fullmatch(r"(.+), (.+) (\(.+\))", one), re.fullmatch(r"(.+), (.+) (\(.+\))", other)
    if parts[0] is None or parts[1] is None or parts[0][1] != parts[1][1]:
        return one, other
    return f"{parts[0][1]}, {parts[0][2]}", f"{parts[1][2]} {parts[1][3]}"


def iso(at: int | None) -> str:
    """UTC milliseconds for the `datetime` of a time element."""
    if at is None:
        return ""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def lag(offset_ms: int) -> str:
    """How far a clock was from this server's, its offset in milliseconds: `3 min ahead of …`."""
    seconds = abs(offset_ms) // 1000
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            found = f"{whole(seconds // length)} {unit}"
            break
    else:
        found = f"{seconds} s"
    return f"{found} {'behind' if offset_ms > 0 else 'ahead of'} this server’s"


def _offset(minutes: int) -> str:
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(minutes, 60)
    return f"UTC+{hours}:{rest:02d}" if rest else f"UTC+{hours}"


# -- numbers --------------------------------------------------------------------------------------


def number(text: str | None, places: int = 1) -> str:
    """A decimal string shortened half-even to so many places; a dash where there is none."""
    value = _decimal(text)
    if value is None:
        return "—"
    return str(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))


def share(text: str | None) -> str:
    """A share such as 0.934 as `93 %`, cut so that it never looks larger than it is."""
    value = _decimal(text)
    if value is None:
        return "—"
    return f"{int((value * 100).to_integral_value(ROUND_FLOOR))} %"


def span(interval: Any) -> str:
    """An interval such as ["70.2", "84.9"] as `70–85`, widened to whole points."""
    if not interval:
        return ""
    low, high = _decimal(interval[0]), _decimal(interval[1])
    if low is None or high is None:
        return ""
    lower, upper = low.to_integral_value(ROUND_FLOOR), high.to_integral_value(ROUND_CEILING)
    return f"{int(lower)}–{int(upper)}"


def score_line(score: Mapping[str, Any] | None) -> str:
    """A score as it always stands: `B · 78.4 (70–84) · 93 % seen · provisional`."""
    if score is None:
        return "Not assessed yet"
    state = score.get("grade_state")
    parts: list[str] = []
    if score.get("grade"):
        parts.append(str(score["grade"]))
    raw, capped = score.get("raw"), score.get("capped")
    if raw is not None:
        between = span(score.get("interval"))
        whole = number(raw) + (f" ({between})" if between else "")
        # The interval belongs to what was measured; what the grade is read from has none.
        if capped is None or capped == raw:
            parts.append(whole)
        else:
            below = "capped from" if is_capped(score) else "lowered for the grade from"
            parts.append(f"{number(capped)}, {below} {whole}")
    if score.get("coverage") is not None:
        parts.append(f"{share(score['coverage'])} seen")
    if state == "provisional":
        parts.append("provisional")
    elif state == "withheld":
        parts.append("grade withheld")
    elif state == "none":
        parts.append("no grade")
    return " · ".join(parts)


def stand_line(stand: Stand) -> str:
    """A grade as a change names it: `C`, `C, provisional`, `grade withheld`, `no grade`."""
    if stand.grade is None:
        return "grade withheld" if stand.state == "withheld" else "no grade"
    return f"{stand.grade}, provisional" if stand.state == "provisional" else stand.grade


def change_line(change: Change) -> str:
    """What a decision makes of a grade: `Keeps C · 61.2`, `C → B · 61.2 → 70.4`."""
    before, after = change.before, change.after
    was, now = stand_line(before), stand_line(after)
    points = f" · {_points(after)}" if after.raw is not None else ""
    if before.raw is not None and after.raw is not None and _points(before) != _points(after):
        points = f" · {_points(before)} → {_points(after)}"
    if was != now:
        return f"{was[0].upper()}{was[1:]} → {now}{points}"
    still = {"grade withheld": "Grade still withheld", "no grade": "Still no grade"}
    return still.get(now, f"Keeps {now}") + points


def _points(stand: Stand) -> str:
    lowered = stand.capped not in (None, stand.raw)
    return f"{number(stand.capped)} (from {number(stand.raw)})" if lowered else number(stand.raw)


def is_capped(score: Mapping[str, Any]) -> bool:
    """Whether a cap sets what the grade is read from; hidden evidence may lower it too."""
    uncapped = (score.get("for_grade") or score).get("raw")
    return score.get("capped") is not None and score["capped"] != uncapped


def by_code(reasons: Sequence[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    """Reasons about a grade, one line a kind with the others of that kind folded behind it.

    Open flags come first: they are what an officer can settle. Where nobody has been there yet,
    that is all there is to say.
    """
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        groups.setdefault(reason["code"], []).append(reason["text"])
    if "no-visit" in groups:
        groups = {"no-visit": groups["no-visit"]}
    ordered = sorted(groups, key=lambda code: code != "open-flag")
    return [(groups[code][0], groups[code][1:]) for code in ordered]


def metres(value: Any, accuracy: Any = None) -> str:
    """A distance as `412 m ± 12 m`, or in kilometres from 10 km on."""
    text = _length(value)
    if text == "—":
        return text
    return text if accuracy is None else f"{text} ± {_length(accuracy)}"


def _length(value: Any) -> str:
    given = _decimal(value)
    if given is None:
        return "—"
    if abs(given) >= 10_000:
        return f"{(given / 1000).quantize(Decimal('0.1'), ROUND_HALF_EVEN)} km"
    places = (
        Decimal(1) if abs(given) >= 10 or given == given.to_integral_value() else Decimal("0.1")
    )
    return f"{given.quantize(places, ROUND_HALF_EVEN)} m"


def position(lat: str | None, lon: str | None) -> str:
    """A WGS 84 position as `20.45012° N, 99.88034° E` (five decimals: about a metre)."""
    y, x = _decimal(lat), _decimal(lon)
    if y is None or x is None:
        return "no position"
    step = Decimal("0.00001")
    north, east = ("N" if y >= 0 else "S"), ("E" if x >= 0 else "W")
    return (
        f"{abs(y).quantize(step, ROUND_HALF_EVEN)}° {north}, "
        f"{abs(x).quantize(step, ROUND_HALF_EVEN)}° {east}"
    )


def size(number_of_bytes: int | None) -> str:
    """A number of bytes as `412 kB` or `2.1 MB` (thousands, not 1024)."""
    if number_of_bytes is None:
        return "size unknown"
    if number_of_bytes < 1000:
        return f"{number_of_bytes} bytes"
    if number_of_bytes < 1_000_000:
        return f"{number_of_bytes // 1000} kB"
    return f"{Decimal(number_of_bytes) / 1_000_000:.1f} MB"


def counted(n: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 photo`, `3 photos`."""
    return f"{whole(n)} {one if n == 1 else many or one + 's'}"


def whole(n: int) -> str:
    """A whole number with its thousands apart: `2,000`."""
    return f"{n:,}"


def page_numbers(page: int, pages: int) -> list[int | None]:
    """The pages that a list leads to: the first, the last, those around this; None for a gap."""
    wanted = sorted({1, pages, *range(max(1, page - 2), min(pages, page + 2) + 1)})
    found: list[int | None] = []
    for before, one in zip([0, *wanted], wanted, strict=False):
        if one - before == 2:
            found.append(one - 1)
        elif one - before > 2:
            found.append(None)
        found.append(one)
    return found


def short(digest: str) -> str:
    """The first twelve signs of a digest, enough to tell files apart by eye."""
    return digest[:12]


def short_path(path: str) -> str:
    """An entry's path with its digests and ids cut to eight signs, to be read by eye."""
    return "/".join(f"{p[:8]}…" if _AN_ID.fullmatch(p) else p for p in path.split("/"))


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        given = Decimal(str(value))
    except InvalidOperation:
        return None
    return given if given.is_finite() and abs(given) < Decimal(10) ** 15 else None


FILTERS: Mapping[str, Any] = {
    "label": label,
    "level_label": level_label,
    "change": change_line,
    "country": country,
    "moment": moment,
    "between": between,
    "day": day,
    "day_text": day_text,
    "iso": iso,
    "lag": lag,
    "number": number,
    "share": share,
    "span": span,
    "score_line": score_line,
    "is_capped": is_capped,
    "by_code": by_code,
    "metres": metres,
    "position": position,
    "size": size,
    "counted": counted,
    "whole": whole,
    "page_numbers": page_numbers,
    "short": short,
    "short_path": short_path,
}
