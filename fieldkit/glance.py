"""An inspection to be looked at: the same as the whole merge of it, but read only where one looks.

What stands where is kept beside the lines (fieldkit.merged); here a place is read when it is asked
for. Where nothing is kept, or it cannot be brought up to date, everything is read and merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, overload

from fieldkit.authors import Author, attributed_records, authors
from fieldkit.given import Given, given_by, given_of
from fieldkit.merged import AT_PATH, catch_up, rules
from fieldkit.store import Store
from sync.conflicts import Conflict, conflict_at, conflicts_of
from sync.entry import attributed
from sync.hazard import PREFIX, Hazard, hazards
from sync.inspection import Inspection, Slot
from sync.inspection_reader import read_inspection, read_slot
from sync.log import Record, Unread, read_line
from sync.merge import PathState, merge
from sync.problems import Problem

T = TypeVar("T")
K = TypeVar("K")

# In the order in which an inspection lists what it cannot read; `about` and `outcome` come last.
_FAMILIES = (
    "answers",
    "observed",
    "evidence",
    "sign-off",
    "track",
    "sealed",
    "acknowledged",
    "rulings",
    "about",
    "outcome",
)


@dataclass(frozen=True, slots=True)
class Glance:
    """An inspection, what its answers say of each item, its conflicts in path order, and its urgent
    hazards, the open ones first.
    """

    inspection: Inspection
    given: Mapping[str, Given]
    conflicts: tuple[Conflict, ...]
    hazards: tuple[Hazard, ...]


def glance(store: Store, inspection: str) -> Glance:
    """Look at an inspection as everything on this device makes it.

    Nothing has to be writable for it. It is equal to what `load_inspection` gives.
    """
    if not _brought_up_to_date(store, inspection):
        state = merge(attributed_records(store, inspection))
        read = read_inspection(inspection, state)
        return Glance(read, given_of(read), conflicts_of(state), hazards(read))
    reader = _Reader(store, inspection)
    read = reader.inspection()
    told = hazards(read, ids=reader.hazards())
    return Glance(read, reader.given(), reader.conflicts(), told)


def _brought_up_to_date(store: Store, log: str) -> bool:
    kept = store.database.rows(
        "select carried from merged where (log, rules) = (?, ?)", (log, rules())
    )
    waiting = store.database.rows("select 1 from unmerged where log = ? limit 1", (log,))
    if kept and (kept[0][0] or not waiting):
        return not kept[0][0]
    try:
        with store.database.write("what stands where") as tx:
            return catch_up(tx, log)
    except Problem:
        return False  # a disk that is full or read-only, or somebody else who writes for long


class _Reader:
    """Reads places of one inspection of which everything is kept."""

    def __init__(self, store: Store, log: str) -> None:
        self.store = store
        self.log = log

    def inspection(self) -> Inspection:
        return Inspection(
            self.log,
            self.slot("about"),
            self.slot("outcome"),
            self._slots("answers", _pair),
            self._slots("observed", _pair),
            self._slots("evidence", _pair),
            self._slots("sign-off", _first),
            self._slots("track", _rest),
            self._unread(),
            self._torn(),
            self._slots("sealed", _first),
            self._slots("acknowledged", _pair),
            self._slots("rulings", _triple),
        )

    def given(self) -> Mapping[str, Given]:
        return given_by(
            self.store.database.rows(
                "select item, what, word, n from tallies where log = ?", (self.log,)
            )
        )

    def conflicts(self) -> tuple[Conflict, ...]:
        found = (conflict_at(PathState(path, self.heads(path), ())) for path in self._torn())
        return tuple(one for one in found if one is not None)

    def hazards(self) -> tuple[str, ...]:
        """The ids of its hazards."""
        rows = self.store.database.rows(
            "select path from standing where log = ? and path >= ? and path < ?",
            (self.log, PREFIX, f"{PREFIX[:-1]}0"),  # 0 follows / in the order of bytes
        )
        return tuple(path.removeprefix(PREFIX) for (path,) in rows)

    def _torn(self) -> tuple[str, ...]:
        """The paths at which several values stand side by side."""
        rows = self.store.database.rows(
            "select path from standing indexed by standing_odd where log = ? and odd = 1 "
            "and sides > 1 order by path",
            (self.log,),
        )
        return tuple(path for (path,) in rows)

    def slot(self, path: str) -> Slot[Any]:
        """What stands at a path; what was replaced there is read when somebody asks for it."""
        slot = read_slot(PathState(path, self.heads(path), ()))
        return Slot(slot.heads, _Earlier(lambda: self._replaced(path)), slot.unread)

    def heads(self, path: str) -> tuple[Record, ...]:
        return self._records(
            "select l.device, l.seq, l.line, l.h from standing s cross join json_each(s.heads) j "
            "cross join lines l on l.log = s.log and l.device = json_extract(j.value, '$[0]') "
            "and l.seq = json_extract(j.value, '$[1]') where s.log = ? and s.path = ? "
            "order by j.key",
            (self.log, path),
        )

    def _replaced(self, path: str) -> Sequence[Any]:
        state = merge(
            self._records(AT_PATH, (self.log, path)),
        ).paths.get(path)
        return () if state is None else read_slot(state).earlier

    def _slots(self, family: str, key: Callable[[str], K]) -> Mapping[K, Slot[Any]]:
        return _Slots(self, family, key)

    def _unread(self) -> tuple[Unread, ...]:
        """In the order of `read_inspection`."""
        lost = self._records(
            "select l.device, l.seq, l.line, l.h from pathless p cross join lines l "
            "on l.log = p.log and l.device = p.device and l.seq = p.seq where p.log = ? "
            "order by p.device, p.seq",
            (self.log,),
        )
        found = [one for one in lost if isinstance(one, Unread)]
        rows = self.store.database.rows(
            "select path from standing indexed by standing_odd where log = ? and odd = 1 "
            "and unread > 0 order by path",
            (self.log,),
        )
        odd = [path for (path,) in rows]
        for path in sorted(odd, key=lambda path: _FAMILIES.index(path.split("/")[0])):
            found.extend(self.slot(path).unread)
        return tuple(found)

    def _records(self, sql: str, given: Sequence[Any]) -> tuple[Record, ...]:
        return tuple(
            self._attributed(read_line(line, device, self.log, seq, h.hex()))
            for device, seq, line, h in self.store.database.rows(sql, given)
        )

    def _attributed(self, record: Record) -> Record:
        author = self._authors.get(record.device)
        if author is None:
            return record
        return attributed(record, author.person, signed=not author.account)

    @cached_property
    def _authors(self) -> Mapping[str, Author]:
        """Nobody where one device alone recorded: its lines are its person's (S9)."""
        alone = len(self.store.heads(self.log)) < 2
        return {} if alone or self.store.note("token") is None else authors(self.store)


