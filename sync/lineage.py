"""Which entries an adopted line's author had written before it: its own branch, no other (L6, S3).

Of a device that forked, the server may hold one branch and carry another, with different entries
at the same positions. What an entry leaves unsaid it leaves unsaid of its own branch only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sync.log import Record

Log = tuple[str, str]  # device, inspection


@dataclass(slots=True)
class _Chain:
    """A run of adopted lines as far as it was followed; `base` is where its own log ends for it."""

    base: int
    last: dict[str, str] = field(default_factory=dict)


def own_before(records: Iterable[Record]) -> dict[str, set[str | int]]:
    """For each adopted line, by its h: what it follows on its own path.

    That is the h of the latest earlier line of its branch on that path; or, where the branch has
    none there, the position up to which the entries of its device's own log are of its branch.
    """
    adopted, places = [], dict[tuple[str, str, int], str]()
    for record in records:
        if record.adopted is None:
            places[record.device, record.inspection, record.seq] = record.h
        else:
            adopted.append((record, record.adopted))
    adopted.sort(key=lambda pair: (pair[0].seq, pair[0].h, pair[1].by, pair[1].seq))
    tips: dict[tuple[str, str, str, str], _Chain] = {}
    found: dict[str, set[str | int]] = {}
    for record, came in adopted:
        place = (came.by, record.device, record.inspection)
        chain = tips.pop((*place, came.previous), None)
        if chain is None:
            before = places.get((record.device, record.inspection, record.seq - 1))
            chain = _Chain(record.seq - 1 if before == came.previous else 0)
        if record.path is not None:
            found.setdefault(record.h, set()).add(chain.last.get(record.path, chain.base))
            chain.last[record.path] = record.h
        tips[(*place, record.h)] = chain
    return found


def branch_up_to(records: Sequence[Record], device: str, seq: int, h: str) -> dict[int, str] | None:
    """Position -> h of every line of a device's log, or of a branch of it, up to this one.

    Those that are not among the records are left out; None where this line itself is not, or where
    what is before it on its branch is not.
    """
    own: dict[int, str] = {}
    previous: dict[str, str] = {}
    for record in records:
        if record.device == device:
            if record.adopted is None:
                own[record.seq] = record.h
            else:
                previous[record.h] = record.adopted.previous
    found: dict[int, str] = {}
    while own.get(seq) != h:
        if h not in previous or seq < 1:
            return None
        found[seq] = h
        if seq == 1:
            return found
        seq, h = seq - 1, previous[h]
    return {place: one for place, one in own.items() if place <= seq} | found
