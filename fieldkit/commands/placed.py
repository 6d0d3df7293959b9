"""place: photos without a position get one from the inspection's tracks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, camera_offset_option, desk, inspection_option

if TYPE_CHECKING:
    from fieldkit.capture import Recorder
    from fieldkit.placing import Placed, Placing
    from sync.camera_clock import Camera, ClockOffset

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


@click.command()
@camera_offset_option
@inspection_option
@desk
def place(at: Desk, camera_offset: ClockOffset | None, inspection: str | None) -> None:
    """Give attached photos without a position one from the tracks, by the time they were taken.

    A photo's own position is never changed, nor one that was typed.
    """
    data = place_and_tell(at, at.recorder(), at.inspection(inspection), camera_offset)
    if at.json:
        show.data(data)


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
