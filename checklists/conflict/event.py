"""A conflict event as it counts here: when, where and how exactly that is known, how deadly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# Of the events that count, those by arms; a riot weighs less and is none.
ARMED = 10

# ISO 3166-1 alpha-2 to the numbers that UCDP (Gleditsch and Ward) and ACLED (ISO) write, for the
# region and its neighbours. Another country keeps its number: GW666, ISO376.
_NUMBERS = {
    "BD": (771, 50),
    "BN": (835, 96),
    "CN": (710, 156),
    "ID": (850, 360),
    "IN": (750, 356),
    "KH": (811, 116),
    "LA": (812, 418),
    "MM": (775, 104),
    "MY": (820, 458),
    "PG": (910, 598),
    "PH": (840, 608),
    "SG": (830, 702),
    "TH": (800, 764),
    "TL": (860, 626),
    "VN": (816, 704),
}
_OF_GW = {gw: code for code, (gw, _) in _NUMBERS.items()}
_OF_ISO = {iso: code for code, (_, iso) in _NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of UCDP GED or ACLED.

    `day` decides whether it is recent: its date, or the last day of a span. It happened between
    `first` and `last`. `lat_e7` and `lon_e7` are degrees times 10^7, None where the source knows
    no more than a region: such an event is never a point. `radius_m` is how far it may lie from
    there. `weight` is in tenths. `stamp` tells a newer version of the same event from an older
    one. `title` and `where` are empty where the source's terms forbid to pass them on.
    """

    id: str
    day: date
    first: date
    last: date
    lat_e7: int | None
    lon_e7: int | None
    radius_m: int
    weight: int
    deaths: int
    stamp: int
    country: str
    title: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no event: its number in the file, where the header is row 1, and why."""

    row: int
    why: str


def of_gw(number: int) -> str:
    """The country of a number of Gleditsch and Ward's list."""
    return _OF_GW.get(number, f"GW{number}")


def of_iso(number: int) -> str:
    """The country of an ISO 3166-1 number."""
    return _OF_ISO.get(number, f"ISO{number}")
