"""Made-up surroundings of a made-up mine, for the rules about conflict."""

from __future__ import annotations

from typing import Any

from discrepancy_cases import filing

from checklists.conflict.around import Around, Surroundings
from checklists.discrepancies.declaration import Declaration


def around(source: str = "ucdp", **changes: Any) -> Around:
    """What a source says; by default it knows of no event."""
    given: dict[str, Any] = {
        "exposure": (0, 0, 0),
        "events": 7,
        "version": "25.1",
        "sha256": "c" * 64,
        "accessed": "2026-02-15",
        "ends": "2026-01-31",
        "attribution": "Made-up Data Program (CC BY 4.0)",
    }
    return Around(source, source.upper(), **{**given, **changes})


def near_conflict(*sources: Around, **changes: Any) -> Surroundings:
    return Surroundings(**{"placed": True, "doubt_m": "5.0", "sources": sources, **changes})


def stated(statement: str = "none", **changes: Any) -> Declaration:
    """A filing of version 2 that says this of conflict-affected areas."""
    return filing(conflict_area={"statement": statement, "on": "2026-01-10"}, **changes)
