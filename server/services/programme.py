"""Assignments: who goes where and when, and what their devices must know for it (S5)."""

from __future__ import annotations

from datetime import date

from server.context import Context
from server.services.accounts import find_person
from server.services.admission import settle_where_open
from server.services.audit import acted
from server.services.identifiers import day_of, letters
from server.services.texts import check_text
from server.store import (
    assignments,
    declarations,
    documents,
    facilities,
    gradings,
    jurisdictions,
    people,
)
from server.store.assignments import Assignment
from server.store.changes import tell
from server.store.facilities import Facility
from server.store.transaction import Tx
from sync.problems import problem

MOST_GRACE_DAYS = 366
DEFAULT = "default"  # the name of the scoring profile and rule settings that apply everywhere

Thing = tuple[str, str]  # a change's kind and ref


def assign(
    ctx: Context,
    by: str,
    *,
    facility: str,
    person: str,
    purpose: str,
    not_before: str,
    not_after: str,
    grace_days: int = assignments.GRACE_DAYS,
) -> Assignment:
    """Assign an auditor (login or id) to a facility from one day to another, both included.

    What is written up to `grace_days` before or after counts too (S9). The auditor's devices are
    told of the facility, what it declares and what it is judged by. Raises `fields-malformed`,
    `noun-unknown`, `not-an-auditor` and `already-there`.
    """
    _check_days(not_before, not_after)
    if not 0 <= grace_days <= MOST_GRACE_DAYS:
        raise problem("fields-malformed", why=f"grace_days: give 0 to {MOST_GRACE_DAYS}")
    purpose = check_text("purpose", purpose, 200)
    now, new_id = ctx.now(), f"a-{letters(ctx, 12)}"

    def work(tx: Tx) -> Assignment:
        place = facilities.get(tx, facility)
        if place is None:
            raise problem("noun-unknown", noun="facility", name=facility[:80], nearest="")
        auditor = find_person(tx, person)
        _check_auditor(tx, auditor.id, auditor.name, place)
        if assignments.same(tx, facility, auditor.id, not_before) is not None:
            name = f"{auditor.login} at {facility} from {not_before}"
            raise problem("already-there", noun="assignment", name=name)
        new = Assignment(
            new_id, facility, auditor.id, purpose, not_before, not_after, now, grace_days
        )
        assignments.add(tx, new)
        # S9: what was set aside until now may count from here on.
        settle_where_open(tx, facility)
        gradings.mark_stale(tx, facility, day_of(now), now)
        tell(tx, [auditor.id], [*_about(tx, place), ("assignment", new.id)], now)
        return new

    detail = {"facility": facility, "person": person, "from": not_before, "to": not_after}
    return acted(ctx, by, "assignment.create", f"assignment:{new_id}", work, detail)


def everything_for(tx: Tx, person: str, now: int) -> list[Thing]:
    """All changes that a new device of this person needs, for assignments that are not over."""
    things: list[Thing] = []
    today = day_of(now)
    for one in assignments.of_person(tx, person):
        place = facilities.get(tx, one.facility)
        if place is not None and one.not_after >= today:
            things += [*_about(tx, place), ("assignment", one.id)]
    return list(dict.fromkeys(things))


def _about(tx: Tx, place: Facility) -> list[Thing]:
    """What an inspection of this facility needs to know, the assignment itself excepted."""
    things = [("facility", place.id)]
    things += [("declaration", one.id) for one in declarations.of_facility(tx, place.id)]
    wanted = (
        ("checklist", place.checklist),
        ("limits", place.limits),
        ("profile", DEFAULT),
        ("rules", DEFAULT),
    )
    for kind, name in wanted:
        found = None if name is None else documents.newest(tx, kind, name)
        if found is not None:
            things.append((kind, found.digest))
    return things


def _check_auditor(tx: Tx, person: str, name: str, place: Facility) -> None:
    held = {where for role, where in people.grants_of(tx, person) if role == "auditor"}
    if place.jurisdiction not in jurisdictions.below(tx, held):
        raise problem("not-an-auditor", name=name, jurisdiction=place.jurisdiction)


def _check_days(first: str, last: str) -> None:
    for field, text in (("not_before", first), ("not_after", last)):
        try:
            fits = date.fromisoformat(text).isoformat() == text
        except ValueError:
            fits = False
        if not fits:
            raise problem("fields-malformed", why=f"{field}: {text[:20]!r} is not YYYY-MM-DD")
    if last < first:
        raise problem("fields-malformed", why="not_after: it lies before not_before")
