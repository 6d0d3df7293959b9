"""Whose entries count: assignment windows held against entries (S9).

An entry counts where its device's person is assigned to the facility and either its claimed time,
put right by the clock offset that was measured when it came, or the time at which it came falls
between the first and the last day of the assignment, widened by its grace days. Either is enough:
a clock that stood wrong loses no work, and neither do weeks without a network. What does not count
is set aside, visible, until staff rule on it. Logs that the server keeps for an account are its
own writing: it asked for the permission before each entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from server.store import admissions, assignments, devices
from server.store.admissions import Admission
from server.store.assignments import Assignment
from server.store.logs import LogRow, SegmentRow, segments_of
from server.store.transaction import Tx
from sync.log import Record

_DAY_MS = 86_400_000
# A date begins fourteen hours before midnight UTC somewhere on Earth, and ends twelve after it.
_FIRST_ZONE_MS = 14 * 3_600_000
_LAST_ZONE_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when a person is expected, grace days included; UTC milliseconds."""

    first: int
    last: int

    def holds(self, at: int) -> bool:
        return self.first <= at < self.last


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may speak at one facility and when, and what staff ruled about logs there."""

    windows: Mapping[str, Sequence[Window]]
    rulings: Mapping[tuple[str, str], Admission]

    def within(self, person: str, *times: int) -> bool:
        """Whether the person was expected at any of these times."""
        return any(w.holds(at) for w in self.windows.get(person, ()) for at in times)


@dataclass(frozen=True, slots=True)
class Parted:
    """The records of a log: those that count, and those that are set aside."""

    counted: tuple[Record, ...]
    aside: tuple[Record, ...]


def authority_at(tx: Tx, facility: str | None, inspections: Iterable[str]) -> Authority:
    """The authority at a facility, with the rulings on logs of these inspections."""
    found = [] if facility is None else assignments.at_facilities(tx, [facility])
    return Authority(windows_of(found), admissions.of_inspections(tx, set(inspections)))


def windows_of(found: Iterable[Assignment]) -> dict[str, list[Window]]:
    """Person -> when they are expected, by these assignments."""
    windows: dict[str, list[Window]] = {}
    for one in found:
        windows.setdefault(one.person, []).append(window_of(one))
    return windows


def window_of(one: Assignment) -> Window:
    """An assignment's days, wherever on Earth they are counted, and its grace days around them."""
    grace = one.grace_days * _DAY_MS
    first, last = _midnight(one.not_before), _midnight(one.not_after)
    end = last + _DAY_MS + _LAST_ZONE_MS + grace
    # What was recorded before staff ended it counts on, however late it comes.
    return Window(first - _FIRST_ZONE_MS - grace, min(end, one.ended_at or end))


def part(
    tx: Tx,
    authority: Authority,
    log: LogRow,
    records: Sequence[Record],
    claims: Mapping[str, int] = {},
    late: Collection[int] = (),
) -> Parted:
    """Part the records of a log, all of them in order, into what counts and what is set aside.

    `claims` is, by path, when the line that an adopted entry carries says it was written (S3):
    that counts for it too. `late` are the positions of what came after the device was revoked.
    """
    if log.kind == devices.ACCOUNT:
        return Parted(tuple(records), ())
    ruling = authority.rulings.get((log.device, log.inspection))
    counted: list[Record] = []
    aside: list[Record] = []
    runs = iter(segments_of(tx, log.id))
    run: SegmentRow | None = next(runs, None)
    for record in records:
        while run is not None and run.last < record.seq:
            run = next(runs, None)
        times = [record.at]
        if run is not None:
            times = [run.received_at, record.at + (run.offset_ms or 0)]
        if record.path is not None and record.path in claims:
            times.append(claims[record.path])
        admitted = ruling is not None and ruling.covers(record.seq)
        expected = record.seq not in late and authority.within(log.person, *times)
        (counted if admitted or expected else aside).append(record)
    return Parted(tuple(counted), tuple(aside))


def times_of(at: int, received_at: int, offset_ms: int | None) -> tuple[int, int]:
    """When an entry came, and when it claims to be from with its clock put right."""
    return received_at, at + (offset_ms or 0)


# -- what an inspection is ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an `about` says an inspection is, by whom, and the times that speak for the entry.

    `late` is one that came after its device was revoked: it settles nothing (S8).
    """

    facility: str
    mode: str
    person: str
    times: tuple[int, ...]
    late: bool = False


# Facility, mode, who says so, and whether they may.
Said = tuple[str | None, str | None, str | None, bool]


def first_said(tx: Tx, abouts: Mapping[int, Sequence[Spoken]]) -> dict[int, Said]:
    """Of each of these sequences the first that comes from somebody assigned there, else the first.

    A stranger who guesses an inspection's id so fixes nothing about it (S9).
    """
    spoken = [one for some in abouts.values() for one in some]
    places = {one.facility for one in spoken}
    found = assignments.at_facilities(tx, places) if places else []
    windows = {place: windows_of(one for one in found if one.facility == place) for place in places}

    def may(one: Spoken) -> bool:
        within = Authority(windows[one.facility], {}).within(one.person, *one.times)
        return within and not one.late

    said: dict[int, Said] = {}
    for n, some in abouts.items():
        one = next((s for s in some if may(s)), some[0] if some else None)
        if one is None:
            said[n] = (None, None, None, False)
        else:
            said[n] = (one.facility, one.mode, one.person, may(one))
    return said


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
