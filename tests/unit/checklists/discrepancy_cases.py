"""Made-up cases for the tests of the rules. No real operator, site or person is meant."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pyproj import Transformer

from checklists.conflict.around import Around, Surroundings
from checklists.discrepancies.case import Case, CasePhoto, Flag, NotEvaluated, Point, Seen, Use
from checklists.discrepancies.declaration import Declaration, read_declaration
from checklists.discrepancies.ground import Outline, Trace
from checklists.discrepancies.imported import Imported
from checklists.discrepancies.moments import Reading, Span, Taken, Way
from checklists.discrepancies.rule import Rule
from checklists.discrepancies.settings_file import default_settings
from sync.inspection import Fix

SHA = "ab" * 32
VISIT = "5b0f8d6e-0000-4000-8000-000000000001"

DEVICE, OTHER = "a" * 32, "b" * 32


def ms(text: str) -> int:
    """UTC milliseconds of a time such as 2026-03-02T03:00:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# The visit: from 8 in the morning to 4 in the afternoon in Thailand.
BEGAN, ENDED = ms("2026-03-02T01:00:00"), ms("2026-03-02T09:00:00")
NOON = ms("2026-03-02T05:00:00")
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

# A square of 2 km in the sea north of Phuket, given in UTM zone 47N on WGS 84.
WEST, EAST, SOUTH, NORTH = 400000, 402000, 900000, 902000


def ring(
    west: float = WEST, east: float = EAST, south: float = SOUTH, north: float = NORTH
) -> list[list[str]]:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [[str(x), str(y)] for x, y in corners]


def document(**changes: Any) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "format": "tapak-declaration/1",
        "example": True,
        "facility": "made-up-mine",
        "speaks_of": "2026-01-01",
        "filed": "2026-01-10",
        "status": {"state": "active", "since": "2025-03-01"},
        "processes": ["in-situ-leaching"],
        "operator": "Made-up Minerals",
        "location": {
            "crs": "EPSG:32647",
            "axes": "xy",
            "source": "made-up licence map",
            "point": ["401000", "901000"],
        },
        "boundary": {
            "crs": "EPSG:32647",
            "axes": "xy",
            "source": "made-up licence map",
            "rings": [ring()],
        },
        "licences": [],
    }
    doc.update(changes)
    return {k: v for k, v in doc.items() if v is not None}


def declared(**changes: Any) -> Declaration:
    return read_declaration(document(**changes))


# What the made-up operator declares beyond place and state, and what the visit saw: it all fits.
OPERATIONS: dict[str, Any] = {
    "format": "tapak-declaration/2",
    "operator": None,
    "processes": ["in-situ-leach"],
    "parties": [
        {"role": "operator", "name": "Made-up Minerals", "country": "TH"},
        {"role": "owner", "name": "Made-up Holding", "country": "TH", "share_pct": "60"},
        {"role": "consignee", "name": "Made-up Separation", "country": "MY"},
    ],
    "licences": [
        {
            "number": "EX-1",
            "issuer": "made-up mines office",
            "scope": ["in-situ-leach"],
            "valid_from": "2024-01-01",
            "valid_to": "2028-12-31",
            "capacity_t_reo_per_year": "600",
        }
    ],
    "months": [
        {
            "month": month,
            "process": "in-situ-leach",
            "ore_t": "80000",
            "grade_pct": "0.08",
            "recovery_pct": "75",
            "output_t_reo": "45",
            "water_m3": "21000",
            "power_kwh": "90000",
            "reagents": [{"reagent": "ammonium-sulfate", "t": "315"}],
            "residues": [{"kind": "precipitate", "t": "18"}],
        }
        for month in ("2026-01", "2026-02")
    ],
    "stocks": [{"material": "REO", "on": "2026-01-01", "t": "12"}],
    "residues": [
        {
            "kind": "precipitate",
            "heap": "heap-1",
            "on": "2026-02-28",
            "t": "240",
            "m3": "160",
            "approved_ratio": "0.4",
        }
    ],
    "headcount": [
        {"employer": "Made-up Minerals", "group": "own-staff", "people": "64", "shifts": "1"}
    ],
    "shipments": [
        {
            "lot": "lot-7",
            "date": "2026-01-20",
            "mass_t": "50",
            "reo_pct": "92",
            "origin": "TH",
            "transit": ["TH"],
            "consignee": "Made-up Separation",
            "assay": [{"oxide": "Dy2O3", "pct": "3.1"}, {"oxide": "Nd2O3", "pct": "21"}],
        }
    ],
    "deposit": [{"measure": "Dy/Nd", "mean": "0.15", "sd": "0.02"}],
    "mines": [],
    "fatalities": {"from": "2025-01-01", "to": "2026-02-28", "number": "0"},
    "conflict_area": {"statement": "none", "on": "2026-01-15"},
}
OBSERVED = {
    "survey/heap-1": "165",
    "headcount/own-staff": "62",
    "assay/lot-7-Dy": "3.2",
    "assay/lot-7-Nd": "21",
    "activity/heap-1": "0.3",
}
PEERS = {
    "power_kwh_per_t_reo": ("1500", "1800", "2000", "2200", "2500"),
    "water_m3_per_t_reo": ("400", "450", "470", "500", "520"),
}
IMPORTED = Imported(areas=(), parties=(), deaths=(), peers=PEERS)
SIGNS = {
    "moving-plant": "yes",
    "fresh-reagent": "yes",
    "warm-kiln": "no",
    "discharge": "no",
    "night-power": "no",
}


def whole(**changes: Any) -> dict[str, Any]:
    """A filing of version 2 in which everything is declared; None takes a member out."""
    return document(**{**deepcopy(OPERATIONS), **changes})


