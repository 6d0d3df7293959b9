"""What the last change of the standard did to a facility's grade: which version came into force on
which day, and the same answers scored under the one before.

Nothing of it is stored: days and versions stand in `in_force`, answers beside the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from checklists.model import Checklist, Limits, Profile
from checklists.rescoring import Rescored, between, change_lines, told
from server.services.score_inputs import stored_inputs
from server.services.standards import (
    history_of,
    named_checklist,
    named_limits,
    named_profile,
)
from server.store.assessments import AssessmentRow
from server.store.facilities import Facility
from server.store.transaction import Tx

_File = TypeVar("_File", Checklist, Limits, Profile)


@dataclass(frozen=True, slots=True)
class StandardChange:
    """What changed on the day (YYYY-MM-DD) `since`: (kind, version before, version after), and the
    score under both; None where a score reads nothing of what differs.
    """

    since: str
    versions: tuple[tuple[str, str, str], ...]
    rescored: Rescored | None

    @property
    def before(self) -> Mapping[str, str | None]:
        """The score under the versions before, in short."""
        return {} if self.rescored is None else told(self.rescored.before)

    @property
    def after(self) -> Mapping[str, str | None]:
        """The score as it is, in short."""
        return {} if self.rescored is None else told(self.rescored.after)

    @property
    def lines(self) -> tuple[str, ...]:
        """What changes, item by item, and why, as text."""
        return () if self.rescored is None else tuple(change_lines(self.rescored))


def last_change(tx: Tx, facility: Facility, row: AssessmentRow) -> StandardChange | None:
    """The last change of the versions that a facility's score goes by, up to the day that it was
    graded as of; None where there was none, or it is still to be graded by the newest.

    Raises `table-unreadable`, `score-export-malformed` and `checklist-malformed` where what is
    stored was damaged.
    """
    came: dict[str, tuple[str, str, str]] = {}  # kind -> day, digest before, digest from then on
    for kind in ("checklist", "limits", "profile"):
        history = history_of(tx, facility, kind, row.as_of)
        if len(history) > 1 and history[-2][1] and history[-1][1]:
            came[kind] = (history[-1][0], history[-2][1], history[-1][1])
    if not came:
        return None
    since = max(day for day, _, _ in came.values())
    newer = stored_inputs(tx, row)
    versions: list[tuple[str, str, str]] = []

    def before(kind: str, now: _File, named: Callable[[Tx, str], _File | None]) -> _File:
        day, was, after = came.get(kind, ("", "", ""))
        found = named(tx, was) if day == since and after == now.digest else None
        if found is None:
            return now
        versions.append((kind, found.version, now.version))
        return found

    older = replace(
        newer,
        checklist=before("checklist", newer.checklist, named_checklist),
        limits=newer.limits and before("limits", newer.limits, named_limits),
        profile=before("profile", newer.profile, named_profile),
    )
    return StandardChange(since, tuple(versions), between(older, newer)) if versions else None
