"""Deliberately broken builds: each breaks one rule at run time, and the laboratory must notice.

Nothing in the product knows of this. A breakage is put in place around whole stories, or around a
named test that is run in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MOST_STORIES = 240
ENVIRONMENT = "TAPAK_FAULTS_BROKEN"

# Where something stands, its name, and what stands there instead.
Swap = tuple[Any, str, Any]


@dataclass(frozen=True)
class Broken:
    """One breakage: the rule, what was broken, and the swaps that break it.

    `test` names a test that must fail; without one, stories are told until one does not hold.
    `hint` says which stories are told more often, so that little time is needed.
    """

    name: str
    rule: str
    what: str
    swaps: Callable[[], list[Swap]]
    test: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Caught:
    """What noticed a breakage: a finding of a story or a test, after so many; `by` is empty when
    nothing did.
    """

    broken: Broken
    by: str
    after: int
    replay: str
    seconds: float


@contextmanager
def in_place(broken: Broken) -> Iterator[None]:
    """The product with this breakage in it."""
    with ExitStack() as undo:
        for where, name, value in broken.swaps():
            before = where.__dict__[name]
            setattr(where, name, value)
            undo.callback(setattr, where, name, before)
        yield


def catch(broken: Broken, seed: int) -> Caught:
    """Tell stories, or run the named test, until something does not hold."""
    begun = time.monotonic()
    if broken.test:
        by, after, replay = _by_test(broken)
    else:
        by, after, replay = _by_stories(broken, seed)
    return Caught(broken, by, after, replay, time.monotonic() - begun)


@contextmanager
def more_of(hint: str) -> Iterator[None]:
    """Stories of one kind alone."""
    from . import stories, wire

    acts = {
        "forks": ((stories.copy_device, 5), (stories.put_device_back, 5)),
        "restored": ((stories.back_office_up, 5), (stories.put_office_back, 5)),
        "files": ((stories.photograph, 12), (stories.sync, 8)),
        "power": ((stories.photograph, 12), (stories.answer, 6)),
        "deaths": ((stories.answer, 20), (stories.assign, 8), (stories.sync, 8)),
        "hazards": ((stories.see_hazard, 8),),
        "sticks": stories._BY_STICK,
        "confidence": stories._IN_CONFIDENCE,
        "two ways": stories._TWO_WAYS,
        "locked": stories._LOCKED,
    }
    fates = {
        "altered": ("request altered", ""),
        "files": ("request altered", ""),
        "forged": ("forged receipt", ""),
        "lies": ("answer altered", ""),
    }
    swaps: list[Swap] = []
    if hint in acts:
        daily = ((stories.answer, 5), (stories.sync, 6), (stories.photograph, 2))
        swaps.append((stories, "THEMES", ((*daily, *acts[hint]),)))
    if hint in ("power", "deaths"):
        swaps += [(stories, "DEATHS", 0.6), (stories, "POWER", 0.9 if hint == "power" else 0.1)]
    if hint in fates:
        swaps.append((wire, "FATES", fates[hint]))
    with ExitStack() as undo:
        for where, name, value in swaps:
            undo.callback(setattr, where, name, getattr(where, name))
            setattr(where, name, value)
        yield


def _by_stories(broken: Broken, seed: int) -> tuple[str, int, str]:
    from .process import Tally
    from .stories import places, tell

    places()
    tally = Tally()
    with in_place(broken), more_of(broken.hint):
        for n in range(MOST_STORIES):
            _, told = tell(f"{seed}:{n}", tally)
            # A build that stumbles over its own breakage shows nothing of the rule.
            found = [one for one in told if not one.startswith("ended with ")]
            if found:
                return found[0].partition(":")[0], n + 1, f"--seed {seed} --story {n}"
    return "", MOST_STORIES, ""


def _by_test(broken: Broken) -> tuple[str, int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.faults.plugin", broken.test],
        cwd=ROOT,
        env={**os.environ, ENVIRONMENT: broken.name},
        capture_output=True,
        text=True,
        check=False,
    )
    caught = done.returncode == 1 and " failed" in done.stdout
    name = broken.test.rpartition("/")[2]
    return (f"test {name}" if caught else ""), 1, broken.test


def every() -> list[Broken]:
    """All breakages, in the order of the rules."""
    from . import broken_client, broken_server

    found = [*broken_client.BROKEN, *broken_server.BROKEN]
    return sorted(found, key=lambda one: (one.rule[0], int(one.rule[1:]), one.name))
