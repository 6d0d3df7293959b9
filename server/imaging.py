"""The server's runner of the processes in which pictures are read.

What a device sent is read there, never in a process that answers requests. The auditor's side has
a runner of its own, because neither side imports the other; what they share is `sync.photo_batch`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from sync import photo_batch
from sync.photo_batch import ENVIRONMENT, MEMORY_MB, SECONDS, Reading


def read_files(
    paths: Iterable[Path | Reading],
    *,
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
    previews: bool = False,
    processes: int = 1,
) -> Iterator[Reading]:
    """`sync.photo_batch.read_files` with real processes."""
    start = partial(ReadingProcess, memory_mb, seconds)
    return photo_batch.read_files(
        paths, start, seconds=seconds, previews=previews, processes=processes
    )


class ReadingProcess:
    """One child process that reads pictures, as `sync.photo_batch.Process` wants it."""

    def __init__(self, memory_mb: int, seconds: float) -> None:
        # With -P: the folder one stands in, which may hold a stranger's json.py, is no place that
        # modules come from.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sync.photo_child", str(memory_mb), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT},
            text=True,
            encoding="ascii",
        )

    def say(self, line: str) -> None:
        """Write a line to it; that it is gone is found out by listening."""
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).write(line)
            _pipe(self._process.stdin).flush()

    def hear(self, seconds: float) -> tuple[str, bool]:
        """A line of it, and whether the time was up: then it is killed, and the line may be cut."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            line = _pipe(self._process.stdout).readline()
        finally:
            timer.cancel()
            timer.join()
        return line, late.is_set()

    def end(self) -> None:
        """Kill it and wait for that; harmless when it is gone."""
        self._process.kill()
        with suppress(BrokenPipeError):  # an unsent request, to nobody
            _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        self._process.wait()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101 - both were opened as pipes
    return pipe
