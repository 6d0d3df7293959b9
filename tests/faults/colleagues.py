"""What counts at the office, worked out here anew; and just this counts on colleagues' devices.

Only rows are asked of the product: lines, when they came and with which offset, assignments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from server.services.inspections import load_inspection
from server.store import admissions, assignments, logs
from server.store.assignments import Assignment
from server.store.logs import LogRow
from server.store.transaction import Tx
from sync.log import DEVICE_LOG

from .book import value_of
from .device import Device
from .world import Story

HOUR, DAY = 3_600_000, 86_400_000


@dataclass(frozen=True)
class Visit:
    """An inspection at the office: the lines that count of each log, and who is to have them."""

    id: str
    counting: dict[str, dict[int, bytes]]  # device -> position -> line
    whose: dict[str, str]  # device -> person
    receivers: frozenset[str]


def counted(story: Story) -> Iterator[str]:
    """S9: every entry counts or is set aside, as its times and its person's days say."""
    with story.office.up().db.read() as tx:
        for visit, rows in _visits(tx):
            loaded = load_inspection(tx, visit.id)
            if loaded is None:
                yield f"out of sight: {visit.id}"
                continue
            aside = {(r.device, r.seq) for r in (*loaded.set_aside, *loaded.revoked)}
            for log in rows:
                for seq in range(1, log.seq + 1):
                    counts = seq in visit.counting[log.device]
                    if counts == ((log.device, seq) in aside):
                        where = f"{log.device} {visit.id} {seq}"
                        yield f"counted wrongly: {where} (it should count: {counts})"


def shared(story: Story) -> Iterator[str]:
    """S5, S9: what counts on a device of a colleague's log is what counts at the office."""
    with story.office.up().db.read() as tx:
        visits = [visit for visit, _ in _visits(tx)]
    for device in story.devices:
        if device.enrolled:
            for visit in visits:
                yield from _on(story, device, visit)


def _on(story: Story, device: Device, visit: Visit) -> Iterator[str]:
    receives = device.person in visit.receivers
    for of, lines in sorted(visit.counting.items()):
        own = of in device.ids or (visit.whose[of] == device.person and not receives)
        if own or (of, visit.id) in story.book.forks:
            continue
        wanted = {n: x for n, x in lines.items() if not _withheld(x)} if receives else {}
        sql = "select seq, line from counting where log = ? and device = ?"
        here = {int(n): bytes(x) for n, x in device.rows(sql, visit.id, of)}
        if here != wanted:
            lacks, more = sorted(wanted.keys() - here.keys()), sorted(here.keys() - wanted.keys())
            where = f"{visit.id} of {of} on {device.name}"
            yield f"counts elsewhere than at the office: {where} (lacks {lacks}, has {more})"


# -- the rule, anew --------------------------------------------------------------------------------


def _visits(tx: Tx) -> list[tuple[Visit, list[LogRow]]]:
    by_id: dict[str, list[LogRow]] = {}
    for log in logs.all_logs(tx):
        if log.inspection != DEVICE_LOG:
            by_id.setdefault(log.inspection, []).append(log)
    return [(_visit(tx, one, rows), rows) for one, rows in sorted(by_id.items())]


def _visit(tx: Tx, inspection: str, rows: Sequence[LogRow]) -> Visit:
    row = logs.find_inspection(tx, inspection)
    there = [] if row is None or not row.facility else assignments.at_facilities(tx, [row.facility])
    ruled = admissions.of_inspections(tx, [inspection])
    counting = {}
    for log in rows:
        ruling = ruled.get((log.device, inspection))
        admitted = ruling.seq if ruling is not None and ruling.ruling == "admitted" else 0
        mine = [one for one in there if one.person == log.person]
        counting[log.device] = _counting(tx, log, mine, admitted)
    began = [one for one in there if row is not None and one.person == row.creator]
    known = {one.person for one in there}
    # All assignments of the laboratory overlap, so that they share who are assigned at all.
    return Visit(
        inspection,
        counting,
        {log.device: log.person for log in rows},
        frozenset(known if began else ()),
    )


def _counting(tx: Tx, log: LogRow, mine: Sequence[Assignment], admitted: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    runs = iter(logs.segments_of(tx, log.id))
    run = next(runs)
    for seq, line in enumerate(logs.lines_of(tx, log.id), start=1):
        while run.last < seq:
            run = next(runs)
        said = value_of(line)
        times = [run.received_at, int(said.get("at", 0)) + (run.offset_ms or 0)]
        carried = _carried(said)
        if carried is not None:
            times.append(int(carried.get("at", 0)))
        expected = any(_first(one) <= at < _end(one) for one in mine for at in times)
        if log.kind != "device" or seq <= admitted or expected:
            found[seq] = line
    return found


def _first(one: Assignment) -> int:
    return _midnight(one.not_before) - 14 * HOUR - one.grace_days * DAY


def _end(one: Assignment) -> int:
    end = _midnight(one.not_after) + 36 * HOUR + one.grace_days * DAY
    return end if one.ended_at is None else min(end, one.ended_at)


def _midnight(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY


def _carried(said: dict[str, object]) -> dict[str, object] | None:
    """The line that an adopted entry carries whole (S3)."""
    value = said.get("value")
    if not str(said.get("path")).startswith("adopted/") or not isinstance(value, dict):
        return None
    text = value.get("line")
    return value_of(text.encode()) if isinstance(text, str) and "part" not in value else None


def _withheld(line: bytes) -> bool:
    """A track, by itself or carried; of what is carried in parts nobody can tell."""
    said = value_of(line)
    path = str(said.get("path"))
    if not path.startswith("adopted/"):
        return path.startswith("track/")
    carried = _carried(said)
    return carried is None or _withheld(json.dumps(carried).encode())
