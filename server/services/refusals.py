"""What was refused of a device's sending is noted for staff; the device is told by the answer (L4).

Only who sent it, of which log it claimed to be, why and when: no line of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from server.context import Context
from server.store import refusals
from server.store.refusals import MOST, Refused
from server.store.transaction import Tx
from sync.problems import Problem
from sync.session import LogState

LONGEST = 300  # of what is said


def note_refused(tx: Tx, sender: str, states: Iterable[LogState], now: int) -> None:
    """Note the segments of one request that were refused, alike ones together."""
    found: dict[tuple[str, str, str], tuple[str, int]] = {}
    for state in states:
        if state.state == "refused" and state.problem is not None:
            key = state.device, state.log, str(state.problem["code"])
            said, count = found.get(key, (str(state.problem["title"]), 0))
            found[key] = said, count + 1
    for key in list(found)[-MOST:]:
        said, count = found[key]
        refusals.note(tx, Refused(sender, *key, said[:LONGEST], count, now, now))


def note_unreadable(ctx: Context, sender: str, why: Problem) -> None:
    """Note a request that was refused as a whole. Where that cannot be written, it is not."""
    now = ctx.now()
    new = Refused(sender, "", "", why.code, why.happened[:LONGEST], 1, now, now)
    with suppress(Problem):
        ctx.db.write(lambda tx: refusals.note(tx, new))
