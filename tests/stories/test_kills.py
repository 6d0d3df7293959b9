"""kill -9 of client and server at random moments: nothing lost, nothing doubled (S2, S4).

The moments are drawn from a seed that is printed; TAPAK_SEED replays them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_region import Region

from server.demo.pictures import picture
from server.store import logs, stored
from server.store.db import Database

pytestmark = pytest.mark.xdist_group("kills")

KILLS = 5
TRIES = 20


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("TAPAK_SEED", random.SystemRandom().randrange(2**32)))
    print(f"TAPAK_SEED={seed}")
    return random.Random(seed)


def start_fieldkit(region: Region, *words: str) -> subprocess.Popen[bytes]:
    home = str(region.stage.home(region.person))
    return subprocess.Popen(
        [sys.executable, "-m", "fieldkit", "--home", home, *words],
        env=region.stage.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill -9 after a while; whether it was still alive then."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
        return False
    os.killpg(process.pid, 9)
    process.wait()
    return True


def duration(region: Region, *words: str) -> float:
    begin = time.monotonic()
    region.fieldkit(*words)
    return time.monotonic() - begin


def make_pictures(folder: Path, start: int, count: int) -> list[str]:
    """Small pictures, each with other bytes than every one before."""
    from datetime import UTC, datetime

    taken = datetime(2026, 11, 1, 9, tzinfo=UTC)
    base = picture("kiln", 1, lat=5.0, lon=101.3, accuracy_m=5, direction_deg=10, taken=taken)
    paths = []
    for i in range(start, start + count):
        path = folder / f"IMG_{i:04}.jpg"
        path.write_bytes(base + f"<{i}>".encode() * 2000)
        paths.append(str(path))
    return paths


def on_device(region: Region) -> dict[tuple[str, int], bytes]:
    """Every line of the laptop, by (inspection, seq)."""
    with contextlib.closing(
        sqlite3.connect(region.stage.home(region.person) / "store.sqlite")
    ) as db:
        rows = db.execute("select log, seq, line from lines").fetchall()
    return {(a, b): bytes(c) for a, b, c in rows}


def on_server(region: Region) -> dict[tuple[str, int], bytes]:
    """Every line that the server holds, by (inspection, seq)."""
    database = Database(f"sqlite:///{region.stage.server_data / 'tapak.sqlite'}")
    with database.read() as tx:
        rows = [
            (log.inspection, row.seq, row.line)
            for log in logs.all_logs(tx)
            for row in stored.lines_of(tx, log.id)
        ]
    database.close()
    found = {(inspection, seq): line for inspection, seq, line in rows}
    assert len(found) == len(rows), "a line is doubled"
    return found


def check_server_holds_all(region: Region, files: list[str]) -> None:
    assert on_server(region) == on_device(region)
    for path in files:
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        held = region.stage.server_data / "files" / digest[:2] / digest[2:]
        assert held.read_bytes() == Path(path).read_bytes()
    region.stage.tapak("admin", "verify")


def test_the_client_killed_while_it_attaches_photographs(
    region: Region, dice: random.Random
) -> None:
    region.fieldkit("start", "bukit-contoh")
    whole = duration(region, "photo", *make_pictures(region.stage.folder, 0, 4), "--item", "ISL-E6")
    files = make_pictures(region.stage.folder, 0, 4)
    killed = 0
    for n in range(1, TRIES):
        if killed == KILLS:
            break
        batch = make_pictures(region.stage.folder, n * 10, 4)
        files += batch
        process = start_fieldkit(region, "photo", *batch, "--item", "ISL-E6")
        killed += kill_after(process, dice.uniform(0.05, 0.9) * whole)
        before = on_device(region)
        region.fieldkit("photo", *batch, "--item", "ISL-E6")
        after = on_device(region)
        assert before.items() <= after.items(), "an entry was altered or lost"
    assert killed == KILLS
    named = [line for line in on_device(region).values() if b'"path":"evidence/' in line]
    assert len(named) == len(files), "each photograph has one entry"
    region.fieldkit("sync")
    check_server_holds_all(region, files)


def test_the_client_killed_while_it_syncs(region: Region, dice: random.Random) -> None:
    region.fieldkit("start", "bukit-contoh")
    files = make_pictures(region.stage.folder, 0, 3)
    region.fieldkit("photo", *files, "--item", "ISL-E6")
    whole = duration(region, "sync")
    killed = 0
    for n in range(1, TRIES):
        if killed == KILLS:
            break
        batch = make_pictures(region.stage.folder, n * 10, 3)
        files += batch
        region.fieldkit("photo", *batch, "--item", "ISL-E6")
        region.fieldkit("answer", "GEN-G1", "FM", "--note", f"round {n}")
        killed += kill_after(start_fieldkit(region, "sync"), dice.uniform(0.05, 0.9) * whole)
    assert killed == KILLS
    region.fieldkit("sync")
    check_server_holds_all(region, files)
    status = region.fieldkit("status")
    assert re.search(r"held safely +(\d+) of \1 entries, (\d+) of \2 files", status), status


def test_the_server_killed_while_a_client_syncs(region: Region, dice: random.Random) -> None:
    region.fieldkit("start", "bukit-contoh")
    files = make_pictures(region.stage.folder, 0, 3)
    region.fieldkit("photo", *files, "--item", "ISL-E6")
    whole = duration(region, "sync")
    server = region.processes[-1]
    for n in range(1, KILLS + 1):
        batch = make_pictures(region.stage.folder, n * 10, 3)
        files += batch
        region.fieldkit("photo", *batch, "--item", "ISL-E6")
        client = start_fieldkit(region, "sync")
        assert kill_after(server, dice.uniform(0.05, 0.9) * whole), "the server died by itself"
        assert client.wait() in (0, 3)
        server = region.serve()
    region.fieldkit("sync")
    check_server_holds_all(region, files)
