"""What is held, set aside or unread within a person's regions, and what to do about it.

Rules cited: L4, S3, S8, S9 of docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.branches import Branch, whole
from server.store import (
    aside,
    assignments,
    branches,
    browsing,
    devices,
    facilities,
    people,
    refusals,
)
from server.store.aside import AsideRow, UnplacedRow
from server.store.browsing import FacilityRow
from server.store.logs import find_inspection
from server.store.refusals import Refused
from server.store.transaction import Tx
from sync.problems import CATALOGUE, problem

MOST = 100  # of each kind on the page; the newest branches, the first inspections


@dataclass(frozen=True, slots=True)
class BranchLine:
    """A branch of a forked log, whose it is, and where; no facility for a device's own log."""

    branch: Branch
    device: str
    person: str
    facility: FacilityRow | None


@dataclass(frozen=True, slots=True)
class AsideLine:
    """What waits of one inspection."""

    facility: FacilityRow
    row: AsideRow


@dataclass(frozen=True, slots=True)
class UnplacedLine:
    """A log of an inspection that belongs to no listed facility, and its person's name."""

    row: UnplacedRow
    person: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """What was refused of a device's sending, whose it is, and where, if that is known.

    `remedy` is the catalogue's; `settled` says that lines of the log came since.
    """

    row: Refused
    device: str
    person: str
    facility: FacilityRow | None
    remedy: str
    settled: bool


@dataclass(frozen=True, slots=True)
class AsideView:
    """The whole page; `left_out` says of each kind how many are not shown."""

    branches: tuple[BranchLine, ...]
    revoked: tuple[AsideLine, ...]
    set_aside: tuple[AsideLine, ...]
    unread: tuple[AsideLine, ...]
    carried: tuple[AsideLine, ...]
    unplaced: tuple[UnplacedLine, ...]
    refused: tuple[RefusedLine, ...]
    left_out: Mapping[str, int]

    @property
    def empty(self) -> bool:
        kinds = (self.branches, self.revoked, self.set_aside, self.unread, self.carried)
        return not any(kinds) and not self.unplaced and not self.refused


def show_aside(ctx: Context, who: Principal) -> AsideView:
    """Everything that is held aside within the regions where this person reads inspections."""
    with ctx.db.read() as tx:
        scope = _Scope(tx, access.visible(tx, who, "inspections.read"))
        forked = [
            branch
            for branch in sorted(whole(branches.every(tx)), key=lambda b: (-b.came_at, b.root))
            if scope.shows(branch.inspection, branch.device)
        ]
        not_taken = [one for one in refusals.every(tx) if scope.shows(one.log, one.sender)]
        refused = tuple(_refused_line(scope, one) for one in not_taken[:MOST])
        rows = aside.at_facilities(tx, scope.facilities)
        shown = [_branch_line(scope, branch) for branch in forked[:MOST]]
        lost = [row for row in aside.unplaced(tx) if scope.works_here(row.person)]
        names = people.names(tx, {row.person for row in lost[:MOST]})
        unplaced = tuple(UnplacedLine(r, names.get(r.person, r.person)) for r in lost[:MOST])
    kinds = {
        name: [AsideLine(scope.facilities[row.facility], row) for row in rows if getattr(row, name)]
        for name in ("revoked", "set_aside", "unread", "carried")
    }
    left_out = {name: max(0, len(found) - MOST) for name, found in kinds.items()}
    left_out["branches"] = max(0, len(forked) - MOST)
    left_out["unplaced"] = max(0, len(lost) - MOST)
    left_out["refused"] = max(0, len(not_taken) - MOST)
    return AsideView(
        tuple(shown),
        tuple(kinds["revoked"][:MOST]),
        tuple(kinds["set_aside"][:MOST]),
        tuple(kinds["unread"][:MOST]),
        tuple(kinds["carried"][:MOST]),
        unplaced,
        refused,
        left_out,
    )


def branch_lines(ctx: Context, who: Principal, root: str) -> tuple[str, bytes]:
    """A name for the file, and a branch's lines as they came; a line feed behind each.

    Raises `not-found` outside the person's scope, as for a branch that there is not.
    """
    with ctx.db.read() as tx:
        scope = _Scope(tx, access.visible(tx, who, "inspections.read"))
        found = [
            branch
            for branch in whole(branches.of_root(tx, root))
            if scope.shows(branch.inspection, branch.device)
        ]
    if not found:
        raise problem("not-found")
    branch = found[0]
    name = f"branch-{branch.device[:8]}-{branch.inspection[:8]}-from-{branch.fork}.ndjson"
    return name, b"".join(line + b"\n" for run in branch.runs for line in run.lines)


@dataclass(slots=True)
class _Scope:
    """What one person may see: by the facility of an inspection, else by where its author works."""

    tx: Tx
    visible: set[str]
    facilities: dict[str, FacilityRow] = field(init=False)

    def __post_init__(self) -> None:
        rows = browsing.facilities_in(self.tx, self.visible)
        self.facilities = {row.id: row for row in rows}

    def facility(self, inspection: str) -> str | None:
        found = find_inspection(self.tx, inspection)
        return None if found is None else found.facility

    def shows(self, inspection: str, author: str) -> bool:
        """Whether what a device sent of an inspection, or of something else, is to be seen."""
        facility = self.facility(inspection)
        if facility is not None and facilities.get(self.tx, facility) is not None:
            return facility in self.facilities
        device = devices.find(self.tx, author)
        return device is not None and self.works_here(device.person)

    def works_here(self, person: str) -> bool:
        """Whether somebody works in one of the regions that are visible."""
        return bool(self._works_in(person) & self.visible)

    def _works_in(self, person: str) -> set[str]:
        places = {place for _, place in people.grants_of(self.tx, person)}
        for one in assignments.of_person(self.tx, person):
            found = facilities.get(self.tx, one.facility)
            if found is not None:
                places.add(found.jurisdiction)
        return places


def _branch_line(scope: _Scope, branch: Branch) -> BranchLine:
    facility = scope.facility(branch.inspection)
    place = None if facility is None else scope.facilities.get(facility)
    return BranchLine(branch, *_whose(scope, branch.device), place)


def _refused_line(scope: _Scope, row: Refused) -> RefusedLine:
    facility = scope.facility(row.log)
    place = None if facility is None else scope.facilities.get(facility)
    kind = CATALOGUE.get(row.code)
    remedy = "" if kind is None else kind.remedy
    settled = refusals.taken_since(scope.tx, row)
    return RefusedLine(row, *_whose(scope, row.sender), place, remedy, settled)


def _whose(scope: _Scope, device: str) -> tuple[str, str]:
    """The names of a device and of its person, as far as they are known."""
    found = devices.find(scope.tx, device)
    person = None if found is None else people.by_id(scope.tx, found.person)
    return device if found is None else found.name, "" if person is None else person.name
