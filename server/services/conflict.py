"""Exposure of a place to conflict, from what was imported: known with its events, or unknown.

Sources are never added up. What is not covered is unknown, which is not zero. Of ACLED's events no
more comes out of here than distances and figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from checklists.conflict.exposure import DAYS, REACH_M, Exposure, Near, exposure, relevant, terms
from checklists.conflict.sources import SOURCES
from server.store import conflict
from server.store.conflict import WORLD, Found, Snapshot
from server.store.transaction import Tx
from sync.place import distances_m

CAHRA = "cahra"  # the source of lists of areas


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that counts: what it adds to X (low, mid, high), and itself as seen from the place.

    `id`, `title` and `place` are empty for a source whose rows may not be passed on.
    """

    near: Near
    adds: tuple[float, float, float]
    id: str = ""
    title: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one source says of a place on a day. `exposure` is None where it is unknown, and
    `unknown` then says why; `age_days` is how long before that day the data end. `coarse` counts
    recent events of the country that are known by region only: context, and in no figure.
    """

    source: str
    snapshot: Snapshot | None
    exposure: Exposure | None
    unknown: str
    age_days: int | None
    events: tuple[Counted, ...]
    coarse: int | None = None


def look(
    tx: Tx, lat: float, lon: float, on: date, country: str = "", doubt_m: float = 0.0
) -> list[Looked]:
    """The exposure of a place (degrees) on a day by each source, nearest events first.

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


def as_json(looked: Sequence[Looked], lat: float, lon: float, on: date) -> dict[str, Any]:
    """What is known of a place as JSON values; figures 0 to 100, null where unknown.

    Of a source whose rows may not be passed on, an event is its distance, radius and age and what
    it adds.
    """
    return {
        "latitude": lat,
        "longitude": lon,
        "on": on.isoformat(),
        **_figures(combined(looked)),
        "sources": [_source_json(one, on) for one in looked],
    }


def _figures(known: Exposure | None) -> dict[str, Any]:
    if known is None:
        return {"state": "unknown", "low": None, "mid": None, "high": None}
    figures = {"low": known.low, "mid": known.mid, "high": known.high}
    return {"state": "known", **{name: value / 1000 for name, value in figures.items()}}


def _source_json(one: Looked, on: date) -> dict[str, Any]:
    source, held = SOURCES[one.source], one.snapshot
    return {
        "source": one.source,
        "name": source.name,
        **_figures(one.exposure),
        "unknown": one.unknown or None,
        "attribution": source.attribution,
        "licence": source.licence,
        "snapshot": None
        if held is None
        else {
            "version": held.version,
            "sha256": held.sha256,
            "accessed": held.accessed,
            "covers": list(held.countries),
            "begins": held.begins,
            "ends": held.ends,
        },
        "age_days": one.age_days,
        "coarse_events": one.coarse,
        "events": [_event_json(event, on) for event in one.events],
    }


def _event_json(event: Counted, on: date) -> dict[str, Any]:
    near = event.near
    low, mid, high = (round(x, 6) for x in event.adds)
    told = {
        "distance_m": round(near.distance_m),
        "radius_m": round(near.radius_m),
        "age_days": (on - near.day).days,
        "adds": {"low": low, "mid": mid, "high": high},
    }
    if not event.id:
        return told
    own = {"id": event.id, "day": near.day.isoformat(), "title": event.title}
    return {**told, **own, "place": event.place, "deaths": near.deaths}


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
        return Looked(source, None, None, "nothing was imported", None, ())
    age = (on - date.fromisoformat(snapshot.ends)).days
    why = out_of_time(snapshot, on)
    if why:
        return Looked(source, snapshot, None, why, age, ())
    since = on - timedelta(days=DAYS)
    found = conflict.near(tx, snapshot.id, lat, lon, REACH_M, since, on)
    nears = _seen(found, lat, lon)
    counted = [
        _counted(source, near, one, on, doubt_m)
        for near, one in zip(nears, found, strict=True)
        if relevant(near, on)
    ]
    if not counted:
        why = _not_covered(tx, snapshot, lat, lon, country)
        if why:
            return Looked(source, snapshot, None, why, age, ())
    counted.sort(key=lambda one: (one.near.distance_m, one.near.day, one.adds, one.id))
    reckoned = exposure((one.near for one in counted), on, doubt_m)
    coarse = conflict.coarse_in(tx, snapshot.id, country, since, on) if country else None
    return Looked(source, snapshot, reckoned, "", age, tuple(counted), coarse)


def _not_covered(tx: Tx, snapshot: Snapshot, lat: float, lon: float, country: str) -> str:
    if country:
        return out_of_place(snapshot, country)
    if WORLD in snapshot.countries or conflict.any_near(tx, snapshot.id, lat, lon, REACH_M):
        return ""
    return "the data have no event around here, of any day; name the country if they cover it"


def _seen(found: Sequence[Found], lat: float, lon: float) -> list[Near]:
    metres = distances_m([(lat, lon)] * len(found), [(one.lat, one.lon) for one in found])
    return [
        Near(d, one.radius_m, one.weight, one.deaths, one.day, one.first, one.last)
        for d, one in zip(metres, found, strict=True)
    ]


def _counted(source: str, near: Near, one: Found, on: date, doubt_m: float) -> Counted:
    adds = terms(near, on, doubt_m)
    if SOURCES[source].private:
        return Counted(near, adds)
    return Counted(near, adds, one.id, one.title, one.place)
