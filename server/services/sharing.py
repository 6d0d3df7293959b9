"""Who shares an inspection, and what of it their devices are told of (S5).

An inspection is shared by the people assigned to its facility whose assignment overlaps that of
the person who began it. What they receive are the lines that count (S9), with holes where an entry
is set aside; which those are is looked at again when a device reads, so that nobody receives what
is not theirs by then, and nothing counts on a device that does not count at the office.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from server.services.authority import Authority, Window, windows_of
from server.services.identifiers import day_of
from server.services.inspections import set_aside
from server.store import admissions, assignments, devices, logs
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
    """The people who receive an inspection, and when those are expected whose lines count."""

    receivers: frozenset[str] = frozenset()
    windows: Mapping[str, Sequence[Window]] = field(default_factory=dict)

    @property
    def authors(self) -> frozenset[str]:
        """Whoever is or was assigned there: what they write is told to the receivers."""
        return frozenset(self.windows)


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
        frozenset(one.person for one in assigned if one.ended_at is None and _overlap(one, base)),
        windows_of(assigned),
    )


def circles_at(tx: Tx, facility: str) -> dict[str, Circle]:
    """Who shares which inspection of a facility."""
    return circles(tx, logs.inspections_at(tx, facility))


def together(tx: Tx, assignment: Assignment) -> list[Assignment]:
    """Others' assignments to the same facility that overlap with this one and were not ended."""
    return [
        one
        for one in assignments.at_facilities(tx, [assignment.facility])
        if one.person != assignment.person and one.ended_at is None and _overlap(one, assignment)
    ]


def _overlap(one: Assignment, other: Assignment) -> bool:
    return one.not_before <= other.not_after and one.not_after >= other.not_before


# -- how far ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passing:
    """Whether a log goes to the receivers of its inspection, and at which positions it has holes
    for them because the entry is set aside there.
    """

    given: bool = False
    aside: frozenset[int] = frozenset()


def passing(
    tx: Tx, rows: Collection[LogRow], circles: Mapping[str, Circle]
) -> dict[LogKey, Passing]:
    """What of each log goes to the receivers of its inspection.

    Entries that are set aside, because they came after a device was revoked, be they its own or
    carried by another one (S8, S3), or because their writer was not expected then (S9), do not; a
    stranger's log does once staff admitted of it.
    """
    wanted = {row.inspection for row in rows} & set(circles)
    rulings = admissions.of_inspections(tx, wanted) if wanted else {}
    late = logs.late_from(tx, wanted) if wanted else {}
    carried = logs.late_adopted(tx, wanted) if wanted else {}
    came = logs.came_at(tx, [row.id for row in rows if row.inspection in wanted])
    found: dict[LogKey, Passing] = {}
    for row in rows:
        key = row.device, row.inspection
        circle, ruling = circles.get(row.inspection, NOBODY), rulings.get(key)
        known = row.person in circle.authors or row.kind == devices.ACCOUNT
        if not circle.receivers or not (known or (ruling is not None and ruling.covers(1))):
            found[key] = Passing()
            continue
        authority = Authority(circle.windows, rulings)
        after = {*range(late.get(key, row.seq + 1), row.seq + 1), *carried.get(key, ())}
        found[key] = Passing(True, set_aside(tx, authority, row, after, came.get(row.id, ())))
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


def news_of_colleagues(tx: Tx, assignment: Assignment, at: int) -> list[News]:
    """What those are told who are assigned together with somebody, once that changed: who is."""
    return [News(one.person, "assignment", one.id, at) for one in together(tx, assignment)]


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
    """What the others are told once staff ruled on a log: all of it, as it counts now."""
    circle = circles(tx, logs.find_inspections(tx, [inspection])).get(inspection, NOBODY)
    log = logs.find_logs(tx, [(device, inspection)]).get((device, inspection))
    return [] if log is None else _told(tx, [log], circle.receivers, circle, at)


def _whole(tx: Tx, inspection: str, was: Circle, now: Circle, at: int) -> list[News]:
    """Every log of an inspection to those who did not share it until now, and to those who did
    each log of which another part counts now.
    """
    rows = logs.logs_of(tx, inspection)
    before, after = (passing(tx, rows, {inspection: circle}) for circle in (was, now))
    given = [log for log in rows if after[log.device, log.inspection].given]
    key = {log.id: (log.device, log.inspection) for log in rows}
    changed = [log for log in rows if before[key[log.id]] != after[key[log.id]]]
    return [
        *_told(tx, given, now.receivers - was.receivers, now, at),
        *_told(tx, changed, now.receivers & was.receivers, now, at),
    ]


def _told(
    tx: Tx, rows: Sequence[LogRow], people: Collection[str], now: Circle, at: int
) -> list[News]:
    """These logs whole, to those of these people who have another device than the log's."""
    told = {log.id: _log(tx, log) for log in rows}
    used = devices.active_of(tx, now.receivers)
    return [
        News(person, *thing, at)
        for person in sorted(people)
        for log in rows
        if person != log.person or used.get(person, set()) - {log.device}
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


def runs(first: int, sizes: Sequence[int]) -> list[Reach]:
    """Lines of these sizes, from position `first` on, in runs that one change can carry."""
    if sum(sizes) + len(sizes) <= RUN_BYTES and 0 < len(sizes) <= MAX_SEGMENT_LINES:
        return [(first, first + len(sizes) - 1)]
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
