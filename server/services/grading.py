"""Which facilities are graded when: those marked stale, and all of them as of a new day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from server.context import Context
from server.services.assess import assess_facility
from server.store import gradings
from sync.problems import Problem


@dataclass(slots=True)
class Graded:
    """The facilities that were graded, in order, and why others could not be."""

    done: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def assess_stale(ctx: Context, given_up: Mapping[str, int] = MappingProxyType({})) -> Graded:
    """Grade every facility that is marked, and those that this marks in turn.

    One that cannot be graded (its stored declaration was damaged, say) stays marked and holds up
    no other. `given_up` names askings (facility to asked_at) not to try again.
    """
    graded = Graded()
    while True:
        with ctx.db.read() as tx:
            waiting = [
                one.facility
                for one in gradings.stale(tx)
                if one.facility not in graded.left and given_up.get(one.facility) != one.asked_at
            ]
        if not waiting:
            return graded
        for name in waiting:
            try:
                assess_facility(ctx, name)
            except Problem as fault:
                graded.left[name] = str(fault)
            else:
                graded.done.append(name)


def regrade(ctx: Context) -> int:
    """Ask for every facility that is not graded as of today (UTC); return how many those are."""
    now = ctx.now()
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    with ctx.db.read() as tx:
        if all(one.as_of == today for one in gradings.every(tx)):
            return 0
    return ctx.db.write(lambda tx: gradings.mark_all(tx, today, now))
