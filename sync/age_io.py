"""What pyrage reads from and writes to: pieces of any size, and the caller's own errors kept.

pyrage puts errors of its reader and writer into words of its own; these keep them for the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Pieces:
    """Pieces of any size as something to be read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.failed: BaseException | None = None
        self._pieces = iter(pieces)
        self._left = memoryview(b"")

    def read(self, size: int = 65_536) -> bytes:
        """Up to so many bytes; none at the end. Raises what making the pieces raises."""
        try:
            while not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._left = memoryview(piece)
        except BaseException as exc:
            self.failed = exc
            raise
        out, self._left = bytes(self._left[:size]), self._left[size:]
        return out


class Taker:
    """Something to be written to that hands every piece on."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.failed: BaseException | None = None
        self._take = take

    def write(self, data: bytes) -> int:
        """Hand a piece on. Raises what taking it raises; after that nothing is handed on."""
        if self.failed is not None:
            return len(data)  # what pyrage still had in hand when it was told to stop
        try:
            self._take(data)
        except BaseException as exc:
            self.failed = exc
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""
