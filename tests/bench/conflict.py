"""Conflict events around a facility: 1,000,000 of them beside 10,000, on each database,
and beside the distances to all of them. In milliseconds of the processor's time, the database
server's included.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import psutil
from pyproj import Geod

from checklists.conflict.event import Event
from server.services.conflict import combined, look
from server.store import conflict
from server.store.conflict import CURRENT, Snapshot
from server.store.db import Database
from tests.bench.figure import Figure, beside
from tests.real_postgres import real_postgres

FEW, MANY = 10_000, 1_000_000
ON = date(2026, 11, 1)
# Of the region: over 30 years, from Sumatra to the Philippines, as evenly as chance has it.
SOUTH, NORTH, WEST, EAST, DAYS = -11.0, 28.0, 92.0, 127.0, 30 * 365
LOOKUPS = 200
ROUNDS = 7
BATCH = 10_000
GEOD = Geod(ellps="WGS84")


def figures(folder: Path) -> Iterator[Figure]:
    folder.mkdir(exist_ok=True)
    kinds = ("few", "elsewhere", "dense")
    opened = {kind: _filled(f"sqlite:///{folder / kind}.sqlite", kind) for kind in kinds}
    yield from _of("SQLite", opened, time.process_time)
    with real_postgres("bench", "bench") as postgres:
        opened = {kind: _filled(postgres.url(postgres.empty()), kind) for kind in kinds}
        for db in opened.values():
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
                tx.exec_driver_sql("VACUUM ANALYZE conflict_events")
        yield from _of("PostgreSQL", opened, _spent_with_children)


def _of(name: str, opened: dict[str, Database], spent: Callable[[], float]) -> Iterator[Figure]:
    few, elsewhere, dense = (_lookup(opened[kind], spent) for kind in opened)
    many = "exposure of a place, 1,000,000 events"
    yield beside(f"{many}, {name}", "ms", elsewhere, "10,000 of them", few, ROUNDS)
    yield beside(
        f"{many} in the region, 100 times as many around each place, {name}",
        "ms",
        dense,
        "10,000 in the region",
        few,
        ROUNDS,
    )
    yield beside(
        f"geodesic distances to 1,000,000 events, {name}",
        "ms",
        _all_distances(),
        "an exposure, 1,000,000 in the region",
        dense,
        ROUNDS,
    )
    for db in opened.values():
        db.close()


def _lookup(db: Database, spent: Callable[[], float]) -> Callable[[], float]:
    """Milliseconds for one exposure, over many places of which each has what is near it."""

    def run() -> float:
        places = random.Random(3)
        with db.read() as tx:
            begin = spent()
            known = 0
            for _ in range(LOOKUPS):
                lat, lon = places.uniform(SOUTH + 2, NORTH - 2), places.uniform(WEST + 2, EAST - 2)
                known += combined(look(tx, lat, lon, ON, "MM")) is not None
            taken = (spent() - begin) / LOOKUPS * 1000
        if known != LOOKUPS:
            raise RuntimeError(known)
        return taken

    return run


def _spent_with_children() -> float:
    """Of this process, and of PostgreSQL's that work for it."""
    total = time.process_time()
    for one in psutil.process_iter(["name", "cpu_times"]):
        if one.info["name"] == "postgres" and one.info["cpu_times"] is not None:
            total += one.info["cpu_times"].user + one.info["cpu_times"].system
    return total


def _all_distances() -> Callable[[], float]:
    drawn = np.random.default_rng(1)
    lats, lons = drawn.uniform(SOUTH, NORTH, MANY), drawn.uniform(WEST, EAST, MANY)
    here = np.full(MANY, 20.0), np.full(MANY, 97.0)

    def run() -> float:
        begin = time.process_time()
        GEOD.inv(here[1], here[0], lons, lats)
        return (time.process_time() - begin) * 1000

    return run


def _filled(url: str, kind: str) -> Database:
    """A database with made-up events of UCDP: few in the region, with many more elsewhere in the
    world, or many in the region (dense).
    """
    db = Database(url)
    db.migrate()
    drawn = random.Random(4)
    count = FEW if kind == "few" else MANY
    snapshot = Snapshot(
        0, "ucdp", CURRENT, "made up", "", 0, "1", "", "2026-11-01", ("MM",),
        "1996-01-01", "2026-11-01", count, 0, 0, 0,
    )  # fmt: skip
    snapshot = replace(snapshot, id=db.write(lambda tx: conflict.add_snapshot(tx, snapshot)))
    for at in range(0, count, BATCH):
        shift = 0.0 if at < FEW or kind == "dense" else -150.0
        batch = [_event(drawn, n, shift) for n in range(at, at + BATCH)]
        db.write(lambda tx, b=batch: conflict.put_events(tx, snapshot.id, b))
    return db


def _event(drawn: random.Random, n: int, shift: float) -> Event:
    day = ON - timedelta(days=drawn.randrange(DAYS))
    lat, lon = drawn.uniform(SOUTH, NORTH), drawn.uniform(WEST, EAST) + shift
    if n % 4 == 0:  # known by region only
        return Event(str(n), day, day, day, None, None, 0, 10, 1, 0, "MM")
    return Event(
        str(n), day, day, day, round(lat * 1e7), round(lon * 1e7), drawn.choice((1000, 25_000)),
        10, drawn.randrange(20), 0, "MM", "A made-up army - a made-up front", "A town",
    )  # fmt: skip
