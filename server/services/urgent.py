"""Urgent hazards as they stand: kept where staff see them at once, and in the trail (S7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.services.inspections import Loaded, Owners, load_inspection
from server.store import audit
from server.store import hazards as table
from server.store.hazards import HazardRow
from server.store.transaction import Tx
from sync.adopted import expand
from sync.entry import Entry, Record
from sync.hazard import PREFIX, Hazard, acknowledgements, hazards, in_order, read_hazard
from sync.inspection_reader import read_inspection
from sync.merge import State, merge


@dataclass(frozen=True, slots=True)
class Reported:
    """An entry at a hazard's path, or about one, and the server's clock when it came (UTC ms)."""

    entry: Entry
    now: int


def note(tx: Tx, reported: Iterable[Reported]) -> None:
    """Keep the hazards that new entries tell of; each is told in the audit trail too."""
    came: dict[str, dict[str, int]] = {}
    for one in reported:
        device, inspection = one.entry.device, one.entry.inspection
        came.setdefault(inspection, {})[one.entry.h] = one.now
        found = read_hazard(one.entry)
        if found is None:
            continue
        audit.record(
            tx,
            one.now,
            who=f"device:{device}",
            action="hazard.over" if found.over else "hazard.reported",
            subject=f"inspection:{inspection}",
            detail={"hazard": found.id, "severity": found.severity, "seq": one.entry.seq},
        )
    for inspection, at in came.items():
        refresh(tx, inspection, at)


def refresh(tx: Tx, inspection: str, came: Mapping[str, int] = MappingProxyType({})) -> None:
    """Let what is kept of an inspection's hazards be what is told of them now.

    It follows from the inspection but for when each arrived: `came` says that of new entries, by
    chain hash, in UTC milliseconds; of others it stays as it was.
    """
    loaded = load_inspection(tx, inspection)
    if loaded is None:
        return
    before = table.of_inspection(tx, inspection)
    rows: dict[str, HazardRow] = {}
    for one in hazards_held(tx, loaded):
        kept = before.get(one.id)
        arrived = loaded.first_seen_at if kept is None else kept.received_at
        rows.setdefault(one.id, _row(inspection, one, came.get(one.written.h, arrived)))
    table.put(tx, [row for row in rows.values() if row != before.get(row.id)])


def hazards_held(tx: Tx, loaded: Loaded) -> tuple[Hazard, ...]:
    """The hazards of an inspection in their order, with those that are told by what is set aside:
    nobody is to wait for a ruling where people may be in danger.

    One is over once that stands in the inspection: not by the word of somebody whose entries do
    not count (S9), nor while another entry beside it says that it is not (L6).
    """
    standing = hazards(loaded.current)
    over = {one.id for one in standing if one.over}
    told = [one for one in _told_aside(tx, loaded) if one.id not in over]
    return in_order([*standing, *told])


def _told_aside(tx: Tx, loaded: Loaded) -> tuple[Hazard, ...]:
    """What entries that count nowhere tell of hazards, also those that another log carries (S3);
    the word that one is over is left out.
    """
    owners = Owners(tx, loaded.logs)
    records = [record for one in loaded.aside for record in one.records]
    carried = owners.attribute(expand(records, owners))
    paths = merge(one for one in carried if not _says_over(one)).paths
    state = State({path: paths[path] for path in paths if path.startswith(PREFIX)}, ())
    return hazards(read_inspection(loaded.id, state), acknowledgements(loaded.current))


def _says_over(record: Record) -> bool:
    found = read_hazard(record) if isinstance(record, Entry) else None
    return found is not None and found.over


def _row(inspection: str, one: Hazard, received_at: int) -> HazardRow:
    lat, lon = ("", "") if one.fix is None else (one.fix.lat, one.fix.lon)
    told = (one.severity, one.text, lat, lon, one.written.at, received_at)
    seen: tuple[str, int, str] | tuple[()] = ()
    if one.acknowledged:
        first = one.acknowledged[0]
        seen = (first.written.by, first.written.at, first.reason)
    return HazardRow(inspection, one.id, one.written.device, *told, *seen)
