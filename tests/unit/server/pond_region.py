"""A hill in the north and a delta in the south, judged by a checklist of two items; made up."""

from __future__ import annotations

from pathlib import Path

from ponds import NAME, limits, ponds
from region import AUDITOR, CONSOLE, Clock, add_person, assign_to, make_context

from checklists.published import profile_bytes
from server.context import Context
from server.services import publishing, registry
from server.store.jurisdictions import Jurisdiction

_RULES = Path(publishing.__file__).parents[2] / "checklists/discrepancies/settings/default.yaml"


def make_ponds(folder: Path, clock: Clock) -> Context:
    """A server with both facilities on version 1, which the auditor is assigned to."""
    ctx = make_context(folder, clock)
    for id_, parent in (("example", None), ("north", "example"), ("south", "example")):
        kind = "country" if parent else "region"
        new = Jurisdiction(id_, id_.title(), parent, kind)
        registry.add_jurisdiction(ctx, CONSOLE, new)
    for kind, body in (
        ("checklist", ponds()),
        ("limits", limits()),
        ("profile", profile_bytes("default")),
        ("rules", _RULES.read_bytes()),
    ):
        publishing.publish(ctx, CONSOLE, kind, body, "file.yaml")
    add_person(ctx, AUDITOR)
    for facility, place in (("hill", "north"), ("delta", "south")):
        fields = {"id": facility, "name": f"Made-up {facility}", "country": "TH"}
        fields |= {"jurisdiction": place, "checklist": NAME, "limits": "pond-limits"}
        registry.add_facility(ctx, CONSOLE, {**fields, "example": True})
        assign_to(ctx, facility, AUDITOR)
    return ctx
