"""How often wrong invitation codes came from an address: counted in the database (S8)."""

from __future__ import annotations

import math

from server.context import Context
from server.store import audit, people
from server.store.transaction import Tx
from sync.problems import problem

ALLOWED = 10
BLOCK_MS = 15 * 60_000
LONGEST = 80


def check_not_blocked(tx: Tx, address: str, now: int) -> None:
    """Raise `enrolment-blocked` when too many wrong codes came from this address lately."""
    found = people.failures(tx, _key(address))
    left = found.last_at + BLOCK_MS - now
    if found.in_a_row >= ALLOWED and left > 0:
        raise problem("enrolment-blocked", minutes=math.ceil(left / 60_000))


def count_failed(ctx: Context, address: str) -> None:
    """Count a wrong code; the trail tells of an address being blocked, not of each wrong code.

    A right code does not take the count back: otherwise whoever has one could go on guessing.
    """
    now = ctx.now()

    def work(tx: Tx) -> None:
        if people.count_failure(tx, _key(address), now, now - BLOCK_MS) == ALLOWED:
            audit.record(tx, now, "anonymous", "enrol.blocked", f"address:{address[:LONGEST]}")

    ctx.db.write(work)


def _key(address: str) -> str:
    # No login has a colon in it, so the two cannot be taken for each other.
    return f"enrol:{address[:LONGEST]}"
