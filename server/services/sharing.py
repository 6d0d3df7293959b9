"""Who shares an inspection, and what of it their devices are told of (S5).

An inspection is shared by the people assigned to its facility whose assignment overlaps that of
the person who began it. What they receive are the lines of everybody whose entries count (S9);
which lines those are is looked at again when a device reads, so that nobody receives what is not
theirs by then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.services.identifiers import day_of
from server.store import admissions, assignments, devices, logs
from server.store.admissions import ADMITTED
from server.store.assignments import Assignment
from server.store.changes import News
from server.store.logs import InspectionRow, LogKey, LogRow
from server.store.transaction import Tx
from sync.log import MAX_SEGMENT_LINES

RUN_BYTES = 256 * 1024  # what one change carries, so that a page of them stays small
CERTIFICATE, LINES, INSPECTION = "certificate", "lines", "inspection"

Reach = tuple[int, int]  # the first and the last position of a run


@dataclass(frozen=True, slots=True)
class Circle:
    """The people who receive an inspection, and those whose lines of it count."""

    receivers: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()

    def counts(self, log: LogRow) -> bool:
        """Whether this log's lines travel to the receivers by themselves; officers' do (S9)."""
        return log.person in self.authors or log.kind == devices.ACCOUNT


NOBODY = Circle()


@dataclass(frozen=True, slots=True)
class Appended:
    """Lines that were just appended to a log, `begun` with them; `at` is UTC milliseconds.

    `account` is a log that the server keeps for an officer: what is decided there counts (S9).
    `late` is what came after its device was revoked: it waits for staff (S8).
    """

    inspection: str
    device: str
    person: str
    reach: Reach
    sizes: Sequence[int]
    begun: bool
    at: int
    account: bool = False
    late: bool = False


# -- who ------------------------------------------------------------------------------------------


def circles(tx: Tx, rows: Collection[InspectionRow]) -> dict[str, Circle]:
    """Inspection -> who shares it, for those that anybody shares."""
    facilities = {row.facility for row in rows if row.facility is not None}
    by_facility: dict[str, list[Assignment]] = {}
    if facilities:
        for one in assignments.at_facilities(tx, facilities):
            by_facility.setdefault(one.facility, []).append(one)
    found = {row.id: circle_of(row, by_facility.get(row.facility or "", [])) for row in rows}
    return {inspection: circle for inspection, circle in found.items() if circle.receivers}


def circle_of(row: InspectionRow, assigned: Sequence[Assignment]) -> Circle:
    """Who shares this inspection, given all assignments to its facility by their first day."""
    own = [one for one in assigned if one.person == row.creator]
    if not own:
        return NOBODY
    # The assignment under which it was begun: the latest that had begun when it was first seen.
    day = day_of(row.first_seen_at)
    base = next((one for one in reversed(own) if one.not_before <= day), own[0])
    return Circle(
        frozenset(
            one.person
            for one in assigned
            if one.ended_at is None
            and one.not_before <= base.not_after
            and one.not_after >= base.not_before
        ),
        frozenset(one.person for one in assigned),
    )


def circles_at(tx: Tx, facility: str) -> dict[str, Circle]:
    """Who shares which inspection of a facility."""
    return circles(tx, logs.inspections_at(tx, facility))


# -- how far ---------------------------------------------------------------------------------------


def travels(tx: Tx, rows: Collection[LogRow], circles: Mapping[str, Circle]) -> dict[LogKey, int]:
    """Up to which position each log's lines go to the receivers of its inspection; 0 where none do.

    What came after a device was revoked (S8), and what a stranger wrote (S9), goes as far as staff
    admitted it.
    """
    wanted = {row.inspection for row in rows} & set(circles)
    rulings = admissions.of_inspections(tx, wanted) if wanted else {}
    late = logs.late_from(tx, wanted) if wanted else {}
    found: dict[LogKey, int] = {}
    for row in rows:
        key = row.device, row.inspection
        ruling = rulings.get(key)
        admitted = ruling.seq if ruling is not None and ruling.ruling == ADMITTED else 0
        own = late.get(key, row.seq + 1) - 1
        counts = circles.get(row.inspection, NOBODY).counts(row)
        found[key] = min(max(own if counts else 0, admitted), row.seq)
    return found


# -- what is told ---------------------------------------------------------------------------------


def news_of_lines(
    tx: Tx, appended: Sequence[Appended], rows: Mapping[str, InspectionRow], placed: set[str]
) -> list[News]:
    """What the others are told of lines that were just appended, in the order given.

    `rows` are their inspections as they stand now; of those in `placed` lines were held before
    anyone knew where they are, so that they are told whole.
    """
    shared = circles(tx, rows.values())
    wanted = [one for one in appended if one.inspection in shared]
    if not wanted:
        return []
    people = set().union(*(shared[one.inspection].receivers for one in wanted))
    used = devices.active_of(tx, people & {one.person for one in wanted})
    news: list[News] = []
    whole: set[str] = set()
    for one in wanted:
        circle = shared[one.inspection]
        if one.inspection in placed:
            if one.inspection not in whole:
                whole.add(one.inspection)
                news += _whole(tx, one.inspection, NOBODY, circle, one.at)
            continue
        if one.late or (one.person not in circle.authors and not one.account):
            continue
        things = _certificate(one.device, one.inspection) if one.begun else []
        things += [
            _lines(one.device, one.inspection, reach) for reach in runs(one.reach[0], one.sizes)
        ]
        for person in sorted(circle.receivers):
            if person != one.person or used.get(person, set()) - {one.device}:
                news += [News(person, *thing, one.at) for thing in things]
    return news


def news_of_access(
    tx: Tx, before: Mapping[str, Circle], after: Mapping[str, Circle], at: int
) -> list[News]:
    """What people are told when assignments changed: whole inspections gained, and those lost."""
    news: list[News] = []
    for inspection in sorted({*before, *after}):
        was, now = before.get(inspection, NOBODY), after.get(inspection, NOBODY)
        if was != now:
            news += _whole(tx, inspection, was, now, at)
        news += [
            News(person, INSPECTION, inspection, at)
            for person in sorted(was.receivers - now.receivers)
        ]
    return news


def news_of_own(tx: Tx, person: str, at: int) -> list[News]:
    """What a person's own devices wrote, for another one of theirs that was just enrolled."""
    news: list[News] = []
    shared = circles(tx, logs.inspections_of_person(tx, person))
    for inspection, circle in shared.items():
        if person in circle.receivers:
            for log in logs.logs_of(tx, inspection):
                if log.person == person:
                    news += [News(person, *thing, at) for thing in _log(tx, log)]
    return news


