"""All the files of an inspection, or of one of its items, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.context import Context
from server.permissions import Principal
from server.services import browse_flags
from server.services.browse_evidence import A_PAGE, Shown, attached, by_item, show
from server.services.browse_flags import Brief, briefs
from server.services.browse_inspection import (
    checklist_of,
    on_file,
    visible_inspection,
    visited_at,
)
from server.services.inspections import Loaded
from server.store import browsing
from server.store.browsing import FacilityRow


@dataclass(frozen=True, slots=True)
class FlagLink:
    """A flag about a file, and on which page of the inspection's flags it stands."""

    flag: Brief
    page: int


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One page: `files` counts those of the list, `all_files` those of the inspection.

    `item` is empty where the list is not of one item; `question` is then empty too, as it is where
    the checklist does not know the item. `flags` are by digest.
    """

    row: FacilityRow
    loaded: Loaded
    at: int
    item: str
    question: str
    shown: tuple[Shown, ...]
    flags: Mapping[str, tuple[FlagLink, ...]]
    files: int
    all_files: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        """The place in the list at which this page begins, from 1."""
        return (self.page - 1) * A_PAGE + 1


def show_evidence(
    ctx: Context, who: Principal, inspection_id: str, item: str, number: int
) -> EvidenceView:
    """The page of the files with this number, or the nearest there is.

    Raises `not-found` outside the person's scope.
    """
    with ctx.db.read() as tx:
        row, loaded = visible_inspection(tx, who, inspection_id)
        _, boundary = on_file(tx, row, loaded)
        checklist = checklist_of(tx, loaded)
        everything = attached(loaded.current)
        listed = by_item(loaded.current, everything).get(item, []) if item else everything
        pages = max(1, -(-len(listed) // A_PAGE))
        number = min(max(1, number), pages)
        pieces = listed[(number - 1) * A_PAGE : number * A_PAGE]
        shown = show(tx, pieces, boundary)
        flags = briefs(browsing.flags_of_inspection(tx, inspection_id))
    sections = () if checklist is None else checklist.sections
    asked = (one for section in sections for one in section.items if one.id == item)
    return EvidenceView(
        row,
        loaded,
        visited_at(loaded),
        item,
        next((str(one.question) for one in asked), ""),
        tuple(shown[piece.evidence.sha256] for piece in pieces),
        _links(flags, shown),
        len(listed),
        len(everything),
        number,
        pages,
    )


def _links(flags: list[Brief], shown: Mapping[str, Shown]) -> dict[str, tuple[FlagLink, ...]]:
    found: dict[str, list[FlagLink]] = {}
    for n, flag in enumerate(flags):
        for sha256 in flag.evidence:
            if sha256 in shown:
                link = FlagLink(flag, n // browse_flags.A_PAGE + 1)
                found.setdefault(sha256, []).append(link)
    return {sha256: tuple(some) for sha256, some in found.items()}
