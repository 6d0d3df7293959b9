"""Reads the pictures that arrived: facts and a preview, or why the bytes cannot be read.

Both are derived from the held bytes and can be deleted and read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from server.blobs import SPOOL
from server.blobs.shelf import disk_problem
from server.context import Context
from server.imaging import read_files
from server.store import facts, gradings
from server.store.transaction import Tx
from sync.photo_batch import Reading
from sync.problems import Problem

BATCH = 50

# A file that is gone or cannot be opened says nothing about its bytes: `tapak admin verify` does.
_SAYS_NOTHING = ("file-missing", "file-unreadable", "file-not-here")


def look_through(ctx: Context) -> None:
    """Once, when a worker starts: what was lost of the facts is read again by `read_new`."""
    ctx.db.write(facts.forget_lost)


def read_new(ctx: Context, go_on: Callable[[], bool] = lambda: True) -> int:
    """Read every held picture that was not read yet; return how many were.

    `go_on` is asked before each batch, for a worker that may no longer be the one to do it. The
    facilities whose visits name one of them are to be graded again, as of the date they have.
    Raises `disk-full`, `folder-read-only`, `files-away` and `files-refused`.
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
            raise disk_problem(exc, ctx.settings.incoming) from exc
        ctx.db.write(partial(_keep, rows=rows, now=ctx.now()))
        count += len(rows)
    return count


def _read(ctx: Context, digests: Sequence[str]) -> Iterator[facts.FactsRow]:
    opened: dict[Path, tuple[str, ExitStack]] = {}

    def paths() -> Iterator[Path]:
        for digest in digests:
            here = ExitStack()
            try:
                path = here.enter_context(ctx.blobs.local(digest))
            except Problem as exc:
                if exc.code not in _SAYS_NOTHING:
                    raise
                continue
            opened[path] = digest, here
            yield path

    # A file stays here until its reading was taken: the next is asked for while it is being read.
    with TemporaryDirectory(prefix=SPOOL, dir=ctx.settings.incoming) as scratch:
        small = Path(scratch) / "preview.jpg"
        try:
            for reading in read_files(paths(), previews=True):
                digest, here = opened.pop(reading.path)
                with here:
                    if reading.preview is not None:
                        small.write_bytes(reading.preview)
                        ctx.previews.keep(digest, small)
                    yield from _row(digest, reading)
        finally:
            for _, here in opened.values():
                here.close()


def _row(digest: str, reading: Reading) -> Iterator[facts.FactsRow]:
    if reading.facts is not None:
        yield facts.FactsRow(digest, _canonical(reading.facts), None)
    elif reading.problem is not None and reading.problem.code not in _SAYS_NOTHING:
        yield facts.FactsRow(digest, None, reading.problem.happened)


def _keep(tx: Tx, *, rows: Sequence[facts.FactsRow], now: int) -> None:
    for row in rows:
        facts.keep(tx, row)
    gradings.mark_again(tx, facts.facilities_naming(tx, [row.sha256 for row in rows]), now)


def _canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")
