"""A sync with nothing new, with a million entries behind it beside a hundred: bytes and CPU time.

The entries are lines of logs, chained and signed, on the server and on the device, where all of
them are acknowledged. The machine's other work would move the time on the clock; CPU time it hardly
does.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from fieldkit.store import Store
from fieldkit.transport import HttpTransport
from server.context import open_context
from server.settings import read_settings
from server.store import logs
from sync.log import Head, Segment, genesis, link, sign_head
from sync.session import Append
from tests.bench.figure import Figure, beside, once
from tests.bench.laptop import enrolled_store, sync
from tests.bench.office import NOW, Laptop, Office, office
from tests.bench.wire import Counted, relay

SMALL, LARGE = 100, 1_000_000
LONGEST_LOG = 2_000
RUNS = 10  # for each figure of CPU time, which the kernel tells in hundredths of a second


def figures(folder: Path) -> Iterator[Figure]:
    with (
        office(folder / "small", 1) as small,
        office(folder / "large", 1) as large,
        relay(small.port) as to_small,
        relay(large.port) as to_large,
    ):
        sides = [
            Side(folder / "small", small, to_small, SMALL),
            Side(folder / "large", large, to_large, LARGE),
        ]
        few, many = sides
        name = "a sync with nothing new, 1,000,000 entries behind it"
        yield once(f"{name}: up and down", "B", many.traffic(), "with 100", few.traffic())
        yield beside(f"{name}: CPU time of the device", "ms", many.device, "with 100", few.device)
        yield beside(f"{name}: CPU time of the server", "ms", many.server, "with 100", few.server)


class Side:
    """A device and its server, with so many entries behind them."""

    def __init__(self, folder: Path, made: Office, counted: Counted, entries: int) -> None:
        self.laptop, self.counted, self.office = made.laptops[0], counted, made
        self.store = enrolled_store(folder / "laptop", made, self.laptop, None)
        self.transport = HttpTransport(f"http://127.0.0.1:{counted.port}", self.laptop.token)
        _write_on_both(folder, self.store, self.laptop, entries)
        # What the server says at its start comes down, and the nonce of the hour.
        sync(self.store, self.laptop, self.transport)

    def traffic(self) -> int:
        self.counted.taken()
        sync(self.store, self.laptop, self.transport)
        return sum(self.counted.taken())

    def device(self) -> float:
        begin = time.process_time()
        for _ in range(RUNS):
            sync(self.store, self.laptop, self.transport)
        return (time.process_time() - begin) * 1000 / RUNS

    def server(self) -> float:
        begin = _cpu_of_children(self.office.process.pid)
        for _ in range(RUNS):
            sync(self.store, self.laptop, self.transport)
        return (_cpu_of_children(self.office.process.pid) - begin) * 1000 / RUNS


def _write_on_both(folder: Path, store: Store, laptop: Laptop, entries: int) -> None:
    """Logs of at most 2,000 entries, each sent as one segment and acknowledged."""
    ctx = open_context(read_settings(folder, environ=dict(os.environ)))
    key, device, person = laptop.public_key, laptop.id, laptop.person
    for begin in range(0, entries, LONGEST_LOG):
        name = str(uuid.uuid4())
        count = min(LONGEST_LOG, entries - begin)
        running, lines, hashes, paths = genesis(key, name), [], [], []
        for seq in range(1, count + 1):
            paths.append(f"answers/GEN-G{seq}/-")
            lines.append(
                f'{{"seq":{seq},"at":{NOW + seq},"by":"{person}","path":"{paths[-1]}",'
                '"value":{"level":"fully"}}'.encode()
            )
            running = link(running, lines[-1])
            hashes.append(running)
        segment = Segment(device, name, 1, tuple(lines), sign_head(laptop.key, running))
        new = Append(1, segment.lines, tuple(hashes), Head(count, running))
        held = logs.NewLines(segment, None, new, NOW, 0)
        ctx.db.write(lambda tx, held=held: logs.append(tx, [held]))  # type: ignore[misc]
        with store.database.write("the history") as tx:
            tx.executemany(
                "insert into lines (log, device, seq, path, line, h) values (?, ?, ?, ?, ?, ?)",
                (
                    (name, device, seq, path, line, h)
                    for seq, (path, line, h) in enumerate(
                        zip(paths, lines, hashes, strict=True), start=1
                    )
                ),
            )
            tx.execute(
                "insert into acknowledged (log, device, seq, state) values (?, ?, ?, 'held')",
                (name, device, count),
            )
    ctx.db.close()


def _cpu_of_children(pid: int) -> float:
    """Seconds of CPU time of a server's working processes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
