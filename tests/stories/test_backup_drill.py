"""The drill: back up while devices sync, lose the server, restore it, and miss nothing (S4, S5).

Real processes throughout: `tapak serve`, `tapak worker`, `fieldkit`. What came after the backup,
a device that was enrolled after it included, is on the server again at the end, each line once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_region import SITE, Region
from test_kills import make_pictures

from server.context import Context, open_context
from server.demo.processes import Stage, stop
from server.schedule import run_once
from server.services.backup_folder import BackupFolder
from server.settings import read_settings
from server.store import assessments, audit, flags, gradings
from sync.receipt import SignedBytes, read_receipt

pytestmark = pytest.mark.xdist_group("drill")

Line = tuple[str, str, int]


def backup(region: Region, folder: Path, *words: str) -> dict[str, Any]:
    return json.loads(region.stage.tapak("admin", "backup", str(folder), *words, "--json"))


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def on_device(stage: Stage, person: str) -> dict[Line, bytes]:
    """Every line of a laptop, by device, log and seq."""
    found = rows(stage.home(person) / "store.sqlite", "select device, log, seq, line from lines")
    return {(device, log, seq): bytes(line) for device, log, seq, line in found}


def on_server(stage: Stage) -> dict[Line, bytes]:
    """Every line that the server holds; none of them twice."""
    found = rows(
        stage.server_data / "tapak.sqlite",
        "select logs.device, logs.inspection, segments.first, segments.lines"
        " from segments join logs on logs.id = segments.log",
    )
    lines: dict[Line, bytes] = {}
    for device, log, first, run in found:
        for seq, line in enumerate(bytes(run).split(b"\n")[:-1], first):
            assert (device, log, seq) not in lines, "a line is doubled"
            lines[device, log, seq] = line
    return lines


def files_of(stage: Stage, person: str) -> dict[str, bytes]:
    """The bytes of every file that a laptop's entries name."""
    home = stage.home(person)
    found = rows(home / "store.sqlite", "select sha256 from files")
    return {sha256: (home / "files" / sha256[:2] / sha256).read_bytes() for (sha256,) in found}


def receipts_of(stage: Stage, person: str) -> list[SignedBytes]:
    found = rows(
        stage.home(person) / "store.sqlite", "select payload, signature from receipts order by id"
    )
    return [SignedBytes(bytes(payload), bytes(signature)) for payload, signature in found]


@contextlib.contextmanager
def opened(stage: Stage) -> Any:
    ctx = open_context(read_settings(stage.server_data, environ={}))
    try:
        yield ctx
    finally:
        ctx.db.close()


def graded(ctx: Context, as_of: str) -> list[tuple[object, ...]]:
    """Scores, findings and flags of the facility as of a date, as the bytes they are stored in."""
    ctx.db.write(lambda tx: gradings.mark_stale(tx, SITE.id, as_of, ctx.now()))
    assert run_once(ctx).graded.left == {}
    with ctx.db.read() as tx:
        return [
            *(
                (a.scope, a.subject, a.as_of, a.grade, a.score, a.inputs, timeless(a.findings))
                for a in assessments.of_facility(tx, SITE.id)
            ),
            *((f.id, f.rule, f.status, timeless(f.body)) for f in flags.of_facility(tx, SITE.id)),
        ]


def timeless(found: bytes) -> bytes:
    """What a rule found, but for the visit's hours: the server corrects them by the clock offset
    that it measures at a sync (L9), and after a loss it measures that anew, milliseconds apart.
    """
    return re.sub(rb'"visit_(began|ended)":\d+', rb'"visit_\1":0', found)


def new_auditor(region: Region, login: str) -> None:
    tapak = region.stage.tapak
    words = ("person", "add", login, "--name", login.title(), "--role", "auditor")
    where = ("--jurisdiction", "asean", "--password-stdin")
    tapak("admin", *words, *where, given=region.password + "\n")
    when = ("--from", "2026-01-01", "--to", "2036-01-01", "--purpose", "yearly")
    tapak("admin", "assign", SITE.id, login, *when)


def enrol(region: Region, login: str) -> None:
    link = json.loads(region.stage.tapak("admin", "invite", login, "--json"))["link"]
    region.stage.fieldkit(login, "enrol", link)


def backups_during_a_sync(region: Region, folder: Path) -> list[dict[str, Any]]:
    """Back up again and again for as long as a sync of many pictures goes on."""
    home = str(region.stage.home(region.person))
    going = subprocess.Popen(
        [sys.executable, "-m", "fieldkit", "--home", home, "sync"],
        env=region.stage.environment(),
        stdout=subprocess.DEVNULL,
    )
    made = []
    while going.poll() is None:
        made.append(backup(region, folder))
    assert going.returncode == 0
    return made


