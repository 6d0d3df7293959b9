"""The two sources of conflict events, their columns, and how a row of each is read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checklists.conflict import values
from checklists.conflict.event import ARMED, Event, Rejected, of_gw, of_iso
from checklists.conflict.table import Fields, Table
from checklists.conflict.values import Fault
from sync.problems import problem

MOST_DEATHS = 10_000_000
MOST_STAMP = 10**11


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_UCDP = _names(
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id "
    "conflict_name dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a "
    "side_b_dset_id side_b_new_id side_b number_of_sources source_article source_office "
    "source_date source_headline source_original where_prec where_coordinates where_description "
    "adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id region event_clarity "
    "date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best high low "
    "gwnoa gwnob"
)
_UCDP_USED = _names(
    "id type_of_violence where_prec latitude longitude date_prec date_start date_end best "
    "country_id dyad_name where_coordinates"
)
_ACLED = _names(
    "event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1 "
    "assoc_actor_1 inter1 actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region "
    "country admin1 admin2 admin3 location latitude longitude geo_precision source source_scale "
    "notes fatalities tags timestamp"
)
_ACLED_USED = _names(
    "event_id_cnty event_date time_precision event_type iso latitude longitude geo_precision "
    "fatalities timestamp"
)

# Metres around the stated position; of any other precision, the position is a region's.
_UCDP_RADIUS = {1: 1_000, 2: 25_000, 3: 30_000}
_ACLED_RADIUS = {1: 5_000, 2: 25_000}
_ACLED_WEIGHT = {
    "battles": ARMED,
    "explosions/remote violence": ARMED,
    "violence against civilians": ARMED,
    "riots": 3,
    "protests": 0,
    "strategic developments": 0,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from: what its files look like, and on what terms they may be used.

    `private` sources forbid to pass rows on: only numbers worked out from them leave the server.
    """

    id: str
    name: str
    columns: tuple[str, ...]
    used: tuple[str, ...]
    id_column: str
    licence: str
    attribution: str
    private: bool
    terms: tuple[str, ...]
    event: Callable[[Fields], Event]


def read_events(stream: io.BufferedIOBase, source: Source, name: str) -> Iterator[Event | Rejected]:
    """The events of a file, and the rows that are none, as they come.

    Raises `conflict-header` and `conflict-file`.
    """
    for row in Table(stream, source.columns, source.used, name).rows():
        if isinstance(row, Rejected):
            yield row
            continue
        number, fields = row
        try:
            yield source.event(fields)
        except Fault as fault:
            yield Rejected(number, str(fault))


def read_ids(stream: io.BufferedIOBase, source: Source, name: str) -> Iterator[str | Rejected]:
    """The ids in a file that lists events which the source has withdrawn.

    Raises `conflict-header` and `conflict-file`.
    """
    columns = (source.id_column,)
    for row in Table(stream, columns, (source.id_column, source.id_column), name).rows():
        if isinstance(row, Rejected):
            yield row
            continue
        number, fields = row
        try:
            yield values.identifier(fields[0], source.id_column)
        except Fault as fault:
            yield Rejected(number, str(fault))


def source_of(name: str) -> Source:
    """The source of that id. Raises `conflict-source`."""
    if name not in SOURCES:
        raise problem("conflict-source", source=name, known=", ".join(SOURCES))
    return SOURCES[name]


def _of_ucdp(fields: Fields) -> Event:
    uid, kind, where, lat, lon, when, begin, end, best, country, dyad, place = fields
    values.choice(kind, "type_of_violence", 1, 3)
    radius = _UCDP_RADIUS.get(values.choice(where, "where_prec", 1, 7))
    precision = values.choice(when, "date_prec", 1, 5)
    first, last = values.day(begin, "date_start"), values.day(end, "date_end")
    if first > last:
        raise Fault(f"date_start {begin!r} is after date_end {end!r}")
    return Event(
        values.identifier(uid, "id"),
        last,
        first if precision >= 4 else last,
        last,
        None if radius is None else values.degrees(lat, "latitude", 90),
        None if radius is None else values.degrees(lon, "longitude", 180),
        radius or 0,
        ARMED,
        values.whole(best, "best", MOST_DEATHS),
        0,
        of_gw(values.whole(country, "country_id", 9999)),
        values.words(dyad),
        values.words(place),
    )


def _of_acled(fields: Fields) -> Event:
    uid, on, when, kind, country, lat, lon, where, deaths, stamp = fields
    radius = _ACLED_RADIUS.get(values.choice(where, "geo_precision", 1, 3))
    day = values.day(on, "event_date")
    month = values.choice(when, "time_precision", 1, 3) == 3
    first, last = values.month_of(day) if month else (day, day)
    weight = _ACLED_WEIGHT.get(kind.lower())
    if weight is None:
        raise Fault(f"event_type {kind[:40]!r} is not one of ACLED's six")
    return Event(
        values.identifier(uid, "event_id_cnty"),
        day,
        first,
        last,
        None if radius is None else values.degrees(lat, "latitude", 90),
        None if radius is None else values.degrees(lon, "longitude", 180),
        radius or 0,
        weight,
        values.whole(deaths, "fatalities", MOST_DEATHS),
        values.whole(stamp, "timestamp", MOST_STAMP),
        of_iso(values.whole(country, "iso", 999)),
    )


SOURCES = {
    "ucdp": Source(
        "ucdp",
        "UCDP GED",
        _UCDP,
        _UCDP_USED,
        "id",
        "CC BY 4.0",
        "Uppsala Conflict Data Program, Georeferenced Event Dataset (CC BY 4.0)",
        False,
        (),
        _of_ucdp,
    ),
    "acled": Source(
        "acled",
        "ACLED",
        _ACLED,
        _ACLED_USED,
        "event_id_cnty",
        "ACLED terms of use",
        "Armed Conflict Location & Event Data Project (ACLED), acleddata.com; figures derived "
        "from its data",
        True,
        (
            "ACLED's data come under its terms of use, which each user accepts when registering.",
            "The terms forbid passing the data on and products that compete with them; "
            "commercial use needs a licence; ACLED is always to be named.",
            "Tapak keeps of each row what its figures need, on this server alone. Pages, exports, "
            "bundles and devices show figures and distances worked out from them, and name ACLED.",
            "Whether your use is allowed is between you and ACLED: read the terms at "
            "acleddata.com before you go on.",
        ),
        _of_acled,
    ),
}
