"""The picture of one flag about a place: what was compared, as plain shapes.

Drawn from what the flag itself holds as its inputs, on the boundary that was on file at the visit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checklists.discrepancies.declaration import Declaration
from checklists.discrepancies.ground import Trace
from checklists.discrepancies.reread import shape_area
from server.pages.map_frame import (
    Frame,
    Line,
    Ring,
    draw_mark,
    frame_of,
    labelled,
    line_of,
    path_of,
    rings_of,
)
from server.pages.map_groups import Drawn, Mark, grouped
from server.pages.wording import metres
from sync.polygon import Area
from sync.problems import Problem

_FAR = 8.0  # what is compared may be this many times as far out as the outline is wide
_MOST = 60  # marks and steps that one picture shows
_NAMED = 6  # marks that its key names one by one
_CANDIDATES = 3
_SIGNS = "ABC"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the flags of one inspection are drawn on: the declared boundary, where the auditors
    were, and what they walked around.
    """

    declared: Declaration | None
    boundary: Area | None
    visited: tuple[Mark, ...] = ()
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """Something with an edge. `kind` is boundary, widest, candidate, shared or trace; `sign` is
    written at `spot`, where it has one.
    """

    kind: str
    path: str
    words: str
    sign: str = ""
    spot: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class FlagMap:
    """Everything the template draws, in units of the frame, y downwards. `links` join what was
    compared; `words` describe the picture to those who do not see it.
    """

    words: str
    outlines: tuple[Outline, ...]
    marks: tuple[Drawn, ...]
    links: str
    bar_m: int
    bar: float
    note: str

    @property
    def named(self) -> tuple[Drawn, ...]:
        """The marks that the key names; none where there are too many."""
        return self.marks if len(self.marks) <= _NAMED else ()

    @property
    def doubtful(self) -> bool:
        """Whether the accuracy of a mark on the map is not known."""
        return any(d.radius is None and d.away_m is None for d in self.marks)


