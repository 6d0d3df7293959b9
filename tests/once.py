"""What is costly to make is made once for a whole test run, by whichever worker needs it first."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Once:
    """A place that the workers of this test run share, and that pytest clears away."""

    place: Path

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder that `make` fills, given an empty one; tests work on copies of it."""
        done, under_way = self.place / name, self.place / f"{name}-under-way"
        with (self.place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(under_way, ignore_errors=True)
                under_way.mkdir()
                make(under_way)
                under_way.rename(done)
        return done
