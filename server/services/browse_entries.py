"""Every entry of an inspection, log by log: who wrote what, and between when (L9)."""

from __future__ import annotations

from dataclasses import dataclass

from server.context import Context
from server.permissions import Principal
from server.services.browse_inspection import visible_inspection, visited_at
from server.services.inspections import Loaded
from server.services.written import WrittenEntry, entries_of
from server.store.browsing import FacilityRow
from server.store.logs import LogRow

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class EntriesView:
    """One page of one log's entries; `first` is the place in the log at which it begins."""

    row: FacilityRow
    loaded: Loaded
    at: int
    log: LogRow
    shown: tuple[WrittenEntry, ...]
    first: int
    entries: int
    page: int
    pages: int


def show_entries(
    ctx: Context, who: Principal, inspection_id: str, device: str, number: int
) -> EntriesView:
    """The page of a log with this number, or the nearest there is; of the first log by default.

    Raises `not-found` outside the person's scope.
    """
    with ctx.db.read() as tx:
        row, loaded = visible_inspection(tx, who, inspection_id)
        log = next((one for one in loaded.logs if one.device == device), loaded.logs[0])
        entries = entries_of(ctx, tx, log)
    pages = max(1, -(-len(entries) // A_PAGE))
    number = min(max(1, number), pages)
    first = (number - 1) * A_PAGE
    return EntriesView(
        row,
        loaded,
        visited_at(loaded),
        log,
        tuple(entries[first : first + A_PAGE]),
        first + 1,
        len(entries),
        number,
        pages,
    )
