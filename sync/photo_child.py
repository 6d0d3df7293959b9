"""The process in which pictures are read: a request a line in, an answer a line out.

Decoders are C code that meets strangers' bytes, so they run where there is little memory and
little time: `python -P -m sync.photo_child MEGABYTES SECONDS`, started by each side's own runner
(`fieldkit.imaging`, `server.imaging`). The parent's end of the conversation is `sync.photo_batch`.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from sync.photo_batch import MOST_BYTES, READY
from sync.problems import Problem, problem

if sys.platform != "win32":
    import resource


def serve(
    requests: Iterable[str], answers: IO[str], memory_mb: int, watch: Callable[[bool], None]
) -> None:
    """Answer request lines until they end; `watch` is told when reading a picture begins and ends.

    `memory_mb` is only what a refusal names as the limit.
    """
    # Not before the memory is limited: what does not fit then has not started.
    from sync.photo import read_photo, read_photo_with_preview  # noqa: PLC0415

    answers.write(READY)
    answers.flush()
    for line in requests:
        request = json.loads(line)
        watch(True)
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
            limit = f"{memory_mb} MB of memory"
            answer = {"code": "picture-too-costly", "detail": {"limit": limit}}
        except OSError as exc:
            detail = {"name": request["path"], "why": exc.strerror or "unknown"}
            answer = {"code": "file-unreadable", "detail": detail}
        watch(False)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise problem("picture-too-costly", limit=f"{MOST_BYTES // 1_000_000} MB of file")
    return data


def _main(memory_mb: int, seconds: float) -> None:
    """Serve standard input with the limits set."""

    def watch(reading: bool) -> None:
        # Ends this process by itself when the parent is gone and cannot.
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, seconds + 2 if reading else 0)

    if sys.platform != "win32":  # Windows has no such limit; the time limit stands there alone
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # A Ctrl-C in the terminal is the parent's to answer.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a C library that prints must not speak in between
    serve(sys.stdin, answers, memory_mb, watch)


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]))
