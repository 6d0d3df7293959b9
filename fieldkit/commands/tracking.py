"""track: a receiver's tracks, looked at, attached and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, inspection_option
from fieldkit.evidence import Attachment, item_paths
from fieldkit.tracks import Standing, Taken, look, standing_tracks, take_tracks
from sync.problems import Problem
from sync.track import Gap, Summary
from sync.track_file import ReadTrack

_GAPS_SHOWN = 5
_WORDS = {"attached": "attached", "changed": "way recorded", "already-here": "already here"}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...]", type=click.Path(path_type=Path))
@click.option("--look", "only_look", is_flag=True, help="Show what is in it; attach nothing.")
@click.option("--item", "items", multiple=True, metavar="ITEM[/INSTANCE]", help="What it supports.")
@click.option("--note", default="", help="A note, without names of people.")
@inspection_option
@desk
def track(
    at: Desk,
    files: tuple[Path, ...],
    only_look: bool,
    items: tuple[str, ...],
    note: str,
    inspection: str | None,
) -> None:
    """Attach a receiver's tracks (GPX, NMEA), and show their length, gaps and accuracy.

    Without a file: the tracks of the inspection. The same track again is one track.
    """
    if not files:
        _show_standing(at, inspection)
        return
    if only_look:
        _tell(at, (Taken(one, "looked-at", problem=one.problem) for one in map(look, files)))
        return
    recorder, which = at.recorder(), at.inspection(inspection)
    blobs = at.blobs
    blobs.sweep()
    what = Attachment("track", "imported", item_paths(recorder, which, items), note)
    _tell(at, take_tracks(recorder, blobs, which, files, what))


def _tell(at: Desk, taken: Iterable[Taken]) -> None:
    """Say what became of each file as it goes; exit code 1 when one could not be read."""
    done: list[dict[str, Any]] = []
    failed = False
    for one in taken:
        failed = failed or one.problem is not None
        if at.json:
            done.append(_data(one))
        elif one.problem is not None:
            _warn(one.looked.name, one.problem)
        elif one.looked.track is not None and one.looked.summary is not None:
            show.facts(_facts(one, one.looked.track, one.looked.summary))
    if at.json:
        show.data({"files": done})
    if failed:
        click.get_current_context().exit(1)


def _show_standing(at: Desk, inspection: str | None) -> None:
    from fieldkit.capture import load_inspection

    found = standing_tracks(load_inspection(at.store, at.inspection(inspection)))
    if at.json:
        show.data({"tracks": [_standing_data(one) for one in found]})
        return
    if not found:
        show.facts([("tracks", "none yet; fieldkit track FILE attaches one")])
    for one in found:
        head = f"{one.file[:12]}  {_entries(one.entries)}"
        show.facts([(one.name or "track", head), *_summary_facts(one.summary), *_thinned(one)])


def _warn(name: str, exc: Problem) -> None:
    show.warn(f"{name}  not attached: {exc.happened} {exc.remedy}")


# -- in words -------------------------------------------------------------------------------------


def _facts(one: Taken, read: ReadTrack, summary: Summary) -> list[show.Fact]:
    looked = one.looked
    state = f"  {_WORDS[one.state]}" if one.state in _WORDS else ""
    rows: list[show.Fact] = [
        (looked.name, f"{looked.sha256[:12]}  {show.size(looked.size)}  {read.format}{state}")
    ]
    if not summary.points:
        rows.append(("track", f"there is none in it: {_counts(read)}"))
    else:
        rows += _summary_facts(summary, read.accuracy_from)
    if one.entries:
        rows.append(
            ("recorded", f"{one.points} points in {show.number(one.entries, 'entry', 'entries')}")
        )
    if one.left_out:
        rows.append(("thinned", f"{one.left_out} points were left out of it; the file has all"))
    rows.extend(("note", note) for note in read.notes)
    return rows


def _counts(read: ReadTrack) -> str:
    words = {"routes": "route", "waypoints": "waypoint", "sentences": "sentence"}
    found = [show.number(read.counts[k], w) for k, w in words.items() if read.counts.get(k)]
    return ", ".join(found) or "it is empty"


def _summary_facts(summary: Summary, accuracy_from: Iterable[str] = ()) -> list[show.Fact]:
    runs = show.number(summary.segments, "segment")
    apart = ", gaps left out" if summary.gaps else ""
    timed = summary.points - summary.timed
    untimed = f", {timed} without a time" if timed and summary.timed else ""
    rows: list[show.Fact] = [
        ("length", f"{_distance(summary.length_m)} in {runs}{apart}"),
        ("time", _time(summary)),
        ("points", f"{summary.points}{untimed}"),
        ("gaps", _gaps(summary)),
        ("accuracy", _accuracy(summary, accuracy_from)),
    ]
    return rows


def _thinned(one: Standing) -> list[show.Fact]:
    if one.thinned_from is None:
        return []
    return [("thinned", f"from {one.thinned_from} points; the file has all of them")]


def _entries(count: int) -> str:
    return show.number(count, "entry", "entries")


def _distance(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.2f} km"


def _time(summary: Summary) -> str:
    if summary.start is None or summary.end is None:
        return "none in it; no photo can be placed by it"
    lasted = _duration(summary.end - summary.start)
    return f"{show.time(summary.start)} to {show.time(summary.end)}, {lasted}"


def _duration(milliseconds: int) -> str:
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{minutes} min"


def _gaps(summary: Summary) -> str:
    if not summary.gaps:
        return "none" if summary.timed else "none that the file marks; without times no others show"
    timed = [(g.duration_ms, g) for g in summary.gaps if g.duration_ms is not None]
    longest = sorted(timed, key=lambda pair: -pair[0])[:_GAPS_SHOWN]
    lines = [str(len(summary.gaps))]
    lines += [f"{_gap_time(gap)}, {_distance(gap.across_m)} across" for _, gap in longest]
    if len(summary.gaps) > len(longest):
        lines.append(f"and {len(summary.gaps) - len(longest)} more")
    return "\n".join(lines)


def _gap_time(gap: Gap) -> str:
    if gap.start is None or gap.duration_ms is None:
        return "at an unknown time"
    back = "time goes back by " if gap.duration_ms < 0 else ""
    return f"{show.time(gap.start)}: {back}{_duration(abs(gap.duration_ms))}"


def _accuracy(summary: Summary, accuracy_from: Iterable[str]) -> str:
    if summary.median_accuracy_m is None or summary.worst_accuracy_m is None:
        return "unknown"
    sources = " and ".join(accuracy_from)
    text = f"median {summary.median_accuracy_m:.1f} m, worst {summary.worst_accuracy_m:.1f} m"
    text += f", reckoned from {sources}" if sources else ""
    if summary.without_accuracy:
        text += f"; unknown for {show.number(summary.without_accuracy, 'point')}"
    return text


# -- as data --------------------------------------------------------------------------------------


def _data(one: Taken) -> dict[str, Any]:
    looked, read = one.looked, one.looked.track
    data: dict[str, Any] = {
        "name": looked.name,
        "state": one.state,
        "sha256": looked.sha256 or None,
        "size": looked.size,
        "problem": one.problem.to_json() if one.problem is not None else None,
    }
    if read is None or looked.summary is None:
        return data
    points = looked.way.points if looked.way is not None else ()
    ends = [{"lat": p.lat, "lon": p.lon, "at": p.at} for p in (*points[:1], *points[-1:])]
    return data | {
        "format": read.format,
        "counts": dict(read.counts),
        "first": ends[0] if ends else None,
        "last": ends[-1] if ends else None,
        "length_2d_m": read.length_2d_m,
        **_summary_data(looked.summary),
        "accuracy_from": list(read.accuracy_from),
        "notes": list(read.notes),
        "entries": one.entries,
        "left_out": one.left_out,
    }


def _summary_data(summary: Summary) -> Mapping[str, Any]:
    return {
        "points": summary.points,
        "points_with_time": summary.timed,
        "segments": summary.segments,
        "length_m": round(summary.length_m, 2),
        "start": summary.start,
        "end": summary.end,
        "gaps": [
            {"start": g.start, "end": g.end, "across_m": round(g.across_m, 2)} for g in summary.gaps
        ],
        "accuracy_median_m": summary.median_accuracy_m,
        "accuracy_worst_m": summary.worst_accuracy_m,
        "accuracy_unknown": summary.without_accuracy,
    }


def _standing_data(one: Standing) -> dict[str, Any]:
    return {
        "device": one.device,
        "file": one.file,
        "name": one.name,
        "entries": one.entries,
        "thinned_from": one.thinned_from,
        **_summary_data(one.summary),
    }
