"""Reads picture files in a child process that has little memory and little time.

What a device sent is read here, never in a process that answers requests. One child serves a
whole batch; a file that ends it is reported, and a new child serves the next file. The auditor's
side has a runner of its own of the same build, because neither side imports the other.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sync.problems import Problem, problem

if sys.platform != "win32":
    import resource

MOST_BYTES = 200_000_000
MEMORY_MB = 512
SECONDS = 10

_STARTING_SECONDS = 60  # a child that says nothing by then will not start at all
_READY = "ready\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """One file read: photo facts as JSON or a problem, and where its preview was written."""

    path: Path
    facts: dict[str, Any] | None
    problem: Problem | None
    preview: Path | None = None


def read_files(
    paths: Iterable[Path],
    *,
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
    preview_to: Callable[[Path], Path | None] = lambda _: None,
) -> Iterator[Reading]:
    """Read each file in order; `preview_to` names the file that a picture's preview goes to.

    Every file ends with facts or a problem: picture-unreadable, picture-too-costly, file-missing
    or file-unreadable. Raises OSError only where a preview cannot be written.
    """
    child: _Child | None = None
    try:
        for path in paths:
            refusal = _refuse(path)
            if refusal is not None:
                yield Reading(path, None, refusal)
                continue
            if child is None or child.ended:
                if child is not None:
                    child.end()
                child = _Child(memory_mb, seconds)
            target = preview_to(path)
            answer = child.ask({"path": os.fspath(path), "preview": target is not None})
            yield _reading(path, answer, target)
    finally:
        if child is not None:
            child.end()


def _refuse(path: Path) -> Problem | None:
    """What is plain without opening the file: missing, not a file, far too large."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return problem("file-missing", name=str(path))
    except OSError as exc:
        return problem("file-unreadable", name=str(path), why=exc.strerror or "unknown")
    if not stat.S_ISREG(found.st_mode):
        return problem("file-unreadable", name=str(path), why="it is not a file")
    if found.st_size > MOST_BYTES:
        return problem("picture-too-costly", limit=f"{MOST_BYTES // 1_000_000} MB of file")
    return None


def _reading(path: Path, answer: dict[str, Any], target: Path | None) -> Reading:
    if "code" in answer:
        return Reading(path, None, problem(answer["code"], **answer["detail"]))
    if target is not None:
        _write(target, base64.b64decode(answer["preview"]))
    return Reading(path, answer["facts"], None, target)


def _write(target: Path, data: bytes) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


# -- the parent's end -----------------------------------------------------------------------------


class _Child:
    """One reading process; `ended` when it is gone or must not be asked again."""

    def __init__(self, memory_mb: int, seconds: float) -> None:
        self._seconds = seconds
        # By its path and with -P: the folder one stands in, which may hold a stranger's json.py, is
        # no place that modules come from.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(memory_mb), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="ascii",
        )
        line, _ = self._line(_STARTING_SECONDS)
        self._started = line == _READY
        self.ended = not self._started

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's answer, or a problem's code and detail when it gives none in time."""
        if not self._started:
            # Nothing is known of the bytes, so the picture itself is not called unreadable.
            return _file_unreadable(request["path"], "the program that reads it does not start")
        line, late = "", False
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).write(json.dumps(request) + "\n")
            _pipe(self._process.stdin).flush()
            line, late = self._line(self._seconds)
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            # What a refused allocation leaves behind would count against the next picture.
            self.ended = late or answer.get("code") == "picture-too-costly"
            return answer
        self.ended = True
        if late:
            return _too_costly(f"{self._seconds:g} s")
        return _unreadable("reading it ended the program that reads pictures")

    def end(self) -> None:
        """Kill the process and wait for it; harmless when it is gone."""
        self._process.kill()
        with suppress(BrokenPipeError):  # an unsent request, to nobody
            _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        self._process.wait()

    def _line(self, seconds: float) -> tuple[str, bool]:
        """One line of the child's, and whether the time was up; then the child is killed."""
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


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101 - both were opened as pipes
    return pipe


def _too_costly(limit: str) -> dict[str, Any]:
    return {"code": "picture-too-costly", "detail": {"limit": limit}}


def _unreadable(why: str) -> dict[str, Any]:
    return {"code": "picture-unreadable", "detail": {"why": why}}


def _file_unreadable(name: str, why: str) -> dict[str, Any]:
    return {"code": "file-unreadable", "detail": {"name": name, "why": why}}


# -- the child's end ------------------------------------------------------------------------------


def _serve(memory_mb: int, seconds: float) -> None:
    """Answer requests, a JSON line each, until standard input ends."""
    _limit_memory(memory_mb)
    # The parent has no need of Pillow.
    from sync.photo import read_photo, read_photo_with_preview  # noqa: PLC0415

    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a C library that prints must not speak in between
    answers.write(_READY)
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        _alarm(seconds + 2)
        answer: dict[str, Any] = {}
        try:
            data = _bytes(Path(request["path"]))
            if request["preview"]:
                facts, small = read_photo_with_preview(data)
                answer["preview"] = base64.b64encode(small).decode()
            else:
                facts = read_photo(data)
            answer["facts"] = facts.to_json()
        except Problem as exc:
            answer = {"code": exc.code, "detail": exc.detail}
        except MemoryError:
            answer = _too_costly(f"{memory_mb} MB of memory")
        except OSError as exc:
            answer = _file_unreadable(request["path"], exc.strerror or "unknown")
        _alarm(0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise problem("picture-too-costly", limit=f"{MOST_BYTES // 1_000_000} MB of file")
    return data


def _limit_memory(memory_mb: int) -> None:
    if sys.platform == "win32":
        return  # Windows has no such limit; the time limit stands there alone
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _alarm(seconds: float) -> None:
    """End this process by itself when the parent is gone and cannot."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
