"""Files of conflict events as the sources write them, made up row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from checklists.conflict.event import Event, Rejected
from checklists.conflict.sources import SOURCES, read_events

UCDP_ROW: Mapping[str, Any] = {
    "id": 1,
    "type_of_violence": 1,
    "where_prec": 1,
    "latitude": "20.5",
    "longitude": "97.25",
    "date_prec": 1,
    "date_start": "2024-03-01",
    "date_end": "2024-03-02",
    "best": 3,
    "country_id": 775,
    "dyad_name": "An Army - A Front",
    "where_coordinates": "A town",
}
ACLED_ROW: Mapping[str, Any] = {
    "event_id_cnty": "MMR1",
    "event_date": "2024-03-02",
    "time_precision": 1,
    "event_type": "Battles",
    "actor1": "A secret actor",
    "inter1": 1,
    "inter2": "Rebel group",
    "iso": 104,
    "latitude": "20.5",
    "longitude": "97.25",
    "geo_precision": 1,
    "notes": "What happened,\nin a secret note",
    "fatalities": 3,
    "timestamp": 1710000000,
}
_ROWS = {"ucdp": UCDP_ROW, "acled": ACLED_ROW}


def text_of(source: str, rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> str:
    """A file of that source: each row is the made-up one with these fields changed."""
    out = io.StringIO()
    columns = SOURCES[source].columns
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({**_ROWS[source], **row} for row in rows)
    return out.getvalue()


def file_of(source: str, rows: Iterable[Mapping[str, Any]], encoding: str = "utf-8") -> bytes:
    return text_of(source, rows).encode(encoding)


def read(source: str, data: bytes) -> list[Event | Rejected]:
    return list(read_events(io.BytesIO(data), SOURCES[source], "events.csv"))
