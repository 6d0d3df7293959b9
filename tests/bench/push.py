"""A device that comes home: 1,000 inspections of 60 entries, pushed to the running server.

The floor is the standard library's sqlite3 alone, which durably inserts the same lines as rows, a
transaction for each request that the device sent.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from fieldkit.store import Identity
from fieldkit.transport import HttpTransport
from sync.session import Request, read_answer, read_request, write_request
from tests.bench.figure import Figure, beside
from tests.bench.laptop import enrolled_store, sync
from tests.bench.office import NOW, Laptop, Office, office

INSPECTIONS = 1_000
ENTRIES = 60
ROUNDS = 3

Batch = list[tuple[str, int, bytes]]


def figures(folder: Path) -> Iterator[Figure]:
    with office(folder, ROUNDS) as made:
        devices = iter(
            [_Device(folder / f"laptop-{n}", made, one) for n, one in enumerate(made.laptops)]
        )
        batches: list[Batch] = []

        def push() -> float:
            device = next(devices)
            begin = time.perf_counter()
            sent = device.push()
            took = time.perf_counter() - begin
            batches[:] = [_lines(body) for body in sent]
            pushed = sum(len(batch) for batch in batches)
            assert pushed == INSPECTIONS * ENTRIES, pushed
            return INSPECTIONS / took

        def floor() -> float:
            begin = time.perf_counter()
            _insert(folder / f"{uuid.uuid4()}.sqlite", batches)
            return INSPECTIONS / (time.perf_counter() - begin)

        name = f"{INSPECTIONS:,} inspections of {ENTRIES} entries, pushed"
        yield beside(name, "inspections/s", push, "their lines by sqlite3 alone", floor, ROUNDS)


class _Device:
    """An enrolled laptop whose store holds inspections that were never sent."""

    def __init__(self, folder: Path, made: Office, laptop: Laptop) -> None:
        self.laptop, self.port = laptop, made.port
        with HttpTransport(f"http://127.0.0.1:{made.port}", laptop.token) as transport:
            asked = Request(laptop.id, laptop.cursor, (), (), NOW)
            answer = read_answer(transport.exchange(write_request(asked)))
        self.store = enrolled_store(folder, made, laptop, answer.cursor)
        self.identity: Identity = self.store.identity()
        self._record(laptop.facilities[0])

    def _record(self, facility: str) -> None:
        about = {"facility": facility, "checklist": "ab" * 32, "purpose": "yearly", "mode": "live"}
        where = {"lat": "5.123456", "lon": "101.123456", "accuracy_m": "8", "at": NOW}
        with self.store.writing(self.identity, NOW, "the inspections") as log:
            for _ in range(INSPECTIONS):
                name = str(uuid.uuid4())
                log.append(name, "about", about)
                for n in range(1, ENTRIES):
                    value = {"level": "fully", "note": f"Seen at pond {n}.", "fix": where}
                    log.append(name, f"answers/GEN-G1/{n}", {**value, "checklist": "ab" * 32})

    def push(self) -> list[bytes]:
        """Sync until nothing waits; the requests that were sent."""
        sent: list[bytes] = []
        with HttpTransport(f"http://127.0.0.1:{self.port}", self.laptop.token) as transport:
            exchange = transport.exchange

            def noted(request: bytes) -> bytes:
                sent.append(request)
                return exchange(request)

            transport.exchange = noted  # type: ignore[method-assign]
            sync(self.store, self.laptop, transport)
        return sent


def _lines(body: bytes) -> Batch:
    return [
        (segment.inspection, segment.first + n, line)
        for segment in read_request(body).segments
        for n, line in enumerate(segment.lines)
    ]


def _insert(path: Path, batches: list[Batch]) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma journal_mode = wal")
    conn.execute("pragma synchronous = full")
    conn.execute("create table lines (log text, seq integer, line blob, primary key (log, seq))")
    for batch in batches:
        conn.execute("begin immediate")
        conn.executemany("insert into lines values (?, ?, ?)", batch)
        conn.execute("commit")
    conn.close()