def filing(**changes: Any) -> Declaration:
    return read_declaration(whole(**changes))


def row(key: str, n: int = 0, **changes: Any) -> dict[str, Any]:
    """One row of what the made-up operator declares, changed; None takes a member out."""
    changed = {**deepcopy(OPERATIONS[key][n]), **changes}
    return {k: v for k, v in changed.items() if v is not None}


def month(**changes: Any) -> dict[str, Any]:
    return row("months", **changes)


def seen(values: Mapping[str, str]) -> tuple[Seen, ...]:
    """Numbers that were observed: {"survey/heap-1": "165±10"} is 165, give or take 10."""
    return tuple(_seen(name, value) for name, value in values.items())


def _seen(name: str, given: str) -> Seen:
    what, _, instance = name.partition("/")
    value, _, u = given.partition("±")
    return Seen(what, instance, value, u or None, "", "f" * 64)


def shape(crs: str, axes: str, points: list[list[str]]) -> dict[str, Any]:
    return {"crs": crs, "axes": axes, "source": "made-up licence map", "rings": [points]}


@lru_cache
def to_wgs84(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def at(
    east: float, north: float, accuracy: str | None = "6", crs: str = "EPSG:32647", label: str = ""
) -> Point:
    """A visited point given in a projected system, worked out without the code under test."""
    lon, lat = to_wgs84(crs).transform(east, north)
    fix = Fix(f"{Decimal(lat):.9f}", f"{Decimal(lon):.9f}", accuracy, None, "gnss")
    return Point(label or f"the point {east:.0f} {north:.0f}", fix, "client", "", "e" * 64)


def photo(**changes: Any) -> CasePhoto:
    facts = {
        "exif": True,
        "gps_block": "none",
        "gps_time": "2026-03-02T05:00:00Z",
        "software": "17.1",
        "sha256": SHA,
    }
    base = CasePhoto(
        SHA, "photo", "imported", "IMG_0001.jpg", facts, entry="e" * 64, device=DEVICE, at=NOON
    )
    return replace(base, **changes)


def outline(
    west: float = EAST,
    east: float = EAST + 1000,
    south: float = SOUTH,
    north: float = NORTH,
    **changes: Any,
) -> Outline:
    """Other ground, given like the declared square: without changes its neighbour in the east."""
    given = declared(boundary=shape("EPSG:32647", "xy", ring(west, east, south, north))).boundary
    assert given is not None
    return replace(Outline("other", "Other Minerals", "made-up register", given), **changes)


def trace(
    west: float = WEST + 500,
    east: float = EAST - 500,
    south: float = SOUTH + 500,
    north: float = NORTH - 500,
    accuracy: str | None = "5",
    **changes: Any,
) -> Trace:
    """A walk around a rectangle, back to where it began."""
    fixes = [at(float(x), float(y)).fix for x, y in ring(west, east, south, north)]
    places = tuple((f.lat, f.lon) for f in fixes)
    base = Trace("pit", "e" * 64, "fa" * 32, places, (accuracy,) * len(places), 0)
    return replace(base, **changes)


def span(**changes: Any) -> Span:
    return replace(Span(DEVICE, BEGAN, ENDED, True, True), **changes)


def reading(offset_ms: int = 0, **changes: Any) -> Reading:
    return replace(Reading(DEVICE, "server", ENDED + HOUR, offset_ms), **changes)


def taken(
    at: int = NOON, lat: str = "8.15", lon: str = "98.1", accuracy: str | None = "6", **changes: Any
) -> Taken:
    """A fix that a receiver measured when an answer was written; `fix_…` changes the fix."""
    of_fix = {k.removeprefix("fix_"): changes.pop(k) for k in list(changes) if k[:4] == "fix_"}
    fix = replace(Fix(lat, lon, accuracy, at, "gnss"), **of_fix)
    entry = f"{at:064x}"
    base = Taken("the answer to ISL-E1", DEVICE, at - BEGAN, entry, at, fix, "client", "", True)
    return replace(base, **changes)


def way(*points: tuple[int, float, float, float | None], **changes: Any) -> Way:
    """A track that the device recorded: (time, latitude, longitude, accuracy) of each point."""
    base = Way(
        DEVICE,
        "recorded",
        "",
        tuple(p[0] for p in points),
        tuple((p[1], p[2]) for p in points),
        tuple(p[3] for p in points),
        frozenset({0}),
        0,
    )
    return replace(base, **changes)


def case(**changes: Any) -> Case:
    base = Case(
        "made-up-mine",
        "Made-up Mine",
        "TH",
        VISIT,
        "2026-03-02",
        "visited",
        filing(),
        (at(401000, 901000),),
        SIGNS,
        (photo(),),
        {},
        True,
        default_settings(),
        ("visited",),
        spans=(span(),),
        clocks=(reading(),),
        observed=seen(OBSERVED),
        traces=(trace(),),
        neighbours=(),
        protected_areas=(),
        surroundings=Surroundings(True, "5.0", (Around("ucdp", "UCDP GED", (0, 0, 0)),)),
        imported=IMPORTED,
    )
    return replace(base, **changes)


def use(**changes: Any) -> Use:
    base = Use("0" * 8 + "-0000-4000-8000-" + "0" * 12, "other-mine", "Other Mine", 1750000000000)
    return replace(base, **changes)


def flags(rule: Rule, of: Case) -> list[Flag]:
    return [f for f in rule.find(of) if isinstance(f, Flag)]


def needs(rule: Rule, of: Case) -> list[str]:
    return [f.needs for f in rule.find(of) if isinstance(f, NotEvaluated)]


def only(rule: Rule, of: Case) -> Flag:
    (flag,) = flags(rule, of)
    return flag
