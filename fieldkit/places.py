"""The positions of a log's lines that are here: all up to the last but those withheld (L3, S5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import overload


class Places(Sequence[int]):
    """Positions in ascending order. A log has no gaps: what is not here of it is a hole, noted.

    `holes` are the withheld positions before `last`, in order. Nothing is stored for the rest.
    """

    def __init__(self, last: int, holes: Sequence[int] = ()) -> None:
        self._length = last - len(holes)
        # How many lines stand before each hole.
        self._before = [hole - n for n, hole in enumerate(holes, start=1)]

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        if isinstance(at, slice):
            return [self[n] for n in range(*at.indices(self._length))]
        n = at + self._length if at < 0 else at
        if not 0 <= n < self._length:
            raise IndexError(at)
        return n + 1 + bisect_right(self._before, n)

    def __contains__(self, seq: object) -> bool:
        if not isinstance(seq, int):
            return False
        n = bisect_right(self, seq)
        return n > 0 and self[n - 1] == seq