def test_after_a_lost_server_and_an_older_backup_nothing_is_missing(
    region: Region, tmp_path: Path
) -> None:
    """S2, S4, S5: the whole drill, with counts printed."""
    stage, folder = region.stage, tmp_path / "backup"
    worker = stage.start("worker")
    region.processes.append(worker)
    new_auditor(region, "budi")

    # 1. A visit with pictures; it is backed up while it comes in.
    region.fieldkit("start", SITE.id, "--fix", "5.0,101.3,5")
    region.fieldkit("answer", "GEN-G1", "FM", "--note", "all permits on the board")
    region.fieldkit("photo", *make_pictures(tmp_path, 0, 30), "--item", "ISL-E6")
    during = backups_during_a_sync(region, folder)
    assert during
    for one in during:
        told = json.loads(
            stage.tapak("admin", "backup", str(folder), "--check", "--run", one["run"], "--json")
        )
        assert told["faults"] == []
    last = backup(region, folder)
    then = on_server(stage)

    # 2. What the backup will not know: more of that visit, a sign-off, a second visit; and a
    #    second device, enrolled now, with a visit of its own. All of it is acknowledged.
    region.fieldkit("answer", "GEN-G2", "PM", "--note", "one licence has run out")
    region.fieldkit("photo", *make_pictures(tmp_path, 100, 4), "--item", "GEN-G2")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    region.fieldkit("start", SITE.id, "--new")
    region.fieldkit("answer", "GEN-G1", "SM")
    enrol(region, "budi")
    stage.fieldkit("budi", "prepare")
    stage.fieldkit("budi", "start", SITE.id)
    stage.fieldkit("budi", "observe", "operating/warm-kiln", "yes")
    stage.fieldkit("budi", "photo", *make_pictures(tmp_path, 200, 3), "--item", "GEN-G1")
    stage.fieldkit("budi", "outcome", "visited")
    stage.fieldkit("budi", "sign-off")
    for person in ("aminah", "budi"):
        stage.fieldkit(person, "sync")
    stop(worker)
    with opened(stage) as ctx:
        public_key, id_ = ctx.public_key, ctx.id
        with ctx.db.read() as tx:
            as_of = gradings.every(tx)[0].as_of
        before = graded(ctx, as_of)
    lost = on_server(stage)
    assert len(lost) > len(then)
    receipts = {person: receipts_of(stage, person) for person in ("aminah", "budi")}
    # Work that was not even sent when the server went; a training visit, which changes no score.
    region.fieldkit("start", SITE.id, "--new", "--training")
    region.fieldkit("answer", "GEN-G5", "FM")

    # 3. The server is gone: its process, its database, its files, its key.
    server = region.processes[0]
    os.killpg(server.pid, 9)  # its worker processes with it, so that none writes on
    server.wait()
    shutil.rmtree(stage.server_data)
    restored = json.loads(stage.tapak("admin", "restore", str(folder), "--json"))
    assert restored["run"] == last["run"]
    assert on_server(stage) == then
    stage.tapak("admin", "verify")
    region.serve()

    # 4. Devices sync. One of them the restored server does not know: it is enrolled again.
    told = json.loads(region.fieldkit("sync", "--json"))
    assert told["restored"] and set(told["waiting"].values()) == {0}
    assert told["sent"]["files"] == 4
    refused = json.loads(stage.fieldkit("budi", "sync", "--json", ends_with=1))
    assert refused["problem"]["code"] == "token-unknown"
    enrol(region, "budi")
    assert json.loads(stage.fieldkit("budi", "sync", "--json"))["restored"]

    # 5. Nothing is missing, nothing is doubled, and nothing is said twice.
    held = on_server(stage)
    mine = {**on_device(stage, "aminah"), **on_device(stage, "budi")}
    assert held == mine
    assert held.items() > lost.items()
    named = {**files_of(stage, "aminah"), **files_of(stage, "budi")}
    for sha256, data in named.items():
        assert (stage.server_data / "files" / sha256[:2] / sha256[2:]).read_bytes() == data
    verified = json.loads(stage.tapak("admin", "verify", "--json"))
    assert verified["faults"] == []
    assert verified["counts"]["files"] == len(named)
    assert verified["counts"]["files missing"] == 0
    for person in ("aminah", "budi"):
        quiet = json.loads(stage.fieldkit(person, "sync", "--json"))
        assert (quiet["requests"], quiet["sent"]["entries"], quiet["restored"]) == (1, 0, False)

    # 6. The receipts of before are proof still; the epoch is another one; the score is the same.
    epochs: Counter[int] = Counter()
    for person, old in receipts.items():
        now = receipts_of(stage, person)
        assert now[: len(old)] == old
        epochs.update(read_receipt(public_key, one).epoch for one in now)
    assert set(epochs) == {1, restored["epoch"]}
    with opened(stage) as ctx:
        assert ctx.id == id_
        after = graded(ctx, as_of)
        with ctx.db.read() as tx:
            assert audit.epoch(tx) == restored["epoch"]
            assert "server.restore" in [line["action"] for line in audit.lines(tx)]
    print(
        f"backups during a sync: {len(during)}; lines in the backup: {len(then)},"
        f" lost with the server: {len(lost) - len(then)}, at the end: {len(held)};"
        f" files in the backup: {last['files']}, at the end: {len(named)};"
        f" receipts by epoch: {dict(epochs)}"
    )
    assert after == before
    assert BackupFolder(folder).find(None).name == last["run"]
