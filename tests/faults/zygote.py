"""Starts real commands quickly: a process that has loaded both programs, and forks.

`python -m tests.faults.zygote` reads a JSON list a line on standard input: the file that the
command writes to, `fieldkit` or `tapak`, and its words. It writes `started PID`, and later
`ended PID CODE`. Each command is a process and a group of its own.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys


def main() -> None:
    """Fork a command for every line, until the input ends."""
    import httpx  # noqa: F401 - loaded here, so that no command has to
    import rich.console  # noqa: F401

    import server.admin.bundles
    import server.cli
    import server.context
    import server.services.bundle_intake
    import server.services.bundle_report
    import server.store.postgres
    import server.store.sqlite  # noqa: F401

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(woken, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in waiting.select():
            if key.fd == woken:
                os.read(woken, 4096)
                continue
            data = os.read(0, 65_536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _say(f"started {_fork(json.loads(line))}")
        _reap()


def _reap() -> None:
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not process:
            return
        _say(f"ended {process} {os.waitstatus_to_exitcode(status)}")


def _fork(words: list[str]) -> int:
    process = os.fork()
    if process:
        return process
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    out = os.open(words[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    import fieldkit.cli
    import server.cli

    code = 1
    try:
        sys.argv = words[1:]
        {"fieldkit": fieldkit.cli.main, "tapak": server.cli.main}[words[1]]()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
