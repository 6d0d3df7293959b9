"""Declared operations: what an operator has filed, with coordinates kept as they were given."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from checklists.discrepancies.declared_fields import Faults
from checklists.discrepancies.operations import Operations
from checklists.discrepancies.operations_reader import read_operations
from sync.inspection import is_decimal
from sync.place import AXES
from sync.polygon import LIMIT_POINTS
from sync.problems import problem

FORMAT = "tapak-declaration/2"
FORMATS = ("tapak-declaration/1", FORMAT)
STATES = ("exploring", "active", "care", "closed", "abandoned")
INACTIVE = ("care", "closed", "abandoned")

_TOLD = 50  # of the faults of one filing, so many are named
_FACILITY = re.compile(r"[a-z0-9-]{3,40}\Z")


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
    operations: Operations = field(default_factory=Operations)


def read_declaration(doc: Mapping[str, Any]) -> Declaration:
    """Read one filing of the format tapak-declaration/1 or /2.

    Version 1 holds place and state; members it does not know are kept. Version 2 also holds what
    `operations` describes, and an unknown member is a fault, as it may be a known one misspelt.
    The digest is the SHA-256 of the canonical JSON of the whole filing, and the id its first 16
    characters. Raises `declaration-malformed`, which names every field at fault.
    """
    reader = _Reader()
    if not isinstance(doc, Mapping):
        raise problem("declaration-malformed", why="it is not an object")
    if doc.get("format") not in FORMATS:
        reader.fault("format", f"is not {FORMAT!r}")
    facility = reader.text(doc, "facility")
    if facility and not _FACILITY.match(facility):
        reader.fault("facility", "is not 3 to 40 of a-z, 0-9 and -")
    speaks_of, filed = reader.day(doc, "speaks_of"), reader.day(doc, "filed")
    state, since = reader.status(doc, speaks_of)
    processes = reader.texts(doc, "processes")
    location = reader.shape(doc, "location")
    boundary = reader.shape(doc, "boundary")
    said = read_operations(reader, doc) if doc.get("format") == FORMAT else Operations()
    digest = reader.digest(doc)
    if reader.faults:
        raise problem("declaration-malformed", why=_listed(reader.faults))
    return Declaration(
        digest[:16],
        facility,
        speaks_of,
        filed,
        state,
        since,
        processes,
        location,
        boundary,
        dict(doc),
        digest,
        said,
    )


def in_force(declarations: Iterable[Declaration], on: date) -> Declaration | None:
    """What was on file on that day: the filing that speaks of the latest time up to then.

    What was filed after the day does not count, whatever time it speaks of. Of two filings about
    the same time the later one holds.
    """
    day = on.isoformat()
    known = [d for d in declarations if d.filed <= day and d.speaks_of <= day]
    return max(known, key=lambda d: (d.speaks_of, d.filed, d.digest), default=None)


def _listed(faults: list[str]) -> str:
    more = len(faults) - _TOLD
    return "; ".join(faults[:_TOLD]) + (f"; and {more} more" if more > 0 else "")


class _Reader(Faults):
    """Reads what a filing says of place and state."""

    def status(self, doc: Mapping[str, Any], speaks_of: str) -> tuple[str, str]:
        value = doc.get("status")
        if not isinstance(value, Mapping):
            self.fault("status", "is missing" if value is None else "is not an object")
            return "", ""
        state = self.text(value, "state", "status.")
        if state and state not in STATES:
            self.fault("status.state", f"is {state!r}, not one of {', '.join(STATES)}")
        since = self.day(value, "since", "status.") if "since" in value else speaks_of
        return state, since

    def shape(self, doc: Mapping[str, Any], key: str) -> GivenShape | None:
        value = doc.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault(key, "is not an object")
            return None
        crs, axes = self.text(value, "crs", f"{key}."), self.text(value, "axes", f"{key}.")
        if axes and axes not in AXES:
            self.fault(f"{key}.axes", f"is {axes!r}, not xy or yx")
        source = self.text(value, "source", f"{key}.")
        if key == "location":
            rings = self.rings([[value.get("point")]], "location.point")
        else:
            rings = self.rings(value.get("rings"), f"{key}.rings")
        return GivenShape(crs, axes, source, rings)

    def rings(self, value: Any, where: str) -> tuple[tuple[GivenPoint, ...], ...]:
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(r, list) and r for r in value)
        ):
            self.fault(where, "is not a list of rings of points")
            return ()
        if sum(len(ring) for ring in value) > LIMIT_POINTS:
            self.fault(where, f"has more than {LIMIT_POINTS} points")
            return ()
        for ring in value:
            for point in ring:
                if not _is_point(point):
                    self.fault(where, f"has {point!r}, which is not two decimal numbers as text")
                    return ()
        return tuple(tuple(GivenPoint(a, b) for a, b in ring) for ring in value)

    def digest(self, doc: Mapping[str, Any]) -> str:
        try:
            text = json.dumps(
                doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
            return hashlib.sha256(text.encode()).hexdigest()
        except (TypeError, ValueError, RecursionError) as exc:
            self.fault("the document", f"cannot be written as JSON ({type(exc).__name__})")
            return ""


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(is_decimal(v) for v in value)
