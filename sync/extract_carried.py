"""What of a colleague's view of a log can be carried on to the server (S2): its unbroken beginning.

Segments may come from any carrier: it is the log's own signature that counts. A run with lines
withheld is one only up to the first of them.
"""

from __future__ import annotations

import json
from itertools import takewhile

from sync.extract import Extract, extract_from_json
from sync.log import Segment
from sync.problems import problem


def segment_of(body: bytes) -> Segment | None:
    """The segment in a run as colleagues see it (its JSON), or None where the device signed none.

    Raises `bundle-malformed`.
    """
    try:
        return unbroken(extract_from_json(json.loads(body)))
    except (ValueError, RecursionError) as exc:
        raise problem("bundle-malformed", why=f"a run of lines cannot be read: {exc}") from exc


def unbroken(extract: Extract) -> Segment | None:
    """The longest segment that a run begins with: lines without a hole, signed by the device."""
    lines = tuple(takewhile(lambda row: isinstance(row, bytes), extract.rows))
    last = extract.first + len(lines) - 1
    own = [one for one in extract.proofs if not one.vouched and extract.first <= one.seq <= last]
    if not own:
        return None
    proof = max(own, key=lambda one: one.seq)
    kept = tuple(line for line in lines[: proof.seq - extract.first + 1] if isinstance(line, bytes))
    return Segment(extract.device, extract.log, extract.first, kept, proof.signature)
