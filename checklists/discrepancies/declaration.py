"""Declared operations: what an operator has filed, with coordinates kept as they were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATES = ("exploring", "active", "care", "closed", "abandoned")
INACTIVE = ("care", "closed", "abandoned")


@dataclass(frozen=True, slots=True)
class GivenPoint:
    """Coordinates as given: decimal strings in the order of `axes` ("xy": easting, northing or
    longitude, latitude; "yx" the other way round), their system, and where they come from.
    """

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class GivenShape:
    """A location (one ring of one point) or a boundary (rings: outer first, then holes)."""

    crs: str  # "EPSG:3375" or a PROJ string
    axes: str  # "xy" or "yx"
    source: str
    rings: tuple[tuple[GivenPoint, ...], ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One filed declaration: what it speaks of since when, and when it was filed (two times)."""

    id: str
    facility: str
    speaks_of: str  # YYYY-MM-DD: from when on it claims to hold
    filed: str  # YYYY-MM-DD
    state: str
    state_since: str
    processes: tuple[str, ...]
    location: GivenShape | None
    boundary: GivenShape | None
    document: Mapping[str, Any]  # the whole filing, kept as it came
    digest: str
