"""The files of an inspection as an officer sees them: in their order, so many at a time.

What was read from the bytes is looked up for the files that are shown, not for all there are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.services.browse_facility import DeclaredShape
from server.store import browsing
from server.store.browsing import FileRow
from server.store.transaction import Tx
from sync.inspection import Evidence, Fix, Inspection
from sync.polygon import outside_m
from sync.track_match import SOURCE as PLACED

AT_ONCE = 96  # so many files are shown whole on the page of their inspection
A_PAGE = 48
FEW = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """An attached file; `number` is its place in the order of all, on the map and in the texts."""

    evidence: Evidence
    number: int

    @property
    def page(self) -> int:
        """On which page of all files it stands."""
        return (self.number - 1) // A_PAGE + 1


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file belongs on the map; `fix_from` tells who says so."""

    kind: str
    number: int
    fix: Fix
    fix_from: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of evidence as it is shown.

    `facts` is what its bytes say, `held_at` when the server had them whole; `fix` is the position
    that stands for it, `fix_from` tells who gives it (client, track or the picture itself), and
    `outside_m` how far it lies outside the declared boundary (0 within, None where unknown).
    """

    evidence: Evidence
    number: int
    page: int
    held_at: int | None
    facts: Mapping[str, Any] | None
    fault: str
    has_preview: bool
    fix: Fix | None
    fix_from: str
    outside_m: float | None
    early: str = ""  # the digest of a preview that is here while the photograph is not


def attached(current: Inspection) -> tuple[Piece, ...]:
    """Every attached file once, in the order in which they were taken, as their entries say.

    Where no entry says it, the time counts at which the file was attached. Two devices may have
    attached the same bytes: the first one to do so stands.
    """
    by_digest: dict[str, Evidence] = {}
    for slot in current.evidence.values():
        for head in slot.heads:
            before = by_digest.get(head.sha256)
            if before is None or head.written.at < before.written.at:
                by_digest[head.sha256] = head
    return tuple(Piece(e, n) for n, e in enumerate(sorted(by_digest.values(), key=_order), 1))


def _order(evidence: Evidence) -> tuple[int, int, str]:
    at = evidence.written.at
    taken = at if evidence.taken_at is None else evidence.taken_at
    return taken, at, evidence.sha256


def by_item(current: Inspection, pieces: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Item -> the files that support its answers, each once, in their order.

    A file supports an item that its entry names, at any instance, and one whose answer names it.
    """
    there = {piece.evidence.sha256: piece for piece in pieces}
    found: dict[str, dict[int, Piece]] = {}
    for slot in current.evidence.values():
        for head in slot.heads:
            piece = there.get(head.sha256)
            for path in head.items if piece is not None else ():
                if piece is not None and path.count("/") == 1:
                    found.setdefault(path.split("/")[0], {})[piece.number] = piece
    for (item, _), answers in current.answers.items():
        for sha256 in {sha for answer in answers.heads for sha in answer.evidence}:
            if sha256 in there:
                piece = there[sha256]
                found.setdefault(item, {})[piece.number] = piece
    return {item: [some[n] for n in sorted(some)] for item, some in found.items()}


def show(tx: Tx, pieces: Iterable[Piece], boundary: DeclaredShape | None) -> dict[str, Shown]:
    """These files with what is known of them, by digest."""
    wanted = {piece.evidence.sha256: piece for piece in pieces}
    previews = {piece.evidence.preview for piece in wanted.values()} - {""}
    files = {row.sha256: row for row in browsing.files_known(tx, wanted.keys() | previews)}
    seen = {sha for sha in previews if sha in files and files[sha].facts}
    return {sha: _shown(piece, files.get(sha), boundary, seen) for sha, piece in wanted.items()}


def spots(tx: Tx, pieces: Sequence[Piece]) -> tuple[int, tuple[Spot, ...]]:
    """How many of these files are held here, and where each that has a position belongs.

    What their bytes say is read one after the other, and nothing but a position kept of it.
    """
    wanted = {piece.evidence.sha256: piece for piece in pieces}
    own: dict[str, Fix] = {}
    held = 0
    for row in browsing.files_known(tx, wanted):
        held += 1
        evidence = wanted[row.sha256].evidence
        if row.facts and (evidence.fix is None or evidence.source == "imported"):
            fix = _own_position(json.loads(row.facts))
            if fix is not None:
                own[row.sha256] = fix
    found = ((piece, *_place(piece.evidence, own.get(piece.evidence.sha256))) for piece in pieces)
    return held, tuple(
        Spot(piece.evidence.kind, piece.number, fix, source)
        for piece, fix, source in found
        if fix is not None
    )


def _own_position(facts: Mapping[str, Any]) -> Fix | None:
    if facts.get("gps_block") != "position":
        return None
    return Fix(facts["lat"], facts["lon"], facts.get("accuracy_m"), None, "exif")


def _place(evidence: Evidence, own: Fix | None) -> tuple[Fix | None, str]:
    """Which position stands for a file: its own where it was imported, else its entry's."""
    fix = evidence.fix
    if own is not None and (evidence.source == "imported" or fix is None):
        return own, "picture"
    return fix, "track" if fix is not None and fix.source == PLACED else "client"


def _shown(
    piece: Piece, file: FileRow | None, boundary: DeclaredShape | None, previews: Collection[str]
) -> Shown:
    facts = json.loads(file.facts) if file is not None and file.facts else None
    fix, source = _place(piece.evidence, None if facts is None else _own_position(facts))
    where = None if boundary is None else boundary.area
    return Shown(
        piece.evidence,
        piece.number,
        piece.page,
        None if file is None else file.held_at,
        facts,
        (file.problem or "") if file is not None else "",
        facts is not None,  # its preview was kept before the facts were
        fix,
        source,
        None if fix is None or where is None else outside_m(where, float(fix.lat), float(fix.lon)),
        piece.evidence.preview if file is None and piece.evidence.preview in previews else "",
    )
