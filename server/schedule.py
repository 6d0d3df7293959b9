"""The worker: reads pictures, grades what is marked, and on a new day regrades everything.

APScheduler runs in the worker process only. Any number of workers may run: a lease row lets one
of them do a job, and another takes over when the lease of a dead one runs out.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from server.context import Context
from server.services.checkpoints import Made, make_due
from server.services.grading import Graded, assess_stale, regrade
from server.services.photos import look_through, read_new
from server.services.uploads import sweep
from server.services.withdrawal import destroy
from server.store import gradings, leases
from sync.problems import Problem

EVERY_SECONDS = 2
REGRADE_EVERY_MINUTES = 5
SWEEP_EVERY_HOURS = 6
CHECKPOINT_EVERY_MINUTES = 30  # one is due once a day; so soon after midnight it is made
LEASE_MS = 120_000
STOPS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did: pictures read, facilities graded, and which could not be graded."""

    pictures: int
    graded: Graded


def run_once(ctx: Context) -> Ran:
    """Read every new picture, then grade every facility that is marked."""
    look_through(ctx)
    destroy(ctx)
    pictures = read_new(ctx)
    return Ran(pictures, assess_stale(ctx))


@dataclass(slots=True)
class Worker:
    """One worker's jobs; `holder` is its name on the leases. No two runs of a job overlap."""

    ctx: Context
    holder: str
    given_up: dict[str, int] = field(default_factory=dict)
    held_until: dict[str, int] = field(default_factory=dict)

    def read_and_grade(self) -> Ran | None:
        """New pictures, then stale facilities; None while another worker does this."""
        if not self._mine("grade"):
            return None
        # Thousands of pictures take longer than the lease lasts, so it is renewed on the way.
        pictures = read_new(self.ctx, lambda: self._mine("grade"))
        if not self._mine("grade"):
            return None
        graded = assess_stale(self.ctx, self.given_up)
        self._give_up(graded)
        return Ran(pictures, graded)

    def regrade(self) -> int | None:
        """Mark everything that is not graded as of today; None while another worker does this."""
        return regrade(self.ctx) if self._mine("regrade") else None

    def sweep(self) -> int | None:
        """Forget uploads that nobody moved on for weeks; None while another worker does this."""
        if not self._mine("sweep"):
            return None
        return destroy(self.ctx) + sweep(self.ctx)

    def checkpoint(self) -> Made | None:
        """Sign the day's checkpoint (S13); None when it is made, or another worker does this."""
        return make_due(self.ctx) if self._mine("checkpoint") else None

    def leave(self) -> None:
        """Give the leases back, so that the next worker need not wait for their end."""
        self.held_until.clear()
        self.ctx.db.write(lambda tx: leases.give_back(tx, self.holder))

    def _mine(self, job: str) -> bool:
        """Hold the lease; it is written anew only when half of it is over."""
        now = self.ctx.now()
        if self.held_until.get(job, 0) - now > LEASE_MS // 2:
            return True
        until = now + LEASE_MS
        if not self.ctx.db.write(lambda tx: leases.take(tx, job, self.holder, now, until)):
            return False
        self.held_until[job] = until
        return True

    def _give_up(self, graded: Graded) -> None:
        """Say once why a facility cannot be graded, and wait until it is asked for again."""
        if not graded.left:
            return
        with self.ctx.db.read() as tx:
            stale = {one.facility: one.asked_at for one in gradings.stale(tx)}
        for facility, why in graded.left.items():
            log.warning("%s cannot be graded: %s", facility, why)
            if facility in stale:
                self.given_up[facility] = stale[facility]


def run_worker(ctx: Context, ready: Callable[[], None] = lambda: None) -> None:
    """Work until SIGTERM or SIGINT; a job that is running then is finished first.

    `ready` is called once the jobs are scheduled. Must be called in the main thread.
    """
    worker = Worker(ctx, ctx.token(9))
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in STOPS}
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1}
    )
    scheduler.add_job(_said(worker.regrade), "interval", minutes=REGRADE_EVERY_MINUTES)
    scheduler.add_job(_said(worker.read_and_grade), "interval", seconds=EVERY_SECONDS)
    scheduler.add_job(_said(worker.sweep), "interval", hours=SWEEP_EVERY_HOURS)
    scheduler.add_job(_said(worker.checkpoint), "interval", minutes=CHECKPOINT_EVERY_MINUTES)
    try:
        _said(partial(look_through, ctx))()
        _said(worker.regrade)()
        _said(worker.sweep)()
        _said(worker.checkpoint)()
        scheduler.start()
        ready()
        stop.wait()
        scheduler.shutdown(wait=True)
    finally:
        worker.leave()
        for one, handler in before.items():
            signal.signal(one, handler)


def _said(job: Callable[[], object]) -> Callable[[], None]:
    """A job whose problems are logged; the next run tries again."""

    def run() -> None:
        try:
            job()
        except Problem as fault:
            log.warning("%s", fault)

    return run
