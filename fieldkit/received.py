"""Files that a colleague hands over in a bundle: to disk as they come, and kept only when whole.

Only files that an entry here names are kept, so that nobody can fill this disk with anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from queue import Full, Queue
from threading import Thread

from fieldkit.blobs import Blobs
from fieldkit.store import Store
from sync.bundle_reader import FileBegins, FileEnds
from sync.problems import Problem, problem


def named_here(store: Store, sha256: str) -> bool:
    """Whether an entry on this device, its own or a colleague's, names the file."""
    return bool(
        store.database.rows(
            "select 1 from lines where path >= ?1 and path < ?2 limit 1",
            (f"evidence/{sha256}/", f"evidence/{sha256}0"),
        )
    )


class _DroppedError(Exception):
    """The bytes of a file end before the file does."""


class BytesOnTheirWay:
    """One file as it comes out of a bundle; `wanted` says whether it is to be kept.

    The bytes come when the bundle has them and are kept as the device keeps files, sealed where it
    has a passphrase (S11): a thread of its own takes them over, a few pieces at a time.
    """

    def __init__(self, blobs: Blobs, begins: FileBegins, wanted: bool) -> None:
        self._failed: Problem | None = None
        self._kept = False
        self._pieces: Queue[bytes | _DroppedError | None] = Queue(maxsize=8)
        self._thread: Thread | None = None
        if wanted and blobs.size(begins.sha256) != begins.size:
            self._thread = Thread(target=self._keep, args=(blobs, begins.sha256), daemon=True)
            self._thread.start()

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises what keeping a file raises."""
        self._give(data)

    def end(self, event: FileEnds) -> bool:
        """Keep the file if it fits its digest; whether it is new here. Raises `file-digest`."""
        if self._thread is None:
            return False
        if not event.fits:
            self.drop()
            raise problem("file-digest", got="another one", wanted=event.sha256)
        self._give(None)
        self._thread.join()
        self._thread = None
        if self._failed is not None:
            raise self._failed
        return self._kept

    def drop(self) -> None:
        """Forget what came of it."""
        if self._thread is not None:
            self._give(_DroppedError())
            self._thread.join()
            self._thread = None

    def _give(self, piece: bytes | _DroppedError | None) -> None:
        while self._thread is not None and self._thread.is_alive():
            with suppress(Full):
                self._pieces.put(piece, timeout=0.1)
                return
        if self._failed is not None and not isinstance(piece, _DroppedError):
            raise self._failed

    def _keep(self, blobs: Blobs, sha256: str) -> None:
        try:
            blobs.keep_from(self._taken(), sha256[:12])
            self._kept = True
        except _DroppedError:
            pass
        except Problem as exc:
            self._failed = exc

    def _taken(self) -> Iterator[bytes]:
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, _DroppedError):
                raise piece
            yield piece
