"""Urgent hazards as they come in: kept where staff see them at once, and audited (S7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.services.inspections import load_inspection
from server.store import audit, hazards
from server.store.hazards import HazardRow
from server.store.transaction import Tx
from sync.entry import Entry
from sync.hazard import hazards as hazards_of
from sync.hazard import read_hazard


@dataclass(frozen=True, slots=True)
class Reported:
    """An entry at a hazard's path, and the server's clock when it came (UTC milliseconds)."""

    entry: Entry
    now: int


def note(tx: Tx, reported: Iterable[Reported]) -> None:
    """Keep the hazards that new entries tell of; each is told in the audit trail too.

    One is over once that stands in the inspection: not by the word of somebody whose entries do
    not count (S9), nor while another entry beside it says that it is not (L6).
    """
    rows: list[HazardRow] = []
    standing: dict[str, set[str]] = {}  # inspection -> which hazards are over
    for one in reported:
        found = read_hazard(one.entry)
        if found is None:
            continue
        lat, lon = ("", "") if found.fix is None else (found.fix.lat, found.fix.lon)
        device, inspection = one.entry.device, one.entry.inspection
        told = (found.severity, found.text, lat, lon, one.entry.at, one.now)
        if inspection not in standing:
            standing[inspection] = _over(tx, inspection)
        if found.over == (found.id in standing[inspection]):
            rows.append(HazardRow(inspection, found.id, device, *told))
        audit.record(
            tx,
            one.now,
            who=f"device:{device}",
            action="hazard.over" if found.over else "hazard.reported",
            subject=f"inspection:{inspection}",
            detail={"hazard": found.id, "severity": found.severity, "seq": one.entry.seq},
        )
    hazards.put(tx, rows)


def _over(tx: Tx, inspection: str) -> set[str]:
    """The hazards of an inspection that are over, by what counts of it."""
    loaded = load_inspection(tx, inspection)
    return {one.id for one in hazards_of(loaded.current) if one.over} if loaded else set()
