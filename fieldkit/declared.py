"""What the operator had declared at the time of a visit, from the filings that came down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checklists.discrepancies.days import visit_day
from checklists.discrepancies.declaration import Declaration, in_force, read_declaration
from fieldkit.library import Library
from sync.inspection import Inspection


def declaration_of(
    library: Library, inspection: Inspection, facility: Mapping[str, Any]
) -> Declaration | None:
    """The filing in force on the day of the visit, or None. Raises `declaration-malformed`."""
    if "country" not in facility:
        return None  # the visit is no longer this person's, and what came down for it is gone (S5)
    day = visit_day(inspection, str(facility["country"]))
    if day is None:
        return None
    filed = [read_declaration(d) for d in library.declarations(str(facility["id"]))]
    return in_force(filed, day)


def processes_of(
    library: Library, inspection: Inspection, facility: Mapping[str, Any]
) -> tuple[str, ...]:
    """What the facility does: as declared for the visit, else as the office has noted it."""
    declared = declaration_of(library, inspection, facility)
    if declared is not None and declared.processes:
        return tuple(sorted(declared.processes))
    return tuple(sorted(str(p) for p in facility.get("processes") or ()))