@dataclass(slots=True)
class _Sketch:
    """What is to be drawn. The frame is laid around the rings of `focus`; places in `context`
    (latitude, longitude) are to be on the map too, where they are not too far.
    """

    words: str
    focus: list[Ring] = field(default_factory=list)
    outlines: list[tuple[str, list[Ring], str, str]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    links: list[Line] = field(default_factory=list)
    context: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def outline(self, kind: str, rings: list[Ring], words: str, sign: str = "") -> None:
        if rings:
            self.outlines.append((kind, rings, words, sign))


def draw_flag(rule: str, inputs: Mapping[str, Any], ground: Ground) -> FlagMap | None:
    """The picture of a flag of this rule, or None for rules about no place and where there is
    nothing to draw.
    """
    make = _PICTURES.get(rule)
    sketch = None if make is None else make(inputs, ground)
    if sketch is None or not (sketch.focus or sketch.marks):
        return None
    frame = _frame(sketch)
    bar_m, bar = frame.bar()
    return FlagMap(
        sketch.words,
        tuple(_outline(frame, *one) for one in sketch.outlines),
        labelled(grouped([draw_mark(m, frame) for m in sketch.marks])),
        "".join(line_of(line, frame) for line in sketch.links),
        bar_m,
        bar,
        " ".join(sketch.notes),
    )


def _frame(sketch: _Sketch) -> Frame:
    spots = [(m.lat, m.lon) for m in sketch.marks] + [p for line in sketch.links for p in line]
    return frame_of(sketch.focus, spots + sketch.context, _FAR)


def _outline(frame: Frame, kind: str, rings: list[Ring], words: str, sign: str) -> Outline:
    lon, lat = max(rings[0], key=lambda p: (p[1], p[0]))  # its northernmost corner
    x, y = frame.place(*frame.metres(lat, lon))
    return Outline(kind, path_of(rings, frame), words, sign, (x + 6, y + 18))


# -- what each rule compares ----------------------------------------------------------------------


def _outside(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    points = [p for p in inputs.get("outside", ()) if isinstance(p, Mapping)]
    sketch = _Sketch(f"The declared boundary, and {len(points)} positions of the visit outside it.")
    _boundary(sketch, ground, inputs)
    for number, point in enumerate(points[:_MOST], 1):
        kind = "photo" if point.get("source") == "imported" else "fix"
        away = metres(float(point.get("outside_m", "0")))
        words = f"{point.get('label', 'a position')}, {away} outside"
        accuracy = point.get("accuracy_m") if point.get("accuracy") == "recorded" else None
        _mark(sketch, words, kind, point, accuracy, number)
    return sketch if sketch.marks else None


def _off_track(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    photo, track = inputs.get("photo"), inputs.get("track")
    if not isinstance(photo, Mapping) or not isinstance(track, Mapping):
        return None
    away = metres(float(inputs.get("distance_m", "0")))
    sketch = _Sketch(f"Where the photograph says it was taken, {away} from the track then.")
    sketch.outline("boundary", _rings(ground), "Declared boundary")
    together = inputs.get("accuracies_m")
    _mark(sketch, "the photograph's own position", "photo", photo, together, 1)
    _mark(sketch, "the track at that moment", "fix", track, "0", 2)
    sketch.links.append([_spot(photo), _spot(track)])
    sketch.notes.append("The circle is both accuracies together.")
    return sketch


def _too_fast(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    steps = [s for s in inputs.get("steps", ()) if isinstance(s, Mapping)]
    sketch = _Sketch(f"{len(steps)} movements that are too fast, each from where to where.")
    sketch.outline("boundary", _rings(ground), "Declared boundary")
    numbers: dict[tuple[float, float], int] = {}
    for step in steps[: _MOST // 2]:
        ends: list[Mapping[str, Any]] = [
            end for name in ("from", "to") if isinstance(end := step.get(name), Mapping)
        ]
        for end in ends:
            spot = _spot(end)
            if spot not in numbers:
                numbers[spot] = len(numbers) + 1
                words = str(end.get("label", "a position"))
                _mark(sketch, words, "fix", end, end.get("accuracy_m"), numbers[spot])
        sketch.links.append([_spot(end) for end in ends])
    return sketch if sketch.marks else None


def _other_system(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    """Only candidates of the declaration that is on file can be drawn."""
    declared = ground.declared
    if declared is None or declared.boundary is None or not _same(inputs, ground):
        return None
    found: list[tuple[Mapping[str, Any], list[Ring]]] = []
    for one in inputs.get("candidates", ())[:_CANDIDATES]:
        try:
            read = shape_area(declared.boundary, one["crs"], one["axes"])
        except Problem:
            continue
        found.append((one, rings_of(read.shape)))
    if not found:
        return None
    sketch = _Sketch(
        f"Where the declared boundary lies in {len(found)} readings that fit, the likeliest first, "
        f"and {len(ground.visited)} positions of the visit."
    )
    sketch.focus = found[0][1]
    sketch.marks = [*ground.visited][:_MOST]
    own = _rings(ground)
    sketch.context = [(lat, lon) for ring in own for lon, lat in ring]
    away = draw_mark(_middle(own), _frame(sketch)).away_m if own else None
    if own and away is None:
        sketch.outline("boundary", own, "Boundary as declared")
    elif away is not None:
        sketch.notes.append(f"The boundary as declared lies off the map, {metres(away)} away.")
    for sign, (one, rings) in zip(_SIGNS, found, strict=False):
        order = "" if one["axes"] == declared.boundary.axes else ", axes swapped"
        words = f"Read in {one['crs']} ({one.get('name', '')}{order})"
        sketch.outline("candidate", rings, words, sign)
    return sketch


def _over_others(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    shared = _pairs(inputs.get("shared_outline", ""))
    other = inputs.get("other")
    name = str(other.get("name", "")) if isinstance(other, Mapping) else ""
    sketch = _Sketch(
        f"The declared boundary, and what it shares with {name}."
        if shared
        else "The declared boundary as repaired, and the widest that its points can mean."
    )
    _boundary(sketch, ground, inputs)
    if not sketch.focus:
        return None
    sketch.outline("shared", shared, f"Shared with {name}, the largest part")
    return sketch


def _disturbed(inputs: Mapping[str, Any], ground: Ground) -> _Sketch | None:
    sketch = _Sketch(
        "The declared boundary, the track around disturbed ground, and what of it is outside."
    )
    _boundary(sketch, ground, inputs)
    said = inputs.get("trace")
    named = (said.get("area"), said.get("file")) if isinstance(said, Mapping) else None
    for trace in ground.traces:
        if (trace.area, trace.file) == named:
            ring = [(float(lon), float(lat)) for lat, lon in trace.places]
            sketch.outline("trace", [ring], "Track around disturbed ground")
            sketch.focus = [*sketch.focus, ring]
    outside = _pairs(inputs.get("outside_outline", ""))
    sketch.outline("shared", outside, "Outside the boundary, the largest part")
    sketch.focus = [*sketch.focus, *outside]
    return sketch if outside else None


_PICTURES: Mapping[str, Callable[[Mapping[str, Any], Ground], _Sketch | None]] = {
    "R01": _outside,
    "R02": _off_track,
    "R04": _other_system,
    "R05": _over_others,
    "R06": _disturbed,
    "R09": _too_fast,
}


# -- parts of a picture ---------------------------------------------------------------------------


def _same(inputs: Mapping[str, Any], ground: Ground) -> bool:
    """Whether the flag was held against the declaration that is drawn."""
    filed = inputs.get("declaration")
    return (
        isinstance(filed, Mapping)
        and ground.declared is not None
        and filed.get("digest") == ground.declared.digest
    )


def _rings(ground: Ground) -> list[Ring]:
    return [] if ground.boundary is None else rings_of(ground.boundary.shape)


def _boundary(sketch: _Sketch, ground: Ground, inputs: Mapping[str, Any]) -> None:
    if ground.boundary is None or not _same(inputs, ground):
        return
    own = _rings(ground)
    if ground.boundary.repaired:
        widest = rings_of(ground.boundary.widest)
        sketch.outline("widest", widest, "The widest its points can mean")
        sketch.focus = widest
    sketch.outline("boundary", own, "Declared boundary")
    sketch.focus = [*sketch.focus, *own]
    accuracy = ground.boundary.accuracy_m
    known = "unknown" if accuracy is None else f"± {metres(accuracy)}"
    sketch.notes.append(f"Conversion of the declared coordinates: {known}.")


def _mark(
    sketch: _Sketch, words: str, kind: str, place: Mapping[str, Any], accuracy: Any, number: int
) -> None:
    radius = None if accuracy in (None, "unknown") else float(accuracy)
    lat, lon = _spot(place)
    sketch.marks.append(Mark(words, kind, lat, lon, radius, number))


def _spot(place: Mapping[str, Any]) -> tuple[float, float]:
    return float(place["lat"]), float(place["lon"])


def _middle(rings: Sequence[Ring]) -> Mark:
    lons, lats = zip(*rings[0], strict=True)
    return Mark("", "fix", (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2, None)


def _pairs(text: str) -> list[Ring]:
    """The outline that a rule wrote into its inputs, latitude first."""
    pairs = [pair.split(",") for pair in text.split()]
    return [[(float(lon), float(lat)) for lat, lon in pairs]] if pairs else []
