"""What a visit cannot supply: lists and records that somebody imported, as rules read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RiskArea:
    """A conflict-affected or high-risk area of a list: by ISO 3166 (MM, or MM-11), since when."""

    area: str
    since: str
    source: str


@dataclass(frozen=True, slots=True)
class ListedParty:
    """An entry of a list of sanctions or the like. `country` is ISO 3166-1 or empty."""

    source: str
    entry: str
    name: str
    aliases: tuple[str, ...] = ()
    country: str = ""


@dataclass(frozen=True, slots=True)
class DeathRecord:
    """An independent record of deaths at work: it happened between two days.

    `sure` is False where it is not certain that it was at this site.
    """

    source: str
    number: int
    first: str
    last: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """Each is None where nobody imported it: unknown is not none.

    `peers` maps a measure (power_kwh_per_t_reo, water_m3_per_t_reo) to the values of other sites
    with the same process, as decimal text.
    """

    areas: tuple[RiskArea, ...] | None = None
    parties: tuple[ListedParty, ...] | None = None
    deaths: tuple[DeathRecord, ...] | None = None
    peers: Mapping[str, tuple[str, ...]] | None = None
