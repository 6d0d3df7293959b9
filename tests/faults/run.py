"""The counted bulk: stories from one seed, shared among processes; what was counted goes to a file.

`python -m tests.faults [--seed N] [--stories N] [--tenth] [--only sim|real]`; a failure says how
it is replayed: `--seed N --story M`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STORIES = 1_040
STORY_SECONDS = 120  # of work, however busy the computer is with other things
STANDSTILL_SECONDS = 1_800  # in all, of one that waits and does no work
KILLS = 340
ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "faults.json"


@dataclass
class Result:
    """What one part of the laboratory did: stories told, faults by kind, and what did not hold."""

    part: str
    seed: int
    stories: int = 0
    seconds: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # deaths at each place there was
    failures: dict[str, list[str]] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=dict)  # what people did that is no fault

    @property
    def faults(self) -> int:
        return sum(self.kinds.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "seed": self.seed,
            "stories": self.stories,
            "seconds": round(self.seconds, 1),
            "faults": self.faults,
            "kinds": dict(sorted(self.kinds.items())),
            "places": dict(sorted(self.places.items())),
            "failures": self.failures,
            "acts": dict(sorted(self.acts.items())),
        }


def read(data: dict[str, Any]) -> Result:
    """A result as another process wrote it."""
    return Result(
        data["part"],
        data["seed"],
        data["stories"],
        data["seconds"],
        data["kinds"],
        data["places"],
        data["failures"],
        data["acts"],
    )


def simulate(seed: int, numbers: range, *, tell_each: bool = False) -> Result:
    """Tell these stories of a seed in this process."""
    from .process import Tally
    from .stories import tell

    begun, tally, done = time.monotonic(), Tally(), Result("simulated", seed)
    for number in numbers:
        with _patience():
            story, found = tell(f"{seed}:{number}", tally)
        done.stories += 1
        if tell_each:
            print("\n".join(story.told))
        if found:
            done.failures[f"--seed {seed} --story {number}"] = found
            print(f"story {number} of seed {seed} does not hold:", *found[:8], sep="\n  ")
    done.kinds, done.acts = dict(tally.kinds), dict(tally.acts)
    done.places = {place: tally.died[place] for place in tally.seen}
    done.seconds = time.monotonic() - begun
    return done


@contextmanager
def _patience() -> Iterator[None]:
    """A story that goes round in circles or stands still ends as one that does not hold."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"nothing came of it within {STORY_SECONDS} s of work")

    limits = (
        (signal.SIGPROF, signal.ITIMER_PROF, STORY_SECONDS),
        (signal.SIGALRM, signal.ITIMER_REAL, STANDSTILL_SECONDS),
    )
    before = [(one, signal.signal(one, too_long)) for one, _, _ in limits]
    for _, timer, seconds in limits:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for _, timer, _ in limits:
            signal.setitimer(timer, 0)
        for one, handler in before:
            signal.signal(one, handler)


def kill(seed: int, database: str, wanted: int) -> Result:
    """Kill so many real processes on one database: sqlite or postgresql."""
    from .kills import kill_until
    from .process import Tally

    begun, tally, done = time.monotonic(), Tally(), Result(f"real processes, {database}", seed)
    with _database(database) as url:
        serving = 2 if database == "postgresql" else 1
        found = kill_until(f"{seed}:{database}", url, serving, wanted, tally)
    done.stories = 1
    if found:
        done.failures[f"--seed {seed} --only real ({database})"] = found
        print(f"real processes on {database} do not hold:", *found[:8], sep="\n  ")
    done.kinds = dict(tally.kinds)
    done.seconds = time.monotonic() - begun
    return done


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind != "postgresql":
        yield ""
        return
    from real_postgres import real_postgres

    with real_postgres(f"faults-{os.getpid()}", "faults") as server:
        name = server.empty()
        yield server.url(name)
        server.drop(name)


