"""Urgent hazards as they come in: kept where staff see them at once, and audited (S7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.services.inspections import Loaded, load_inspection
from server.store import audit, hazards
from server.store.hazards import HazardRow
from server.store.transaction import Tx
from sync.entry import Entry
from sync.hazard import Hazard, acknowledgements, in_order, read_hazard
from sync.hazard import hazards as hazards_of
from sync.inspection_reader import read_inspection
from sync.merge import merge


@dataclass(frozen=True, slots=True)
class Reported:
    """An entry at a hazard's path, or about one, and the server's clock when it came (UTC ms)."""

    entry: Entry
    now: int


def note(tx: Tx, reported: Iterable[Reported]) -> None:
    """Keep the hazards that new entries tell of; each is told in the audit trail too.

    One is over once that stands in the inspection: not by the word of somebody whose entries do
    not count (S9), nor while another entry beside it says that it is not (L6).
    """
    rows: list[HazardRow] = []
    standing: dict[str, Loaded | None] = {}
    for one in reported:
        device, inspection = one.entry.device, one.entry.inspection
        if inspection not in standing:
            standing[inspection] = load_inspection(tx, inspection)
        found = read_hazard(one.entry)
        if found is None:
            continue
        lat, lon = ("", "") if found.fix is None else (found.fix.lat, found.fix.lon)
        told = (found.severity, found.text, lat, lon, one.entry.at, one.now, one.entry.h)
        if found.over == (found.id in _over(standing[inspection])):
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
    for inspection, loaded in standing.items():
        for made in () if loaded is None else acknowledgements(loaded.current):
            by, at = made.written.by, made.written.at
            hazards.acknowledge(tx, inspection, made.hazard, made.heads, by, at, made.reason)


def hazards_held(loaded: Loaded) -> tuple[Hazard, ...]:
    """The hazards of an inspection in their order, with those that are told by what is set aside:
    nobody is to wait for a ruling where people may be in danger.
    """
    aside = merge([record for one in loaded.aside for record in one.records])
    seen = acknowledgements(loaded.current)
    unconfirmed = hazards_of(read_inspection(loaded.id, aside), seen)
    return in_order([*hazards_of(loaded.current), *(one for one in unconfirmed if not one.over)])


def _over(loaded: Loaded | None) -> set[str]:
    """The hazards of an inspection that are over, by what counts of it."""
    return {one.id for one in hazards_of(loaded.current) if one.over} if loaded else set()
