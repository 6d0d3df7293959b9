"""Deletes everything that is derived and makes it anew from what people and devices said."""

from __future__ import annotations

from dataclasses import dataclass

from server.context import Context
from server.services.grading import assess_stale
from server.services.photos import read_new
from server.store import aside, assessments, facts, flags, gradings
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many pictures were read and facilities graded; `left` could not be, and why."""

    pictures: int
    facilities: int
    left: dict[str, str]


def rebuild(ctx: Context) -> Rebuilt:
    """Delete flags, scores, what is held aside, photo facts and previews; compute them again.

    Each facility keeps the date that it was graded as of, so the same bytes come out. After a
    crash on the way a worker goes on where this stopped.
    """
    ctx.db.write(lambda tx: _forget(tx, ctx.now()))
    ctx.previews.clear()
    pictures = read_new(ctx)
    graded = assess_stale(ctx)
    return Rebuilt(pictures, len(set(graded.done)), graded.left)


def _forget(tx: Tx, now: int) -> None:
    flags.delete_all(tx)
    assessments.delete_all(tx)
    aside.delete_all(tx)
    facts.delete_all(tx)
    gradings.mark_again(tx, [one.facility for one in gradings.every(tx)], now)