def main(words: list[str]) -> int:
    given = _arguments().parse_args(words)
    if given.share and given.share.startswith("broken/"):
        return _some_broken(given.share.removeprefix("broken/").split(","), given.seed)
    if given.share:
        done = _share(given.share, given.seed, given.stories)
        print(json.dumps(done.to_json()))
        return 0
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    if given.story is not None:
        done = simulate(seed, range(given.story, given.story + 1), tell_each=True)
        return 1 if done.failures else 0
    if given.broken is not None:
        return _broken(seed, given.broken, given.write_docs)
    tenth = 10 if given.tenth else 1
    begun = time.monotonic()
    results = _all(seed, given.stories // tenth, KILLS // tenth, given.only)
    return report(results, time.monotonic() - begun)


def _some_broken(names: list[str], seed: int) -> int:
    from . import table
    from .broken import catch, every

    known = {one.name: one for one in every()}
    for name in names:
        print(json.dumps(table.to_json(catch(known[name], seed))), flush=True)
    return 0


def _broken(seed: int, names: list[str], write_docs: bool) -> int:
    """Break the build on purpose, each breakage by itself; every one must be caught."""
    from . import table

    caught = table.catch_all(seed, names, write_docs)
    missed = [one.broken.name for one in caught if not one.by]
    print(f"{len(caught)} broken builds, {len(caught) - len(missed)} caught; missed: {missed}")
    return 1 if missed else 0


def _share(share: str, seed: int, count: int) -> Result:
    """A part of the work, in a process of its own: `0/2` of the stories, or kills on a database."""
    name, _, number = share.partition("/")
    if name in ("sqlite", "postgresql"):
        return kill(seed, name, int(number))
    return simulate(seed, range(int(name), count, int(number)))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one; else drawn, and printed")
    parser.add_argument("--stories", type=int, default=STORIES)
    parser.add_argument("--story", type=int, help="tell this one story, and what happened in it")
    parser.add_argument("--tenth", action="store_true", help="a tenth of it")
    parser.add_argument("--only", choices=("sim", "real"))
    parser.add_argument("--broken", nargs="*", help="deliberately broken builds, or those named")
    parser.add_argument("--write-docs", action="store_true", help="write docs/faults.md")
    parser.add_argument("--share", help=argparse.SUPPRESS)
    return parser


def _all(seed: int, stories: int, kills: int, only: str | None) -> list[Result]:
    """Every part in a process of its own: two at a time, as there are two cores."""
    words = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--stories", str(stories)]
    simulated = [f"{n}/4" for n in range(4)] if only != "real" else []
    real = [f"sqlite/{kills // 2}", f"postgresql/{kills // 2}"] if only != "sim" else []

    def run(share: str) -> Result:
        return _heard(
            subprocess.Popen([*words, "--share", share], cwd=ROOT, stdout=subprocess.PIPE)
        )

    with ThreadPoolExecutor(2) as both:
        return list(both.map(run, [*real, *simulated]))


def _heard(process: subprocess.Popen[bytes]) -> Result:
    assert process.stdout is not None
    lines = process.stdout.read().decode().splitlines()
    if process.wait() != 0 or not lines:
        raise SystemExit(f"a part of the laboratory ended with {process.returncode}")
    print(*lines[:-1], sep="\n", end="\n" if lines[:-1] else "")
    return read(json.loads(lines[-1]))


def report(results: list[Result], seconds: float) -> int:
    """Print what was done, write it down, and say whether everything held."""
    kinds: Counter[str] = Counter()
    acts: Counter[str] = Counter()
    for one in results:
        kinds.update(one.kinds)
        acts.update(one.acts)
    failures = {name: found for one in results for name, found in one.failures.items()}
    stories, faults = sum(one.stories for one in results), sum(kinds.values())
    for kind, count in sorted(kinds.items(), key=lambda one: -one[1]):
        print(f"{count:7}  {kind}")
    kills = {n: kinds.get(n, 0) for n in kinds if n.startswith("kill -9")}
    print(f"{stories} stories, {faults} faults, {sum(kills.values())} kills of real processes,")
    print(f"{len(failures)} stories that do not hold; {seconds:.0f} s")
    OUT.parent.mkdir(exist_ok=True)
    document = {
        "stories": stories,
        "faults": faults,
        "kills": sum(kills.values()),
        "seconds": round(seconds),
        "kinds": dict(sorted(kinds.items())),
        "acts": dict(sorted(acts.items())),
        "failures": failures,
        "parts": [one.to_json() for one in results],
    }
    OUT.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return 1 if failures else 0