def news_of_ruling(tx: Tx, device: str, inspection: str, at: int) -> list[News]:
    """What the others are told once staff admitted lines of a log: all of it that travels now."""
    circle = circles(tx, logs.find_inspections(tx, [inspection])).get(inspection, NOBODY)
    log = logs.find_logs(tx, [(device, inspection)]).get((device, inspection))
    return [] if log is None else _told(tx, [log], NOBODY, circle, at)


def _whole(tx: Tx, inspection: str, was: Circle, now: Circle, at: int) -> list[News]:
    """Every log of an inspection, to those who did not share it, or its author, until now."""
    return _told(tx, logs.logs_of(tx, inspection), was, now, at)


def _told(tx: Tx, rows: Sequence[LogRow], was: Circle, now: Circle, at: int) -> list[News]:
    reach = travels(tx, rows, {row.inspection: now for row in rows})
    found = [log for log in rows if reach[log.device, log.inspection]]
    told = {log.id: _log(tx, log) for log in found}
    used = devices.active_of(tx, now.receivers)
    return [
        News(person, *thing, at)
        for person in sorted(now.receivers)
        for log in found
        if (person != log.person or used.get(person, set()) - {log.device})
        and not (person in was.receivers and (was.counts(log) or not now.counts(log)))
        for thing in told[log.id]
    ]


# -- runs and their names -------------------------------------------------------------------------


def _log(tx: Tx, log: LogRow) -> list[tuple[str, str]]:
    things = _certificate(log.device, log.inspection)
    reaches = joined(logs.line_sizes(tx, log.id))
    return things + [_lines(log.device, log.inspection, reach) for reach in reaches]


def joined(signed: Iterable[Sequence[int]]) -> list[Reach]:
    """A whole log's runs, which end where the device signed wherever that can be.

    `signed` are the sizes of the lines of each run that it signed.
    """
    found: list[Reach] = []
    begins, last, held = 1, 0, 0
    for sizes in signed:
        size = sum(sizes) + len(sizes)
        full = held + size > RUN_BYTES or last - begins + 1 + len(sizes) > MAX_SEGMENT_LINES
        if full and last >= begins:
            found.append((begins, last))
            begins, held = last + 1, 0
        last, held = last + len(sizes), held + size
        if held > RUN_BYTES:
            found += runs(begins, sizes)
            begins, held = last + 1, 0
    return [*found, (begins, last)] if last >= begins else found


def runs(first: int, sizes: Iterable[int]) -> list[Reach]:
    """Lines of these sizes, from position `first` on, in runs that one change can carry."""
    found: list[Reach] = []
    begins, room, last = first, RUN_BYTES, first - 1
    for seq, size in enumerate(sizes, start=first):
        if seq > begins and (size > room or seq - begins == MAX_SEGMENT_LINES):
            found.append((begins, seq - 1))
            begins, room = seq, RUN_BYTES
        room -= size + 1
        last = seq
    return [*found, (begins, last)] if last >= begins else found


def _certificate(device: str, inspection: str) -> list[tuple[str, str]]:
    """A colleague's certificate is told of for an inspection, by which it is seen whose it is."""
    return [(CERTIFICATE, f"{device}/{inspection}")]


def _lines(device: str, inspection: str, reach: Reach) -> tuple[str, str]:
    return LINES, f"{device}/{inspection}/{reach[0]}-{reach[1]}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a change speaks of: a log, and of `lines` which run."""

    device: str
    inspection: str
    first: int = 0
    last: int = 0


def read_ref(kind: str, ref: str) -> Told | None:
    """What a change is about; None for one that is not about a log."""
    parts = ref.split("/")
    if kind == LINES and len(parts) == 3:
        first, _, last = parts[2].partition("-")
        return Told(parts[0], parts[1], int(first), int(last))
    return Told(parts[0], parts[1]) if kind == CERTIFICATE and len(parts) == 2 else None
