"""Ground beside the declared one: other licences, protected areas, and what was walked around.

Positions are WGS 84 degrees, latitude first, as decimal strings; accuracies are radii in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

from checklists.discrepancies.declaration import GivenShape
from sync.inspection import Inspection, Track

TRACED = "disturbed"  # the observation whose evidence is the track around disturbed ground


@dataclass(frozen=True, slots=True)
class Outline:
    """Other ground, from a register or a list: its boundary as given there.

    `accuracy_m` is how far its edge may be off in itself, beside its conversion; None where that is
    not known. `source` names the register and its date.
    """

    id: str
    name: str
    source: str
    boundary: GivenShape
    accuracy_m: str | None = "0"


@dataclass(frozen=True, slots=True)
class Trace:
    """A track that was walked around disturbed ground: its points in their order.

    `area` is the instance that was observed, `file` the track's digest, `entry` the chain hash of
    the observation. `breaks` counts places where the track has a gap.
    """

    area: str
    entry: str
    file: str
    places: tuple[tuple[str, str], ...]
    accuracies: tuple[str | None, ...]
    breaks: int


def traces_of(inspection: Inspection) -> tuple[Trace, ...]:
    """The tracks that are named as evidence of disturbed ground, each once for an area.

    A file that two devices attached is taken from the first, by its id.
    """
    parts: dict[str, dict[str, list[Track]]] = {}
    for tracks in inspection.tracks.values():
        for track in tracks.heads:
            parts.setdefault(track.file, {}).setdefault(track.device, []).append(track)
    found: dict[tuple[str, str], Trace] = {}
    for (what, instance), slot in sorted(inspection.observed.items()):
        for head in slot.heads if what == TRACED else ():
            for file in head.evidence:
                devices = parts.get(file)
                if file and devices:
                    whole = sorted(devices[min(devices)], key=lambda t: (t.n, t.written.h))
                    found[instance, file] = _trace(instance, head.written.h, file, whole)
    return tuple(found[key] for key in sorted(found))


def _trace(area: str, entry: str, file: str, tracks: list[Track]) -> Trace:
    points = [p for track in tracks for p in track.points]
    begins = sum(len(track.segments) for track in tracks)
    return Trace(
        area,
        entry,
        file,
        tuple((p.lat, p.lon) for p in points),
        tuple(p.accuracy_m for p in points),
        max(begins - 1, 0),
    )