class _Slots(Mapping[K, Slot[Any]]):
    """What stands at the paths of a family, each read when it is asked for."""

    def __init__(self, reader: _Reader, family: str, key: Callable[[str], K]) -> None:
        self._reader = reader
        self._family = family
        self._key = key

    def __getitem__(self, key: K) -> Slot[Any]:
        if key not in self:
            raise KeyError(key)
        return self._reader.slot(self._path(key))

    def __contains__(self, key: object) -> bool:
        found = self._reader.store.database.rows(
            "select 1 from standing where log = ? and path = ?",
            (self._reader.log, self._path(key)),
        )
        return bool(found)

    def __iter__(self) -> Iterator[K]:
        rows = self._reader.store.database.rows(
            "select path from standing where log = ? and path >= ? and path < ? order by path",
            (self._reader.log, f"{self._family}/", f"{self._family}0"),
        )
        return (self._key(path) for (path,) in rows)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, key: object) -> str:
        parts = key if isinstance(key, tuple) else (key,)
        return "/".join((self._family, *map(str, parts)))


class _Earlier(Sequence[T]):
    """The values that were replaced at a path, read when somebody looks at them."""

    def __init__(self, read: Callable[[], Sequence[T]]) -> None:
        self._read = read

    @cached_property
    def _values(self) -> Sequence[T]:
        return self._read()

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self._values[at]

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def _pair(path: str) -> tuple[str, str]:
    _, first, second = path.split("/")
    return first, second


def _triple(path: str) -> tuple[str, str, str]:
    _, first, second, third = path.split("/")
    return first, second, third


def _first(path: str) -> str:
    return path.split("/")[1]


def _rest(path: str) -> str:
    return path.partition("/")[2]
