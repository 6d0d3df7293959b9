"""Simulated processes: which one runs, how it ends at any touch of its disk, and what it counts.

Everything happens in one thread. A process that died does nothing more: whatever its frames still
try on their way out is refused, as nobody cleans up after kill -9.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = str(Path(__file__).parents[2])
_PRODUCT = tuple(f"{_ROOT}/{part}/" for part in ("fieldkit", "server"))


class Died(BaseException):
    """The process ends here, as kill -9 or a power cut would end it."""


@dataclass
class Tally:
    """How many faults of each kind happened, and at which places processes died."""

    kinds: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)  # what people did that is no fault
    seen: Counter[str] = field(default_factory=Counter)  # places where a process could have died
    died: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str) -> None:
        self.kinds[kind] += 1

    def add(self, other: Tally) -> None:
        self.kinds += other.kinds
        self.acts += other.acts
        self.seen += other.seen
        self.died += other.died


@dataclass(eq=False)
class Process:
    """A process on one computer. `dies_in` touches of its disk from now it ends; `full_in` writes
    from now its disk is full, for `full_for` writes.
    """

    name: str
    folder: Path
    tally: Tally
    number: int = 10_000_000  # beyond every real process, so that it counts as ended
    dead: bool = False
    power: bool = False  # whether the death also takes what was not yet on the disk
    dies_in: int | None = None
    dies_at: str | None = None  # a place rather than a number of touches
    full_in: int | None = None
    full_for: int = 0
    touched: int = 0
    connections: list[sqlite3.Connection] = field(default_factory=list)
    handles: set[int] = field(default_factory=set)  # of open files; with them go their locks

    def plan_death(self, dies_in: int, *, power: bool = False) -> None:
        self.dies_in, self.power = dies_in, power

    def plan_death_at(self, place: str, *, power: bool = False) -> None:
        self.dies_at, self.power = place, power

    def plan_full_disk(self, full_in: int, full_for: int) -> None:
        self.full_in, self.full_for = full_in, full_for

    def forgive(self) -> None:
        """Nothing that was planned happens any more."""
        self.dies_in = self.dies_at = self.full_in = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """What is done within is done by this process."""
        _running.append(self)
        try:
            yield
        finally:
            _running.pop()

    def touch(self, what: str) -> None:
        """A place where this process may end: before or after it touches its disk or network."""
        if self.dead:
            raise Died(self.name)
        self.touched += 1
        place = f"{what} in {_place()}"
        self.tally.seen[place] += 1
        if self.dies_in is not None:
            self.dies_in -= 1
        if (self.dies_in is not None and self.dies_in < 0) or self.dies_at == place:
            self.dead = True
            self.tally.died[place] += 1
            self.tally.count("power cut" if self.power else f"death of a {self.name.split()[0]}")
            raise Died(self.name)

    def is_full(self) -> bool:
        """Whether this write finds no room."""
        if self.full_in is None:
            return False
        self.full_in -= 1
        if self.full_in >= 0:
            return False
        self.full_for -= 1
        if self.full_for < 0:
            self.full_in = None
            return False
        self.tally.count(f"full disk of a {self.name.split()[0]}")
        return True


_running: list[Process | None] = []


def current() -> Process | None:
    """The process that runs now; None while the laboratory itself looks."""
    return _running[-1] if _running else None


@contextmanager
def nobody() -> Iterator[None]:
    """The laboratory looks, and no process is charged for it."""
    _running.append(None)
    try:
        yield
    finally:
        _running.pop()


def _place() -> str:
    """The function of the product that is at work: `server/staging.py writer`."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PRODUCT):
            return f"{name[len(_ROOT) + 1 :]} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "elsewhere"
