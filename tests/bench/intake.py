"""Acknowledged durable inspections a second, beside endpoints that durably store the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench.figure import Figure, beside
from tests.bench.load import request_bytes, run
from tests.bench.office import Laptop, Office, office
from tests.real_postgres import real_postgres

CLIENTS = (1, 8, 32)
PHOTOS = 3
PHOTO_BYTES = 300_000
OCTETS = {"Content-Type": "application/octet-stream"}

# Of each round, over all clients: enough to last longer than a round's own unevenness.
INSPECTIONS = {1: 80, 8: 240, 32: 640}
WITH_PHOTOS = {1: 20, 8: 48, 32: 96}

Scripts = Callable[[Laptop, int], Sequence[bytes]]


def figures(folder: Path) -> Iterator[Figure]:
    with office(folder / "sqlite", max(CLIENTS)) as made:
        yield from _of(made, "SQLite")
    with real_postgres("bench", "bench") as postgres:
        for setting in ("fsync", "full_page_writes"):  # which tests do without, and this must not
            postgres.run(f"ALTER SYSTEM SET {setting} = on")
        postgres.run("SELECT pg_reload_conf()")
        url = postgres.url(postgres.empty())
        with office(folder / "on-postgres", max(CLIENTS), url) as made:
            yield from _of(made, "PostgreSQL")


def _of(made: Office, database: str) -> Iterator[Figure]:
    for clients in CLIENTS:
        yield beside(
            f"inspections of 42 answers, {database}, clients: {clients}",
            "1/s",
            _rate(made, clients, INSPECTIONS[clients], _inspection),
            "an endpoint that inserts a row of that size",
            _rate(made, clients, INSPECTIONS[clients], _row),
        )
    for clients in CLIENTS:
        yield beside(
            f"the same with three photos of 300 kB, {database}, clients: {clients}",
            "1/s",
            _rate(made, clients, WITH_PHOTOS[clients], _with_photos),
            "endpoints that insert the row and store the files",
            _rate(made, clients, WITH_PHOTOS[clients], _row_and_files),
        )


def _rate(made: Office, clients: int, count: int, script: Scripts) -> Callable[[], float]:
    """Whole inspections a second, once what is sent has been made."""
    each = count // clients

    def work() -> float:
        laptops = made.laptops[:clients]
        scripts = [
            [message for n in range(each) for message in script(laptop, n)] for laptop in laptops
        ]
        return each * clients / run(made.port, scripts)

    return work


def _facility(laptop: Laptop, n: int) -> str:
    return laptop.facilities[n % len(laptop.facilities)]


def _inspection(laptop: Laptop, n: int) -> Sequence[bytes]:
    return [laptop.sync(laptop.inspection(_facility(laptop, n)))]


def _row(laptop: Laptop, n: int) -> Sequence[bytes]:
    return [laptop.sync(laptop.inspection(_facility(laptop, n)), "/floor/row")]


def _with_photos(laptop: Laptop, n: int) -> Sequence[bytes]:
    """The entries, each photograph, and the request that brings the receipt for them."""
    photos = _photos()
    entries = laptop.sync(laptop.inspection(_facility(laptop, n), photos))
    return [entries, *(laptop.upload(photo) for photo in photos), laptop.awaiting(photos)]


def _row_and_files(laptop: Laptop, n: int) -> Sequence[bytes]:
    photos = _photos()
    entries = laptop.sync(laptop.inspection(_facility(laptop, n), photos), "/floor/row")
    files = [request_bytes("POST", "/floor/file", laptop.token, one, OCTETS) for one in photos]
    return [entries, *files]


def _photos() -> tuple[bytes, ...]:
    return tuple(os.urandom(PHOTO_BYTES) for _ in range(PHOTOS))
