"""Entries of any number of logs -> the state of an inspection, path by path (rule L6).

The result depends on the set of records alone, never on the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sync.log import Entry, Record, Unread


@dataclass(frozen=True, slots=True)
class PathState:
    """What stands at one path: its heads, latest claimed time first, and what they replaced.

    One readable head is the value; several are a conflict, all kept; an unread head means that
    the value needs a newer version to be read, never the value before it.
    """

    path: str
    heads: tuple[Record, ...]
    replaced: tuple[Record, ...]

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
    """Merge records of any logs of one inspection; records given twice count once (L6)."""
    unique = {(r.device, r.inspection, r.seq, r.h): r for r in records}
    by_path: dict[str, list[Record]] = {}
    lost: list[Unread] = []
    for record in unique.values():
        if record.path is not None:
            by_path.setdefault(record.path, []).append(record)
        elif isinstance(record, Unread):
            lost.append(record)
    paths = {path: _merge_path(path, by_path[path]) for path in sorted(by_path)}
    return State(paths, tuple(sorted(lost, key=lambda r: (r.device, r.inspection, r.seq))))


def _merge_path(path: str, records: list[Record]) -> PathState:
    by_h = {r.h: r for r in records}
    edges = _edges(records, by_h)
    cyclic = _in_cycles(edges)
    replaced: set[str] = set()
    for source, targets in edges.items():
        for target in targets:
            if source in cyclic and cyclic.get(target) == cyclic[source]:
                continue
            replaced.add(target)
    heads = sorted((r for r in by_h.values() if r.h not in replaced), key=_latest_first)
    older = sorted((r for r in by_h.values() if r.h in replaced), key=_latest_first)
    return PathState(path, tuple(heads), tuple(older))


def _edges(records: list[Record], by_h: Mapping[str, Record]) -> dict[str, set[str]]:
    """Who replaces whom on this path; references to anything else are ignored."""
    edges: dict[str, set[str]] = {}
    own_latest: dict[tuple[str, str], Record] = {}
    for record in sorted(records, key=lambda r: (r.device, r.inspection, r.seq)):
        log = (record.device, record.inspection)
        if record.replaces is not None:
            targets = {h for h in record.replaces if h in by_h and h != record.h}
        else:
            before = own_latest.get(log)
            targets = {before.h} if before is not None else set()
        edges[record.h] = targets
        own_latest[log] = record
    return edges


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
