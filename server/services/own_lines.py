"""A device's own log given back to it (S11): what it sealed away comes again for correction."""

from __future__ import annotations

from server.context import Context
from server.store import devices, logs
from sync.log import is_log_name
from sync.own_lines import PAGE_BYTES, PAGE_LINES
from sync.problems import problem
from sync.wire import DEVICE


def own_lines(
    ctx: Context, person: str, device: str, inspection: str, after: int
) -> tuple[int, list[bytes]]:
    """How far a log of this person's device is held, and its next lines behind position `after`.

    Raises `device-not-yours` for anybody else's device, as for one that was never enrolled.
    """
    if not DEVICE.match(device) or not is_log_name(inspection):
        raise problem("device-not-yours")
    with ctx.db.read() as tx:
        found = devices.find(tx, device)
        if found is None or found.person != person or found.kind != devices.DEVICE:
            raise problem("device-not-yours")
        key = device, inspection
        log = logs.find_logs(tx, {key}).get(key)
        if log is None or after >= log.seq:
            return (0 if log is None else log.seq), []
        last = min(log.seq, after + PAGE_LINES)
        given: list[bytes] = []
        room = PAGE_BYTES
        for run in logs.runs_of(tx, log.id, after + 1, last):
            for seq, line in enumerate(run.lines, start=run.first):
                if after < seq <= last and (room > 0 or not given):
                    given.append(line)
                    room -= len(line)
        return log.seq, given
