"""How fast bytes may pass: an upper limit that holds over everything one transport carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

MOST_AT_ONCE = 16_384


@dataclass(slots=True)
class Pace:
    """`limit_kbps` is in kilobits a second, None for no limit.

    `clock` counts seconds and never backwards; `wait` lets so many seconds pass.
    """

    limit_kbps: int | None = None
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _free_at: float = 0.0

    def take(self, count: int) -> None:
        """Wait until so many bytes (8 bits each) may pass."""
        if self.limit_kbps is None:
            return
        now = self.clock()
        begin = max(self._free_at, now)
        self._free_at = begin + count * 8 / (self.limit_kbps * 1000)
        if begin > now:
            self.wait(begin - now)

    def slowly(self, content: bytes | Iterable[bytes]) -> bytes | Iterator[bytes]:
        """The same bytes, in pieces of at most a quarter of a second where there is a limit."""
        if self.limit_kbps is None or content == b"":
            return content if isinstance(content, bytes) else iter(content)
        return self._pieces([content] if isinstance(content, bytes) else content)

    def _pieces(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        most = min(MOST_AT_ONCE, max((self.limit_kbps or 0) * 1000 // 8 // 4, 1))
        for chunk in chunks:
            for at in range(0, len(chunk), most):
                piece = chunk[at : at + most]
                self.take(len(piece))
                yield piece
