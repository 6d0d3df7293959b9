"""Several processes that work on one database at once; run by test_side_by_side.py.

Each opens the server's data folder, says that it is ready, waits until all are, and does its job;
what came of each is printed as JSON.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from region import Clock

from server.context import Context, open_context
from server.schedule import Worker
from server.services.audit import acted
from server.services.enrolment import enrol
from server.services.intake import receive
from server.services.uploads import begin
from server.settings import read_settings
from server.store import audit, changes, gradings, leases, people
from server.store.db import Database
from sync.problems import Problem
from sync.session import read_answer


def trail(ctx: Context, times: int) -> list[int]:
    """Lines in the audit trail, each in a write of its own; their numbers."""
    me = f"process:{os.getpid()}"
    return [
        ctx.db.write(lambda tx, n=n: audit.record(tx, ctx.now(), me, "test", "x", {"n": n}))
        for n in range(times)
    ]


def tell(ctx: Context, person: str, times: int) -> None:
    """Changes for a person, told together with a line in the trail, as services do it."""
    for n in range(times):
        acted(
            ctx,
            f"process:{os.getpid()}",
            "test",
            "x",
            lambda tx, n=n: changes.tell(tx, [person], [("facility", f"{n}"), ("rules", "r")], n),
        )


def follow(ctx: Context, person: str, after: int, last: int) -> list[int]:
    """Read a person's changes by a cursor up to that number; each number, in the order seen."""
    seen = [after]
    while seen[-1] < last:
        with ctx.db.read() as tx:
            # The cursor is the last number seen: one that appears below it is never read (S5).
            found = [n for n, _, _ in changes.after(tx, person, seen[-1])]
            if not found and changes.position(tx)[1] >= last:
                break
        seen += found
    return seen[1:]


def mark(ctx: Context, facility: str, times: int) -> None:
    """Ask for a facility to be graded, again and again within one millisecond."""
    for _ in range(times):
        ctx.db.write(lambda tx: gradings.mark_stale(tx, facility, "2026-11-23", 0))


def send(ctx: Context, device: str, person: str, bodies: list[str]) -> list[list[str]]:
    """Send prepared requests of a device; the state of each segment of each."""
    found = []
    for body in bodies:
        answer = read_answer(receive(ctx, device, person, base64.b64decode(body)))
        found.append([state.state for state in answer.logs])
    return found


def put_file(ctx: Context, person: str, sha256: str, data: str) -> bool:
    """Send one file; whether all of it is held then."""
    raw = base64.b64decode(data)
    standing = begin(ctx, person, sha256, len(raw), "", [raw])
    return standing.offset == standing.length


def accept(ctx: Context, codes: list[str], keys: list[str]) -> list[str]:
    """Use each invitation with its key; "enrolled", or the code of the refusal."""
    found = []
    for code, key in zip(codes, keys, strict=True):
        try:
            enrol(ctx, code, base64.b64decode(key), "laptop", address=f"process {os.getpid()}")
        except Problem as refused:
            found.append(refused.code)
        else:
            found.append("enrolled")
    return found


def fail_login(ctx: Context, login: str, times: int) -> list[int]:
    """Count failed logins; what each was told of how many there were in a row."""
    return [
        ctx.db.write(lambda tx, n=n: people.count_failure(tx, login, 1000 + n, 0))
        for n in range(times)
    ]


def take_leases(ctx: Context, names: list[str]) -> list[str]:
    """Try to take each lease; those that were got."""
    me = f"{os.getpid()}"
    return [one for one in names if ctx.db.write(lambda tx, n=one: leases.take(tx, n, me, 1, 2))]


def work_on(ctx: Context) -> list[str] | None:
    """One round of a worker: the facilities it graded, or None while another works."""
    ran = Worker(ctx, f"{os.getpid()}").read_and_grade()
    return None if ran is None else ran.graded.done


JOBS: dict[str, Callable[..., Any]] = {
    job.__name__: job
    for job in (
        trail,
        tell,
        follow,
        mark,
        send,
        put_file,
        accept,
        fail_login,
        take_leases,
        work_on,
    )
}


def run(job: str, data: str, arguments: dict[str, Any], begin: Callable[[], None]) -> Any:
    """What came of a job that began when all others did."""
    if job == "migrate":
        begin()
        db = Database(os.environ["TAPAK_DATABASE"])
        db.migrate()
        db.close()
        return None
    if job == "open":
        begin()
        ctx = open_context(read_settings(Path(data)))
        found = ctx.id
        ctx.db.close()
        return found
    # The region's clock, not the machine's: what it has made may long have expired by that.
    ctx = replace(open_context(read_settings(Path(data))), now=Clock(int(os.environ["TEST_NOW"])))
    begin()
    result = JOBS[job](ctx, **arguments)
    ctx.db.close()
    return result


def child(job: str, data: str, arguments: dict[str, Any], gate: int, out: int) -> None:
    """The process of one job: it says that it is ready, waits at the gate, and tells."""

    def begin() -> None:
        os.write(out, b"\n")
        os.read(gate, 1)

    with os.fdopen(out, "w", closefd=False) as told:
        told.write(json.dumps(run(job, data, arguments, begin)))


def main(data: str) -> None:
    """Fork a process for each job on standard input, so that what they need is loaded once."""
    gate, opener = os.pipe()
    pipes: list[int] = []
    pids: list[int] = []
    for job, arguments in json.load(sys.stdin):
        into, out = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(opener)  # or the gate would never open
            code = 1
            try:
                child(job, data, arguments, gate, out)
                code = 0
            except BaseException:  # noqa: BLE001 - told, whatever it is
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(out)
        pipes.append(into)
        pids.append(pid)
    ready = [os.read(one, 1) for one in pipes]
    os.close(opener)  # the gate opens for all at one moment
    told = [open(one, "rb").read() for one in pipes]  # noqa: SIM115, PTH123 - a pipe's own end
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    if any(codes) or b"" in ready:
        sys.exit(1)
    print(json.dumps([json.loads(one) for one in told]))


if __name__ == "__main__":
    main(*sys.argv[1:])
