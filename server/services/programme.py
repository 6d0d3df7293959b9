"""Assignments: who goes where and when, and what their devices must know for it (S5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from checklists.discrepancies.days import day_in
from server.context import Context
from server.services import sharing, standards
from server.services.accounts import find_person
from server.services.admission import settle_where_open
from server.services.audit import acted
from server.services.identifiers import day_of, letters
from server.services.texts import check_text
from server.store import (
    assignments,
    declarations,
    facilities,
    gradings,
    jurisdictions,
    people,
)
from server.store.assignments import Assignment
from server.store.changes import News, tell, tell_all
from server.store.facilities import Facility
from server.store.transaction import Tx
from sync.problems import problem

MOST_GRACE_DAYS = 366

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
    conflict: bool = False,
) -> Assignment:
    """Assign an auditor (login or id) to a facility from one day to another, both included.

    What is written up to `grace_days` before or after counts too (S9). With `conflict`
    devices ask for a passphrase before they begin there (S11). The auditor's devices are
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
        new = Assignment(
            new_id, facility, auditor.id, purpose, not_before, not_after, now, None, grace_days
        )
        new = replace(new, conflict=conflict or None)
        same = assignments.same(tx, facility, auditor.id, not_before)
        if same is not None and same.ended_at is None:
            name = f"{auditor.login} at {facility} from {not_before}"
            raise problem("already-there", noun="assignment", name=name)
        shared = sharing.circles_at(tx, facility)
        if same is not None:
            assignments.reopen(tx, same.id, purpose, not_after, grace_days, conflict)
            new = replace(new, id=same.id, created_at=same.created_at)
        else:
            assignments.add(tx, new)
        settle_where_open(tx, facility)
        # S9: what was set aside until now may count from here on.
        gradings.mark_stale(tx, facility, day_of(now), now)
        news = sharing.news_of_access(tx, shared, sharing.circles_at(tx, facility), now)
        tell(tx, [auditor.id], [*_about(tx, place, now), ("assignment", new.id)], now)
        tell_all(tx, news + sharing.news_of_colleagues(tx, new, now))
        return new

    detail = {"facility": facility, "person": person, "from": not_before, "to": not_after}
    return acted(ctx, by, "assignment.create", f"assignment:{new_id}", work, detail)


def end_assignment(ctx: Context, by: str, assignment: str, reason: str) -> Assignment:
    """End an assignment; the person's devices are told to drop what came with it (S5).

    What the person recorded stays, on the device and here, and counts as before. One that was
    ended already stays as it is. Raises `noun-unknown` and `fields-malformed`.
    """
    reason = check_text("reason", reason, 200)
    now = ctx.now()

    def work(tx: Tx) -> Assignment:
        found = assignments.get(tx, assignment)
        if found is None:
            raise problem("noun-unknown", noun="assignment", name=assignment[:80], nearest="")
        if found.ended_at is not None:
            return found
        shared = sharing.circles_at(tx, found.facility)
        assignments.end(tx, found.id, now)
        things = [("assignment", found.id)]
        mine = assignments.of_person(tx, found.person)
        if not any(one.facility == found.facility and one.ended_at is None for one in mine):
            things.append(("facility", found.facility))
            filed = declarations.of_facility(tx, found.facility)
            things += [("declaration", one.id) for one in filed]
        news = [News(found.person, *thing, now) for thing in things]
        left = sharing.circles_at(tx, found.facility)
        news += sharing.news_of_colleagues(tx, found, now)
        tell_all(tx, news + sharing.news_of_access(tx, shared, left, now))
        return replace(found, ended_at=now)

    detail = {"reason": reason}
    return acted(ctx, by, "assignment.end", f"assignment:{assignment[:80]}", work, detail)


def everything_for(tx: Tx, person: str, now: int) -> list[Thing]:
    """All changes that a new device of this person needs, for assignments that are not over."""
    things: list[Thing] = []
    today = day_of(now)
    for one in assignments.of_person(tx, person):
        place = facilities.get(tx, one.facility)
        if place is not None and one.ended_at is None and one.not_after >= today:
            things += [*_about(tx, place, now), ("assignment", one.id)]
    return list(dict.fromkeys(things))


def _about(tx: Tx, place: Facility, now: int) -> list[Thing]:
    """What an inspection of this facility needs to know, the assignment itself excepted."""
    things = [("facility", place.id)]
    things += [("declaration", one.id) for one in declarations.of_facility(tx, place.id)]
    # What came into force last is told last: a device without days goes by the order.
    applying = standards.digests_for(tx, place, day_in(place.country, now))
    coming = standards.told_of(tx, place, now)
    for kind, digest in applying.items():
        later = [one for _, one in reversed(coming.get(kind, ())) if one != digest]
        things += [(kind, one) for one in [*later, digest] if one]
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
