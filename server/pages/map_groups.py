"""Marks that stand close together, drawn as one with their number, where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST = 60  # so many marks of a kind are drawn one by one
CELL = 40  # the side of the squares of the frame within which the others are drawn as one


@dataclass(frozen=True, slots=True)
class Mark:
    """A position to draw: degrees WGS 84, accuracy as a radius in metres or None where unknown.

    `placed` says that it was read from a track.
    """

    label: str
    kind: str  # "photo" or "fix"
    lat: float
    lon: float
    accuracy_m: float | None
    number: int | None = None
    placed: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark in the frame; `radius` is its accuracy circle, `away_m` is given at the edge.

    `label` is where its sign is written, None where there is no room for it. `count` is how many
    marks it stands for; it stands where one of them does, with the widest circle of them, and
    `away_to_m` is how far the farthest of them lies.
    """

    mark: Mark
    x: float
    y: float
    radius: float | None
    away_m: float | None = None
    label: tuple[float, float] | None = None
    count: int = 1
    away_to_m: float | None = None

    @property
    def sign(self) -> str:
        """What is written beside it: its number, or how many it stands for."""
        if self.count > 1:
            return f"×{self.count:,}"
        return "" if self.mark.number is None else str(self.mark.number)


def grouped(drawn: Sequence[Drawn]) -> list[Drawn]:
    """The marks as they are, or where there are many of a kind, one for each square of the frame.

    Marks on the map and marks at its edge are never drawn as one.
    """
    kinds = Counter(one.mark.kind for one in drawn)
    found: list[Drawn] = []
    squares: dict[tuple[str, bool, int, int], list[Drawn]] = {}
    for one in drawn:
        if kinds[one.mark.kind] <= MOST:
            found.append(one)
            continue
        away = one.away_m is not None
        square = (one.mark.kind, away, int(one.x // CELL), int(one.y // CELL))
        squares.setdefault(square, []).append(one)
    found.extend(_one_for(some) for some in squares.values())
    return found


def _one_for(some: Sequence[Drawn]) -> Drawn:
    first = some[0]
    if len(some) == 1:
        return first
    radii = [one.radius for one in some if one.radius is not None]
    aways = [one.away_m for one in some if one.away_m is not None]
    return replace(
        first,
        mark=replace(first.mark, placed=all(one.mark.placed for one in some)),
        radius=max(radii, default=None),
        away_m=min(aways, default=None),
        count=len(some),
        away_to_m=max(aways, default=None),
    )
