"""Which version of its checklist an inspection is on, and moving it to another one.

Moving is one entry at `about`. No answer is touched: each keeps the digest of the checklist that it
answers, and what is to be looked at again follows from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checklists.discrepancies.days import day_in
from checklists.model import Checklist
from checklists.moved import Affected, affected
from fieldkit.capture import Recorder, about_of, checklist_of
from fieldkit.given import Given
from fieldkit.glance import glance
from fieldkit.library import Library, PublishedText
from sync.conflicts import RESOLVED
from sync.inspection import Inspection
from sync.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class Move:
    """From which version to which one: the items that come and go, and the answers that are not
    what they were. `new` says whether an entry was written.
    """

    before: Checklist
    after: Checklist
    added: tuple[str, ...]
    removed: tuple[str, ...]
    affected: tuple[Affected, ...]
    new: bool = False


def affected_here(
    library: Library, inspection: Inspection, given: Mapping[str, Given], checklist: Checklist
) -> list[Affected]:
    """The answers that are not what they were, held against this checklist. One that names no
    checklist answers the one that the inspection was begun with.
    """
    said = {name: one.checklists for name, one in given.items() if one.checklists}
    if all(digests <= {checklist.digest} for digests in said.values()):
        return []
    first = inspection.begun
    begun_with = "" if first is None else first.checklist
    answered = {name: {one or begun_with for one in digests} for name, digests in said.items()}
    return affected(checklist, answered, lambda digest: _found(library, digest))


def in_force(library: Library, facility: Mapping[str, Any], now: int) -> PublishedText | None:
    """The checklist that applies at a facility now (UTC milliseconds), or None."""
    return library.applying("checklist", facility, day_in(str(facility.get("country", "")), now))


def look(recorder: Recorder, inspection: str, wanted: str = "") -> Move:
    """What a move to the wanted version (a version, or how its digest begins), else to the one that
    is in force at the facility, would mean.

    Raises `checklist-unknown` and `inspection-unconfirmed`.
    """
    library = recorder.library
    seen = glance(recorder.store, inspection)
    before = checklist_of(recorder.store, library, inspection)
    facility = library.facility_or_id(about_of(seen.inspection).facility)
    if wanted:
        text = library.version("checklist", before.id, wanted)
    else:
        text = in_force(library, facility, recorder.now)
    if text is None:
        raise problem("checklist-unknown", checklist=wanted or facility.get("checklist", before.id))
    after = library.checklist(text.digest)
    old, new = ({item.id for _, item in one.items()} for one in (before, after))
    return Move(
        before,
        after,
        tuple(item.id for _, item in after.items() if item.id not in old),
        tuple(item.id for _, item in before.items() if item.id not in new),
        tuple(affected_here(library, seen.inspection, seen.given, after)),
    )


def move(recorder: Recorder, inspection: str, wanted: str = "") -> Move:
    """Move an inspection that this device has not signed to another version; see `look`.

    Where it was moved on two devices to two versions this settles it (L6). Raises
    `checklist-signed`, `conflict-here` where what stands side by side differs in more than the
    version, and what `look` raises.
    """
    found = look(recorder, inspection, wanted)
    slot = glance(recorder.store, inspection).inspection.sign_offs.get(recorder.identity.device)
    if slot is not None and slot.heads:
        raise problem("checklist-signed", version=found.before.version)
    with recorder.store.writing(recorder.identity, recorder.now, "the version") as log:
        state = log.standing(inspection, "about")
        heads = () if state is None else state.entries
        if state is None or len(heads) != len(state.heads):
            raise problem("conflict-here", what="about")
        values = [_but_version(one.value) for one in heads]
        if any(one != values[0] for one in values):
            raise problem("conflict-here", what="about")
        on = {one.value.get("checklist") for one in heads}
        new = len(heads) > 1 or on != {found.after.digest}
        if new:
            log.append(inspection, "about", {**values[0], "checklist": found.after.digest})
    return Move(found.before, found.after, found.added, found.removed, found.affected, new)


# -- inside ---------------------------------------------------------------------------------------


def _found(library: Library, digest: str) -> Checklist | None:
    try:
        return library.checklist(digest)
    except Problem:
        return None


def _but_version(value: Any) -> dict[str, Any]:
    """What an `about` says beside the version; raises `conflict-here` where it says nothing."""
    if not isinstance(value, dict):
        raise problem("conflict-here", what="about")
    return {k: v for k, v in value.items() if k not in ("checklist", RESOLVED)}
