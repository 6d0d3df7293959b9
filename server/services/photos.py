"""Reads the pictures that arrived: facts and a preview, or why the bytes cannot be read.

Both are derived from the held bytes and can be deleted and read again.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from server.context import Context
from server.imaging import read_files
from server.store import facts, gradings
from server.store.transaction import Tx
from sync.problems import Problem, problem

BATCH = 50

# A file that is gone or cannot be opened says nothing about its bytes: `tapak admin verify` does.
_SAYS_NOTHING = ("file-missing", "file-unreadable")


def look_through(ctx: Context) -> None:
    """Once, when a worker starts: what was lost of the facts is read again by `read_new`."""
    ctx.db.write(facts.forget_lost)


def read_new(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Read every held picture that was not read yet; return how many were.

    `go_on` is asked before each batch, for a worker that may no longer be the one to do it. The
    facilities whose visits name one of them are to be graded again, as of the date they have.
    Raises `disk-full` and `folder-read-only` when a preview cannot be written.
    """
    count, after = 0, ""
    while go_on():
        with ctx.db.read() as tx:
            wanted = facts.unread(tx, after, BATCH)
        if not wanted:
            return count
        after = wanted[-1]
        try:
            rows = list(_read(ctx, wanted))
        except OSError as exc:
            raise _as_problem(exc, ctx.previews.folder) from exc
        ctx.db.write(partial(_keep, rows=rows, now=ctx.now()))
        count += len(rows)
    return count


def _read(ctx: Context, digests: Sequence[str]) -> Iterator[facts.FactsRow]:
    by_path = {ctx.blobs.path(digest): digest for digest in digests}
    for reading in read_files(by_path, previews=True):
        digest = by_path[reading.path]
        if reading.facts is not None:
            _write(ctx.previews.path(digest), reading.preview or b"")
            yield facts.FactsRow(digest, _canonical(reading.facts), None)
        elif reading.problem is not None and reading.problem.code not in _SAYS_NOTHING:
            yield facts.FactsRow(digest, None, reading.problem.happened)


def _write(target: Path, data: bytes) -> None:
    """Write a whole preview or none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _keep(tx: Tx, *, rows: Sequence[facts.FactsRow], now: int) -> None:
    for row in rows:
        facts.keep(tx, row)
    gradings.mark_again(tx, facts.facilities_naming(tx, [row.sha256 for row in rows]), now)


def _canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def _as_problem(exc: OSError, folder: Path) -> Problem:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return problem("disk-full", what="a preview")
    return problem("folder-read-only", folder=str(folder), why=exc.strerror or str(exc))
