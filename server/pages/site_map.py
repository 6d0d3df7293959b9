"""The map of one inspection as plain shapes: boundary, tracks, positions with their accuracy.

Drawn by the server in a plane around the middle of the boundary, metres east and north, scaled
into a fixed frame. Far points are not left out: they stand at the edge, with their distance; and
where there are many marks, those that stand close together are drawn as one, with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shapely import MultiPolygon, Polygon

from server.pages.map_frame import (
    HEIGHT,
    WIDTH,
    Line,
    draw_mark,
    frame_of,
    labelled,
    line_of,
    path_of,
    rings_of,
)
from server.pages.map_groups import Drawn, Mark, grouped

__all__ = ["HEIGHT", "WIDTH", "Drawn", "Mark", "SiteMap", "draw"]


@dataclass(frozen=True, slots=True)
class SiteMap:
    """Everything the template draws, in units of the frame, y downwards. `way` is one line for
    each segment of a track: where a track has a gap, so has the line.
    """

    boundary: str
    marks: tuple[Drawn, ...]
    bar_m: int
    bar: float
    way: str = ""

    @property
    def far(self) -> tuple[Drawn, ...]:
        return tuple(d for d in self.marks if d.away_m is not None)

    @property
    def positions(self) -> int:
        """How many positions the marks stand for."""
        return sum(d.count for d in self.marks)

    @property
    def files(self) -> int:
        """How many of them are those of files."""
        return sum(d.count for d in self.marks if d.mark.kind == "photo")

    @property
    def together(self) -> int:
        """In how many places several files stand for one mark; 0 where each has its own."""
        return sum(1 for d in self.marks if d.mark.kind == "photo" and d.count > 1)

    @property
    def doubtful(self) -> bool:
        return any(d.radius is None and d.away_m is None for d in self.marks)


def draw(
    shape: Polygon | MultiPolygon | None, marks: Sequence[Mark], lines: Sequence[Line] = ()
) -> SiteMap | None:
    """The map of a boundary (or none), marks, and lines of latitudes and longitudes.

    None when there is nothing to draw.
    """
    rings = rings_of(shape)
    on_lines = [spot for line in lines for spot in line]
    if not rings and not marks and not on_lines:
        return None
    frame = frame_of(rings, [(m.lat, m.lon) for m in marks] + on_lines)
    drawn = labelled(grouped([draw_mark(mark, frame) for mark in marks]))
    step, bar = frame.bar()
    way = "".join(line_of(line, frame) for line in lines)
    return SiteMap(path_of(rings, frame), drawn, step, bar, way)
