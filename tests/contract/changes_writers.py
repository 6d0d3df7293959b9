"""Writers of changes in a process of their own, beside a reader (S5)."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier

from server.store import changes
from server.store.changes import News
from server.store.db import Database

TOGETHER = 125
PATIENCE = 120  # seconds until a process that never came is given up


def write(db: Database, writer: int, count: int) -> None:
    """So many changes for one reader, `TOGETHER` in a transaction."""
    for n in range(0, count, TOGETHER):
        made = [News("p-reader", "lines", f"{writer}-{n + i}", n) for i in range(TOGETHER)]
        db.write(lambda tx, made=made: changes.tell_all(tx, made))


def write_together(url: str, writers: Iterable[int], count: int, begin: Barrier) -> None:
    """A serving process with a thread for each writer; it begins when the others have come."""
    db, numbers = Database(url), list(writers)
    begin.wait(PATIENCE)
    with ThreadPoolExecutor(len(numbers)) as pool:
        for one in [pool.submit(write, db, n, count) for n in numbers]:
            one.result()
    db.close()
