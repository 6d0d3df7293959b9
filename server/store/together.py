"""Jobs that come at the same time, done in one go: the first to come does them for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")

MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What became of one job: its value, or the error that it ended with."""

    value: R | None = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class _Ticket(Generic[J, R]):
    job: J
    call: threading.Lock = field(default_factory=threading.Lock)  # held until the ticket is called
    leads: bool = False
    outcome: Outcome[R] | None = None


class Together(Generic[J, R]):
    """`work` is handed the jobs that wait, in the order they came, and gives each its outcome.

    It never runs twice at a time. While it runs, further jobs gather; then the thread that has
    waited longest runs it for all of them. No thread is kept for it.
    """

    def __init__(self, work: Callable[[Sequence[J]], Sequence[Outcome[R]]]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[J, R]] = []
        self._running = False

    def do(self, job: J) -> R:
        """Have the job done; return its value or raise its error once the work for it has ended."""
        ticket: _Ticket[J, R] = _Ticket(job)
        ticket.call.acquire()
        with self._lock:
            self._waiting.append(ticket)
            ticket.leads, self._running = not self._running, True
        if not ticket.leads:
            ticket.call.acquire()
        if ticket.leads:
            self._lead()
        outcome = ticket.outcome
        assert outcome is not None  # noqa: S101 - whoever led left one for every ticket
        if outcome.error is not None:
            raise outcome.error
        return outcome.value  # type: ignore[return-value]

    def _lead(self) -> None:
        with self._lock:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
        try:
            outcomes = self._work([ticket.job for ticket in batch])
            for ticket, outcome in zip(batch, outcomes, strict=True):
                ticket.outcome = outcome
        except BaseException as exc:
            for ticket in batch:
                ticket.outcome = ticket.outcome or Outcome(error=exc)
            raise
        finally:
            self._hand_over()
            for ticket in batch[1:]:  # the first is the one that leads
                ticket.call.release()

    def _hand_over(self) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._running = following is not None
        if following is not None:
            following.leads = True
            following.call.release()
