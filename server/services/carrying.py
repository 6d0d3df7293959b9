"""The line that an adopted entry carries, for looking up what it names as it comes in (S3)."""

from __future__ import annotations

from server.store import logs
from server.store.transaction import Tx
from sync.adopted import MOST_CARRIED, carried_line, is_adopted, parts_of
from sync.log import Entry, Record, read_line


def innermost(tx: Tx, record: Record) -> Record | None:
    """The record itself, or where it carries a line, and that another one, the last of these."""
    read: Record | None = record
    for _ in range(MOST_CARRIED + 1):
        if not (isinstance(read, Entry) and is_adopted(read)):
            return read
        read = carried_by(tx, read)
    return None


def carried_by(tx: Tx, entry: Entry) -> Record | None:
    """The record in the line that this stored entry completes; None for a part before the last.

    None too for a line of another person's device, which nobody may carry.
    """
    part, count = parts_of(entry)
    if part < count:
        return None
    parts = [entry] if count == 1 else [*_before(tx, entry, count - 1), entry]
    carried = carried_line(parts)
    if carried is None:
        return None
    device, seq, line = carried
    owners = logs.owners_of(tx, {device, entry.device})
    theirs, mine = owners.get(device), owners.get(entry.device)
    if theirs is not None and mine is not None and theirs.person != mine.person:
        return None
    return read_line(line, device, entry.inspection, seq, entry.h)


def _before(tx: Tx, entry: Entry, count: int) -> list[Entry]:
    """The entries of the same log before this one, so many of them."""
    key = entry.device, entry.inspection
    log = logs.find_logs(tx, [key]).get(key)
    first = entry.seq - count
    if log is None or first < 1:
        return []
    lines = logs.lines_of(tx, log.id, first, entry.seq - 1)
    read = [read_line(line, *key, seq, "") for seq, line in enumerate(lines, start=first)]
    return [one for one in read if isinstance(one, Entry)]
