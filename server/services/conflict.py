"""Exposure of a place to conflict, from what was imported: known with its events, or unknown.

Sources are never added up. What is not covered is unknown, which is not zero. Of ACLED's events no
more comes out of here than distances and figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from pyproj import Geod

from checklists.conflict.exposure import (
    DAYS,
    REACH_M,
    Exposure,
    Near,
    Nears,
    exposure,
    nears,
    relevant,
    terms,
)
from checklists.conflict.sources import SOURCES
from server.store import conflict
from server.store.conflict import WORLD, Found, Snapshot
from server.store.transaction import Tx

CAHRA = "cahra"  # the source of lists of areas
_GEOD = Geod(ellps="WGS84")


def _none() -> Nears:
    return nears([])


@dataclass(frozen=True, slots=True)
class Looked:
    """What one source says of a place on a day. `exposure` is None where it is unknown, and
    `unknown` then says why; `age_days` is how long before that day the data end.

    `events` are the ones that count, in no order, each a row as Near; `adds` is what each adds to
    X: low, mid and high. `ids` are theirs; empty for a source whose rows may not be passed on.
    """

    source: str
    snapshot: Snapshot | None
    exposure: Exposure | None
    unknown: str
    age_days: int | None = None
    events: Nears = field(default_factory=_none)
    adds: Nears = field(default_factory=_none)
    ids: tuple[str, ...] = ()


def look(
    tx: Tx, lat: float, lon: float, on: date, country: str = "", doubt_m: float = 0.0
) -> list[Looked]:
    """The exposure of a place (degrees) on a day by each source.

    Without a country, a snapshot covers a place in whose surroundings it has any event at all.
    """
    held = conflict.current(tx)
    return [
        _look(tx, source, held.get(source), lat, lon, on, country, doubt_m) for source in SOURCES
    ]


def combined(looked: Sequence[Looked]) -> Exposure | None:
    """Of the sources that know, the higher figure each: never their sum. None where none knows."""
    known = [one.exposure for one in looked if one.exposure is not None]
    if not known:
        return None
    return Exposure(
        max(one.low for one in known),
        max(one.mid for one in known),
        max(one.high for one in known),
    )


def as_json(
    tx: Tx, looked: Sequence[Looked], lat: float, lon: float, on: date, country: str = ""
) -> dict[str, Any]:
    """What is known of a place as JSON values; figures 0 to 100, null where unknown.

    Of a source whose rows may not be passed on, an event is its distance, radius and age and what
    it adds. `coarse_events` counts recent events of the country that are known by region only:
    context, and in no figure.
    """
    return {
        "latitude": lat,
        "longitude": lon,
        "on": on.isoformat(),
        **_figures(combined(looked)),
        "sources": [_source_json(tx, one, on, country) for one in looked],
    }


def _figures(known: Exposure | None) -> dict[str, Any]:
    if known is None:
        return {"state": "unknown", "low": None, "mid": None, "high": None}
    figures = {"low": known.low, "mid": known.mid, "high": known.high}
    return {"state": "known", **{name: value / 1000 for name, value in figures.items()}}


def _source_json(tx: Tx, one: Looked, on: date, country: str) -> dict[str, Any]:
    source, held = SOURCES[one.source], one.snapshot
    said = {
        "source": one.source,
        "name": source.name,
        **_figures(one.exposure),
        "unknown": one.unknown or None,
        "attribution": source.attribution,
        "licence": source.licence,
        "age_days": one.age_days,
        "snapshot": None,
        "coarse_events": None,
        "events": list(_events_json(tx, one, on)),
    }
    if held is None:
        return said
    if country and one.exposure is not None:
        since = on - timedelta(days=DAYS)
        said["coarse_events"] = conflict.coarse_in(tx, held.id, country, since, on)
    said["snapshot"] = {
        "version": held.version,
        "sha256": held.sha256,
        "accessed": held.accessed,
        "covers": list(held.countries),
        "begins": held.begins,
        "ends": held.ends,
    }
    return said


def _events_json(tx: Tx, one: Looked, on: date) -> Iterator[dict[str, Any]]:
    """The events that count, the nearest first."""
    names = {}
    if one.snapshot is not None and one.ids:
        names = conflict.named(tx, one.snapshot.id, one.ids)
    ids = one.ids or ("",) * len(one.events)
    rows = sorted(zip(one.events.tolist(), ids, one.adds.tolist(), strict=True))
    for row, uid, adds in rows:
        near = Near(*row)
        day = date.fromordinal(int(near.day))
        told: dict[str, Any] = {
            "distance_m": round(near.distance_m),
            "radius_m": round(near.radius_m),
            "age_days": (on - day).days,
            "adds": {k: round(x, 6) for k, x in zip(("low", "mid", "high"), adds, strict=True)},
        }
        if uid:
            title, place = names[uid]
            told |= {"id": uid, "day": day.isoformat(), "title": title, "place": place}
            told["deaths"] = int(near.deaths)
        yield told


def out_of_time(snapshot: Snapshot, on: date) -> str:
    """Why a snapshot says nothing about a day, or nothing where it does."""
    first, last = covered_days(snapshot)
    if on < first:
        return f"the data begin on {snapshot.begins}"
    if on > last:
        return f"the data end on {snapshot.ends}, more than {DAYS} days earlier"
    return ""


def covered_days(snapshot: Snapshot) -> tuple[date, date]:
    """The first and the last day about which a snapshot says anything."""
    ends = date.fromisoformat(snapshot.ends)
    return date.fromisoformat(snapshot.begins), ends + timedelta(days=DAYS)


def out_of_place(snapshot: Snapshot, country: str) -> str:
    """Why a snapshot says nothing about a country, or nothing where it covers it."""
    if country in snapshot.countries or WORLD in snapshot.countries:
        return ""
    return f"the data cover {', '.join(snapshot.countries) or 'no country'}, not {country}"


def _look(
    tx: Tx,
    source: str,
    snapshot: Snapshot | None,
    lat: float,
    lon: float,
    on: date,
    country: str,
    doubt_m: float,
) -> Looked:
    if snapshot is None:
        return Looked(source, None, None, "nothing was imported")
    age = (on - date.fromisoformat(snapshot.ends)).days
    why = out_of_time(snapshot, on)
    if why:
        return Looked(source, snapshot, None, why, age)
    found = conflict.near(tx, snapshot.id, lat, lon, REACH_M, on - timedelta(days=DAYS), on)
    if not found and (why := _not_covered(tx, snapshot, lat, lon, country)):
        return Looked(source, snapshot, None, why, age)
    seen = _seen(found, lat, lon)
    counting = np.flatnonzero(relevant(seen, on))
    if found and not counting.size and (why := _not_covered(tx, snapshot, lat, lon, country)):
        return Looked(source, snapshot, None, why, age)
    events = seen[counting]
    adds = terms(events, on, doubt_m)
    ids = () if SOURCES[source].private else tuple([found[n][0] for n in counting.tolist()])
    return Looked(source, snapshot, exposure(adds), "", age, events, adds, ids)


def _not_covered(tx: Tx, snapshot: Snapshot, lat: float, lon: float, country: str) -> str:
    if country:
        return out_of_place(snapshot, country)
    if WORLD in snapshot.countries or conflict.any_near(tx, snapshot.id, lat, lon, REACH_M):
        return ""
    return "the data have no event around here, of any day; name the country if they cover it"


def _seen(found: Sequence[Found], lat: float, lon: float) -> Nears:
    """The events as seen from a place."""
    if not found:
        return _none()
    seen = np.array([one[1:] for one in found], dtype=np.float64)
    lats, lons = seen[:, 0] / 1e7, seen[:, 1] / 1e7
    seen[:, 1] = _GEOD.inv(np.full_like(lons, lon), np.full_like(lats, lat), lons, lats)[2]
    return seen[:, 1:]
