"""Reads the pictures that arrived: facts and a preview, or why the bytes cannot be read.

Both are derived from the held bytes and can be deleted and read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from server.blobs import SPOOL
from server.blobs.shelf import disk_problem
from server.context import Context
from server.imaging import Reading, read_files
from server.store import facts, gradings
from server.store.transaction import Tx
from sync.problems import Problem

BATCH = 50

# A file that is gone or cannot be opened says nothing about its bytes: `tapak admin verify` does.
_SAYS_NOTHING = ("file-missing", "file-unreadable", "file-not-here")


def read_new(ctx: Context) -> int:
    """Read every held picture that was not read yet; return how many were.

    The facilities whose visits name one of them are to be graded again, as of the date they have.
    Raises `disk-full`, `folder-read-only`, `files-away` and `files-refused`.
    """
    count, after = 0, ""
    while True:
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


def _read(ctx: Context, digests: Sequence[str]) -> Iterator[facts.FactsRow]:
    by_path: dict[Path, str] = {}

    def paths() -> Iterator[Path]:
        # One file at a time: it goes when its reading was taken and the next is asked for.
        for digest in digests:
            try:
                with ctx.blobs.local(digest) as path:
                    by_path[path] = digest
                    yield path
            except Problem as exc:
                if exc.code not in _SAYS_NOTHING:
                    raise

    with TemporaryDirectory(prefix=SPOOL, dir=ctx.settings.incoming) as scratch:
        preview = Path(scratch) / "preview.jpg"
        for reading in read_files(paths(), preview_to=lambda _: preview):
            digest = by_path.pop(reading.path)
            if reading.preview is not None:
                ctx.previews.keep(digest, reading.preview)
            yield from _row(digest, reading)


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
