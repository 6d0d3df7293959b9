"""Between which two moments an entry must have been written, whatever its device's clock says (L9).

A log is a chain: an entry that quotes a nonce of the server, and all behind it, were written after
that nonce was given; what a receipt of the server covers was written before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sync.log import Record

FAMILY = "device/nonce/"
_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Between:
    """Server times in UTC milliseconds; None where nothing proves a bound on that side."""

    not_before: int | None
    not_after: int | None

    def holds(self, at: int) -> bool:
        """Whether a moment lies within."""
        return (self.not_before is None or at >= self.not_before) and (
            self.not_after is None or at <= self.not_after
        )

    @property
    def contradictory(self) -> bool:
        """Whether the two proofs cannot both be right: the server's own clock was set back."""
        return (
            self.not_before is not None
            and self.not_after is not None
            and self.not_before > self.not_after
        )


def quoted_in(path: str | None) -> str | None:
    """The id of the nonce that an entry at this path quotes, or None."""
    if path is None or not path.startswith(FAMILY):
        return None
    found = path[len(FAMILY) :]
    return found if _ID.match(found) else None


def written_between(
    records: Iterable[Record], given: Mapping[str, int], received: Iterable[tuple[int, int]]
) -> dict[int, Between]:
    """Position in the log -> its interval, for the records of one log.

    `given` has the server's time of each nonce whose signature was checked, by its id; `received`
    has (last position, server's time) of what it acknowledged, in any order. Nonces that are not in
    `given` prove nothing.
    """
    ordered = sorted(records, key=lambda r: r.seq)
    after: dict[int, int | None] = {}
    not_before: int | None = None
    for record in ordered:
        at = given.get(quoted_in(record.path) or "")
        if at is not None and (not_before is None or at > not_before):
            not_before = at
        after[record.seq] = not_before
    found: dict[int, Between] = {}
    not_after: int | None = None
    covers = sorted(received, reverse=True)
    next_one = 0
    for record in reversed(ordered):
        while next_one < len(covers) and covers[next_one][0] >= record.seq:
            at = covers[next_one][1]
            not_after = at if not_after is None else min(not_after, at)
            next_one += 1
        found[record.seq] = Between(after[record.seq], not_after)
    return found
