"""Lists of conflict-affected and high-risk areas: regions by their ISO 3166-2 code."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from checklists.conflict import values
from checklists.conflict.event import Rejected
from checklists.conflict.table import Table
from checklists.conflict.values import Fault

COLUMNS = ("region", "status", "date")
# A region, such as MM-11, or a country of which all is listed.
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")


@dataclass(frozen=True, slots=True)
class Area:
    """A listed region (ISO 3166-2, or a whole country), its status, and the day of the listing."""

    region: str
    status: str
    day: str


def read_areas(stream: io.BufferedIOBase, name: str) -> Iterator[Area | Rejected]:
    """The areas of a list with the columns region, status and date, and the rows that are none.

    Raises `conflict-header` and `conflict-file`.
    """
    seen: set[str] = set()
    for row in Table(stream, COLUMNS, COLUMNS, name).rows():
        if isinstance(row, Rejected):
            yield row
            continue
        number, (region, status, day) = row
        try:
            if not REGION.match(region.upper()):
                raise Fault(f"region {region[:40]!r} is no code of ISO 3166-2 such as MM-11")
            if region.upper() in seen:
                raise Fault(f"region {region!r} stands there twice")
            if not status:
                raise Fault("status is empty")
            on = values.day(day, "date").isoformat()
        except Fault as fault:
            yield Rejected(number, str(fault))
            continue
        seen.add(region.upper())
        yield Area(region.upper(), values.words(status), on)
