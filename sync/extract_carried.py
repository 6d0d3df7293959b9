"""What of a colleague's view of a log can be carried on to the server (S2): its unbroken beginning.

Segments may come from any carrier: it is the log's own signature that counts. From the first line
that is withheld on, the server cannot follow the chain, and the device itself has to bring them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from sync.extract import Extract, Hole
from sync.log import Segment


def is_unbroken(extract: Extract) -> bool:
    """Whether nothing of a run is withheld and the device itself signed its end."""
    if any(isinstance(row, Hole) for row in extract.rows):
        return False
    return any(one.seq == extract.last and not one.vouched for one in extract.proofs)


def carried_segments(runs: Iterable[Extract]) -> Iterator[Segment]:
    """The runs of one log, in order and each ending where somebody signed, as the segments that
    the server can take: those before the first that is broken.
    """
    for run in takewhile(is_unbroken, runs):
        proof = next(one for one in run.proofs if one.seq == run.last and not one.vouched)
        lines = tuple(row for row in run.rows if isinstance(row, bytes))
        yield Segment(run.device, run.log, run.first, lines, proof.signature)
