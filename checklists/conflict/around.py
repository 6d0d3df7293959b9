"""What conflict there is around a facility, as the rules see it: figures and distances, no rows."""

from __future__ import annotations

from dataclasses import dataclass

from checklists.conflict.areas import Area


@dataclass(frozen=True, slots=True)
class Armed:
    """An armed event near the place: metres away to the tenth, and how far it may be off.

    `certain` tells whether it surely happened within the days that are asked about. `id` is empty
    for a source whose rows may not be passed on.
    """

    distance_m: str
    radius_m: int
    certain: bool
    id: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What one source says of the place. `exposure` is low, mid and high in thousandths, None where
    unknown; `events` counts those behind it. The rest says which data it was.
    """

    source: str
    name: str
    exposure: tuple[int, int, int] | None
    events: int = 0
    armed: tuple[Armed, ...] = ()
    version: str = ""
    sha256: str = ""
    accessed: str = ""
    ends: str = ""
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around a facility on a day: `placed` is False where it has no position.

    `doubt_m` is how far the position may be off, metres to the tenth, None where that is unknown.
    `areas` are the entries of the list of conflict-affected and high-risk areas that the facility
    lies in.
    """

    placed: bool
    doubt_m: str | None
    sources: tuple[Around, ...] = ()
    areas: tuple[Area, ...] = ()

    def exposure(self) -> tuple[int, int, int] | None:
        """Of the sources that know, the higher figure each, and never their sum."""
        known = [one.exposure for one in self.sources if one.exposure is not None]
        if not known:
            return None
        low, mid, high = (max(one[n] for one in known) for n in range(3))
        return low, mid, high
