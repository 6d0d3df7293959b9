"""Entries of any number of logs -> the state of an inspection, path by path (rule L6).

The result depends on the set of records alone, never on the order in which they arrived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sync.last_words import overruled
from sync.lineage import own_before
from sync.log import Entry, Record, Unread

_WRAPPED = "adopted/"  # an adopted entry says nothing itself: the line that it carries does


Before = Mapping[str, set[str | int]]


@dataclass(frozen=True, slots=True)
class PathState:
    """What stands at one path: its heads, latest claimed time first, and what they replaced.

    One readable head is the value; several are a conflict, all kept; an unread head means that
    the value needs a newer version to be read, never the value before it. `overruled` are those of
    the replaced that are still somebody's last word in a disagreement (`sync.last_words`).
    """

    path: str
    heads: tuple[Record, ...]
    replaced: tuple[Record, ...]
    overruled: tuple[Record, ...] = ()

    @property
    def conflict(self) -> bool:
        """Whether several values stand side by side until an entry replaces them all."""
        return len(self.heads) > 1

    @property
    def entry(self) -> Entry | None:
        """The single readable head, or None when there is a conflict or the head is unread."""
        if len(self.heads) == 1 and isinstance(self.heads[0], Entry):
            return self.heads[0]
        return None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The readable heads, latest claimed time first."""
        return tuple(h for h in self.heads if isinstance(h, Entry))


@dataclass(frozen=True, slots=True)
class State:
    """A merged inspection: paths in order, and the unread lines that name no path."""

    paths: Mapping[str, PathState]
    unread: tuple[Unread, ...]

    def under(self, family: str) -> list[PathState]:
        """The states of all paths below `family`, in path order."""
        return [s for p, s in self.paths.items() if p == family or p.startswith(family + "/")]


def merge(records: Iterable[Record]) -> State:
    """Merge records of any logs of one inspection; records given twice count once (L6).

    A line that is held in its own log counts as that one, however often it was adopted too (S3).
    """
    given = list(records)
    before = own_before(given)
    unique: dict[tuple[str, str, int, str], Record] = {}
    for record in given:
        key = (record.device, record.inspection, record.seq, record.h)
        held = unique.get(key)
        if held is None or _rank(record) < _rank(held):
            unique[key] = record
    by_path: dict[str, list[Record]] = {}
    lost: list[Unread] = []
    for record in unique.values():
        if record.path is not None and not record.path.startswith(_WRAPPED):
            by_path.setdefault(record.path, []).append(record)
        elif isinstance(record, Unread):
            lost.append(record)
    paths = {path: _merge_path(path, by_path[path], before) for path in sorted(by_path)}
    return State(paths, tuple(sorted(lost, key=lambda r: (r.device, r.inspection, r.seq))))


def _rank(record: Record) -> tuple[bool, bool, str, int]:
    """Of copies of one line the best vouched for comes first, whichever arrived first."""
    came = record.adopted
    return (False, False, "", 0) if came is None else (True, not came.signed, came.by, came.seq)


def _merge_path(path: str, records: list[Record], before: Before) -> PathState:
    by_h = {r.h: r for r in records}
    edges = _edges(records, by_h, before)
    cyclic = _in_cycles(edges)
    if cyclic:
        for source, targets in edges.items():
            if source in cyclic:
                edges[source] = {t for t in targets if cyclic.get(t) != cyclic[source]}
    replaced = {target for targets in edges.values() for target in targets}
    words = overruled(by_h, edges)
    heads = sorted((r for r in by_h.values() if r.h not in replaced), key=_latest_first)
    older = sorted((r for r in by_h.values() if r.h in replaced), key=_latest_first)
    return PathState(path, tuple(heads), tuple(older), tuple(r for r in older if r.h in words))


def _edges(
    records: list[Record], by_h: Mapping[str, Record], before: Before
) -> dict[str, set[str]]:
    """Who replaces whom on this path; references to anything else are ignored."""
    edges: dict[str, set[str]] = {}
    own: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for record in sorted(records, key=lambda r: (r.device, r.inspection, r.seq)):
        log = own.setdefault((record.device, record.inspection), [])
        if record.replaces is not None:
            targets = {h for h in record.replaces if h in by_h and h != record.h}
        elif record.adopted is None:
            targets = {log[-1][1]} if log else set()
        else:
            targets = {_of_branch(one, log) for one in before.get(record.h, ())} & by_h.keys()
        edges[record.h] = targets
        if record.adopted is None:
            log.append((record.seq, record.h))
    return edges


def _of_branch(one: str | int, log: list[tuple[int, str]]) -> str:
    """What an adopted line follows on its path (`own_before`), as an h; empty where nothing."""
    if isinstance(one, str):
        return one
    at = bisect_right(log, one, key=lambda place: place[0])
    return log[at - 1][1] if at else ""


def _in_cycles(edges: Mapping[str, set[str]]) -> dict[str, int]:
    """Node -> number of its cycle (strongly connected component of two or more), iteratively.

    Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972).
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: dict[str, int] = {}
    for root in sorted(edges):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(sorted(edges[root])))]
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges.get(target, set())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component: list[str] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        for member in component:
                            found[member] = index[node]
    return found


def _latest_first(record: Record) -> tuple[int, str]:
    return (-record.at, record.h)
