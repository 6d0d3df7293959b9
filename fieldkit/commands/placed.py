"""place: photos get a position from the tracks; or a declared point is brought to WGS 84."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from fieldkit import show
from fieldkit.commands.desk import (
    Desk,
    camera_offset_option,
    inspection_option,
    opened,
    unopened,
)

_MINUS = "\N{MINUS SIGN}"
_NEGATIVE = re.compile(r"-[\d.]")

if TYPE_CHECKING:
    from fieldkit.capture import Recorder
    from fieldkit.placing import Placed, Placing
    from sync.camera_clock import Camera, ClockOffset
    from sync.given_place import Expressed, GivenPlace

_COUNTED = {
    "already-placed": "placed before",
    "own-position": "with a position of their own",
    "typed": "with a position that was typed",
    "elsewhere": "aerial or scanned, left alone",
}
_WHY = {
    "unreadable": "it cannot be read",
    "no-time": "it does not say when it was taken",
    "clock-unknown": "it is not known how far its camera's clock is from UTC; say it with "
    "--camera-offset, such as +08:00",
    "clock-unsure": "its camera's clock was set anew between the pictures; say how far it is from "
    "UTC with --camera-offset",
    "times-differ": "its receiver's time and its camera's clock tell of different moments",
    "conflict": "several values stand side by side for it; settle them first",
    "before": "it was taken before the track begins, by {}",
    "after": "it was taken after the track ends, by {}",
    "gap": "it was taken in a gap of the track, {} from the nearest point",
}


class _WithNegatives(click.Command):
    """A command among whose arguments are negative numbers, which click takes for options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        after = ["", *args]
        kept = [
            _MINUS + one[1:] if _NEGATIVE.match(one) and not before.startswith("--") else one
            for before, one in zip(after, args, strict=False)
        ]
        return super().parse_args(ctx, kept)


@click.command(cls=_WithNegatives)
@click.argument("x", required=False)
@click.argument("y", required=False)
@click.option("--epsg", type=int, metavar="N", help="The system of X and Y, by its EPSG code.")
@click.option("--proj", metavar="STRING", help="The system as a PROJ string; needs --source.")
@click.option("--source", metavar="TEXT", help="Where the PROJ string or the numbers come from.")
@click.option(
    "--axes",
    type=click.Choice(["xy", "yx"]),
    default="xy",
    show_default=True,
    help="xy: east or longitude first; yx: north or latitude first.",
)
@click.option("--to", type=int, metavar="N", help="Say it in this system too, by its EPSG code.")
@camera_offset_option
@inspection_option
@unopened
def place(
    at: Desk,
    x: str | None,
    y: str | None,
    epsg: int | None,
    proj: str | None,
    source: str | None,
    axes: str,
    to: int | None,
    camera_offset: ClockOffset | None,
    inspection: str | None,
) -> None:
    """Give attached photos without a position one from the tracks, by the time they were taken.

    A photo's own position is never changed, nor one that was typed.

    With X and Y, bring that point to WGS 84 instead, and say by which operation and how
    accurately; this needs no enrolment and attaches nothing.
    """
    if x is not None:
        place_point(at, x, y, _system(epsg, proj, source), source, axes, to)
        return
    if any(given is not None for given in (epsg, proj, source, to)):
        raise click.UsageError("Give the point: X and Y, as they were declared.")
    with opened(at) as own:
        data = place_and_tell(own, own.recorder(), own.inspection(inspection), camera_offset)
    if at.json:
        show.data(data)


def _system(epsg: int | None, proj: str | None, source: str | None) -> str:
    if (epsg is None) == (proj is None):
        raise click.UsageError("Say in which system the point is: --epsg N, or --proj STRING.")
    if proj is not None and not source:
        raise click.UsageError("Say with --source where the PROJ string comes from.")
    return proj if proj is not None else f"EPSG:{epsg}"


def place_point(
    at: Desk, x: str, y: str | None, crs: str, source: str | None, axes: str, to: int | None
) -> None:
    """Say where a declared point lies. Raises what read_place raises."""
    from sync.given_place import read_place

    if y is None:
        raise click.UsageError("Give two numbers, X and Y.")
    first, second = (number.replace(_MINUS, "-", 1) for number in (x, y))
    found = read_place(first, second, crs, axes, None if to is None else f"EPSG:{to}")
    if at.json:
        show.data(_point_data(found, first, second, source))
        return
    where = found.converted
    order = "first east, then north" if axes == "xy" else "first north, then east"
    named = found.name if found.name == crs else f"{crs}, {found.name}"
    rows: list[show.Fact] = [
        ("given", f"{first}, {second}: {order}, in units of 1 {found.unit}"),
        ("system", f"{named}; source: {source}" if source else named),
        ("place", f"{where.lat:.9f}, {where.lon:.9f} (latitude, longitude, WGS 84)"),
        ("accuracy", _accuracy(where.accuracy_m)),
        ("operation", where.operation),
        *(("note", note) for note in found.notes),
    ]
    if found.to is not None:
        rows += [
            ("to", f"{found.to.crs}, {found.to.name}, in units of 1 {found.to.unit}"),
            ("x, y", ", ".join(_numbers(found.to))),
            ("accuracy", _accuracy(found.to.accuracy_m)),
        ]
    show.facts(rows)


