"""Pictures through reading processes: what is asked of them, and what their answers mean.

The processes are handed in (`Process`), because this floor starts none; `sync.photo_child` is what
runs in them. A file that ends its process is reported, and a new process reads the next one.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sync.problems import Problem, problem

MOST_BYTES = 200_000_000
MEMORY_MB = 512
SECONDS = 10
STARTING_SECONDS = 60  # a process that says nothing by then will not start at all
READY = "ready\n"

# Each thread of a C library would else reserve an arena of its own out of the little memory.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One file read: photo facts as JSON, and the preview's JPEG bytes if asked for; or why not."""

    path: Path
    facts: dict[str, Any] | None = None
    problem: Problem | None = None
    preview: bytes | None = None


class Process(Protocol):
    """A process that runs `sync.photo_child`, as a runner of either side starts it."""

    def say(self, line: str) -> None:
        """Write a line to it; that it is gone is found out by listening."""

    def hear(self, seconds: float) -> tuple[str, bool]:
        """A line of it, and whether the time was up: then it is killed, and the line may be cut."""

    def end(self) -> None:
        """Kill it and wait for that; harmless when it is gone."""


def read_files(
    paths: Iterable[Path | Reading],
    start: Callable[[], Process],
    *,
    seconds: float = SECONDS,
    previews: bool = False,
    processes: int = 1,
) -> Iterator[Reading]:
    """Read each file, in order; what is a Reading already comes out again at its place.

    Every file ends with facts or a problem: picture-unreadable, picture-too-costly, file-missing
    or file-unreadable. While `processes` files are being read, one more path is asked for; no more
    than that is held.
    """
    pool = _Pool(start, seconds, previews)
    pending: deque[Callable[[], Reading]] = deque()
    try:
        for path in paths:
            if len(pending) == processes:
                yield pending.popleft()()
            pending.append(pool.hand_over(path))
        while pending:
            yield pending.popleft()()
    finally:
        pool.end()


def refuse(path: Path) -> Problem | None:
    """What is plain without opening the file: missing, not a file, far too large."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return problem("file-missing", name=str(path))
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or "its name is none that a file can have"
        return problem("file-unreadable", name=str(path), why=why)
    if not stat.S_ISREG(found.st_mode):
        return problem("file-unreadable", name=str(path), why="it is not a file")
    if found.st_size > MOST_BYTES:
        return problem("picture-too-costly", limit=f"{MOST_BYTES // 1_000_000} MB of file")
    return None


class _Pool:
    """The reading processes of one batch; an idle one is asked before a new one is started."""

    def __init__(self, start: Callable[[], Process], seconds: float, previews: bool) -> None:
        self._start = start
        self._seconds = seconds
        self._previews = previews
        self._all: set[Process] = set()
        self._idle: list[Process] = []
        self._ready: set[Process] = set()

    def hand_over(self, path: Path | Reading) -> Callable[[], Reading]:
        """Begin to read a file; what is returned waits for its reading."""
        if isinstance(path, Reading):
            known = path
            return lambda: known
        why = refuse(path)
        if why is not None:
            refused = Reading(path, problem=why)
            return lambda: refused
        process = self._idle.pop() if self._idle else self._start()
        self._all.add(process)
        process.say(json.dumps({"path": os.fspath(path), "preview": self._previews}) + "\n")
        return partial(self._answer, process, path)

    def end(self) -> None:
        """End every process, whatever it is doing."""
        while self._all:
            self._all.pop().end()

    def _answer(self, process: Process, path: Path) -> Reading:
        reading, ended = self._hear(process, path)
        if ended:
            self._all.remove(process)
            self._ready.discard(process)
            process.end()
        else:
            self._idle.append(process)
        return reading

    def _hear(self, process: Process, path: Path) -> tuple[Reading, bool]:
        """What became of the file, and whether the process must not be asked again."""
        if process not in self._ready:
            if process.hear(STARTING_SECONDS)[0] != READY:
                # Nothing is known of the bytes, so the picture itself is not called unreadable.
                why = "the program that reads it does not start"
                fault = problem("file-unreadable", name=str(path), why=why)
                return Reading(path, problem=fault), True
            self._ready.add(process)
        line, late = process.hear(self._seconds)
        if line.endswith("\n"):
            reading = _understood(path, line)
            # What a refused allocation leaves behind would count against the next picture.
            costly = reading.problem is not None and reading.problem.code == "picture-too-costly"
            return reading, late or costly
        if late:
            fault = problem("picture-too-costly", limit=f"{self._seconds:g} s")
        else:
            why = "reading it ended the program that reads pictures"
            fault = problem("picture-unreadable", why=why)
        return Reading(path, problem=fault), True


def _understood(path: Path, line: str) -> Reading:
    answer: dict[str, Any] = json.loads(line)
    if "code" in answer:
        return Reading(path, problem=problem(answer["code"], **answer["detail"]))
    small = answer.get("preview")
    return Reading(path, answer["facts"], None, None if small is None else base64.b64decode(small))
