"""Flags as a list is shown: worst first, so many a page, all of them counted.

A folder of pictures from a wrong place raises as many flags as it has pictures; only the bodies
of those that are shown are kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.store import browsing
from server.store.flags import OPEN, FlagRow
from server.store.transaction import Tx

A_PAGE = 24
WORST_FIRST = ("critical", "major", "minor", "query")


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list needs of each flag; `evidence` are the digests it is about."""

    id: str
    facility: str
    inspection: str
    rule: str
    severity: str
    status: str
    title: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagPage:
    """One page of a list of flags. `severities` counts all of the list, worst first."""

    shown: tuple[tuple[FlagRow, Mapping[str, Any]], ...]
    total: int
    severities: tuple[tuple[str, int], ...]
    page: int
    pages: int


def briefs(rows: Iterable[FlagRow]) -> list[Brief]:
    """The flags, worst first. Protected ones are safeguarding's alone (rule 8)."""
    found = [one for one in map(_brief, rows) if one is not None]
    return sorted(found, key=lambda one: (_rank(one.severity), one.rule, one.id))


def flag_page(tx: Tx, listed: Sequence[Brief], number: int) -> FlagPage:
    """The page with this number, or the nearest there is; an empty list has one empty page."""
    pages = max(1, -(-len(listed) // A_PAGE))
    number = min(max(1, number), pages)
    wanted = [one.id for one in listed[(number - 1) * A_PAGE : number * A_PAGE]]
    rows = browsing.flags_with_ids(tx, wanted)
    shown = tuple((rows[i], json.loads(rows[i].body)) for i in wanted if i in rows)
    counts = Counter(one.severity for one in listed)
    severities = tuple((s, counts[s]) for s in sorted(counts, key=_rank))
    return FlagPage(shown, len(listed), severities, number, pages)


def open_counts(rows: Iterable[FlagRow]) -> dict[str, Counter[str]]:
    """Facility -> severity -> how many flags are open there."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        one = _brief(row) if row.status == OPEN else None
        if one is not None:
            counts.setdefault(one.facility, Counter())[one.severity] += 1
    return counts


def _brief(row: FlagRow) -> Brief | None:
    body = json.loads(row.body)
    if body.get("protected"):
        return None
    return Brief(
        row.id,
        row.facility,
        row.inspection,
        row.rule,
        row.severity,
        row.status,
        body["title"],
        tuple(body.get("evidence") or ()),
    )


def _rank(severity: str) -> int:
    return WORST_FIRST.index(severity) if severity in WORST_FIRST else len(WORST_FIRST)