def _accuracy(metres: float | None) -> str:
    return "unknown: nobody states it for this operation" if metres is None else f"±{metres:g} m"


def _numbers(to: Expressed) -> tuple[str, str]:
    from sync.given_place import written

    return written(to.x, to.unit), written(to.y, to.unit)


def _point_data(found: GivenPlace, first: str, second: str, source: str | None) -> dict[str, Any]:
    """JSON of a point: `accuracy_m` is null, and `accuracy` "unknown", where nobody states it."""
    where, to = found.converted, found.to
    data: dict[str, Any] = {
        "given": [first, second],
        "crs": found.crs,
        "name": found.name,
        "unit": found.unit,
        "axes": found.axes,
        "source": source,
        "lat": round(where.lat, 9),
        "lon": round(where.lon, 9),
        "operation": where.operation,
        **_accuracy_data(where.accuracy_m),
        "notes": list(found.notes),
    }
    if to is not None:
        x, y = _numbers(to)
        data["to"] = {
            "crs": to.crs,
            "name": to.name,
            "unit": to.unit,
            "x": x,
            "y": y,
            "operation": to.operation,
            **_accuracy_data(to.accuracy_m),
        }
    return data


def _accuracy_data(metres: float | None) -> dict[str, Any]:
    return {"accuracy_m": metres, "accuracy": "unknown" if metres is None else "stated"}


def place_and_tell(
    at: Desk, recorder: Recorder, inspection: str, given: ClockOffset | None
) -> dict[str, Any]:
    """Place photos and say what became of them in words; what JSON holds of it is returned."""
    from fieldkit.placing import place_photos

    placing = place_photos(recorder, inspection, given)
    if not at.json:
        _say(placing, given)
    return _data(placing, given)


def _say(placing: Placing, given: ClockOffset | None) -> None:
    rows: list[show.Fact] = []
    if given is not None:
        rows.append(("clock", f"{_clock(given)}, as given"))
    else:
        rows += [("clock", _estimated(camera, c)) for camera, c in placing.clocks.items()]
    for one in placing.photos:
        if one.state == "placed" and one.fix is not None:
            where = f"{one.fix.lat}, {one.fix.lon}, within {one.fix.accuracy_m} m"
            rows.append((one.name, f"{where}, from the track"))
        elif one.state in _WHY:
            rows.append((one.name, f"no position: {_WHY[one.state].format(_away(one))}"))
    show.facts(rows)
    show.note(_summary(placing))


def _summary(placing: Placing) -> str:
    found = Counter(one.state for one in placing.photos)
    parts = [f"{found['placed']} of {show.number(len(placing.photos), 'photo')} placed"]
    parts += [f"{found[state]} {words}" for state, words in _COUNTED.items() if found[state]]
    without = sum(found[state] for state in _WHY)
    if without:
        parts.append(f"{without} without a position")
    return f"{', '.join(parts)}."


def _estimated(camera: Camera, clock: ClockOffset) -> str:
    name = " ".join(part for part in camera if part)
    pictures = show.number(clock.pictures, "picture")
    within = f"{round(clock.spread_ms / 1000)} s"
    if not clock.agrees:
        return f"{name}: {pictures} lie {within} and more apart; no offset is taken from them"
    return f"{name}: {_clock(clock)}, from {pictures} within {within}"


def _clock(clock: ClockOffset) -> str:
    """A zone and a drift as one says them: UTC+08:00 and 37 s fast."""
    minutes = abs(clock.zone_ms) // 60_000
    zone = f"UTC{'-' if clock.zone_ms < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    drift = round(clock.drift_ms / 1000)
    if drift == 0:
        return zone
    return f"{zone} and {abs(drift)} s {'fast' if drift > 0 else 'slow'}"


def _away(one: Placed) -> str:
    seconds = max(round(one.away_ms / 1000), 1)
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def _data(placing: Placing, given: ClockOffset | None) -> dict[str, Any]:
    clocks = [
        {
            "make": make,
            "model": model,
            "zone_s": clock.zone_ms // 1000,
            "drift_s": clock.drift_ms / 1000,
            "spread_s": clock.spread_ms / 1000,
            "pictures": clock.pictures,
            "used": clock.agrees and given is None,
        }
        for (make, model), clock in placing.clocks.items()
    ]
    return {
        "placed": [_photo(one) for one in placing.photos],
        "camera_offset_s": None if given is None else given.offset_ms / 1000,
        "clocks": clocks,
    }


def _photo(one: Placed) -> dict[str, Any]:
    fix = one.fix
    return {
        "name": one.name,
        "sha256": one.sha256,
        "state": one.state,
        "lat": fix and fix.lat,
        "lon": fix and fix.lon,
        "accuracy_m": fix and fix.accuracy_m,
        "at": fix and fix.at,
        "away_s": one.away_ms / 1000 if one.away_ms else None,
    }
