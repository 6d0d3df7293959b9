"""Who is at work in a device folder: many commands beside each other, or one that is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.problems import problem


@contextmanager
def using(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Be at work in a folder, where there is one; raises `device-in-use`.

    The system forgets it when the process ends, however it ends. Windows has no such lock on a
    folder; there, one who changes the passphrase sees to it that nothing else is running.
    """
    if os.name != "posix" or not folder.is_dir():
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise problem("device-in-use") from exc
        yield
    finally:
        os.close(descriptor)
