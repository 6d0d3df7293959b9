"""Several operating-system processes write to one database at once: no gap, nothing twice (S5)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from region import (
    AUDITOR,
    CONSOLE,
    HILL,
    OTHER,
    TODAY,
    VALLEY,
    VISIT_1,
    VISIT_2,
    Device,
    enrolled_device,
    jpeg,
)
from sqlalchemy import inspect

from server.context import Context
from server.services.enrolment import invite
from server.services.verify import verify
from server.store import audit, changes, devices, gradings, logs, tables
from server.store.db import Database
from sync.log import Segment, sign_head
from sync.session import Request, write_request

pytestmark = pytest.mark.xdist_group("side-by-side")

HERE = Path(__file__).parent
PROCESSES = 3
Job = tuple[str, dict[str, Any]]


@pytest.fixture
def region(either_region: Context) -> Context:
    """Everything here holds on each database."""
    return either_region


def together(data: Path, database_url: str, *jobs: Job, now: int = TODAY) -> list[Any]:
    """Run each job in a process of its own, all from one moment on; what each found."""
    done = subprocess.run(
        [sys.executable, str(HERE / "neighbour.py"), str(data)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TAPAK_DATABASE": database_url, "TEST_NOW": f"{now}"},
    )
    if done.returncode:
        pytest.fail(done.stderr)
    found: list[Any] = json.loads(done.stdout)
    return found


def run(ctx: Context, *jobs: Job) -> list[Any]:
    return together(ctx.settings.data, ctx.settings.database_url, *jobs, now=ctx.now())


def requests(device: Device, inspection: str) -> list[str]:
    """A request for each line of the device's log, none of them sent yet."""
    lines, hashes = device.logs[inspection], device.hashes[inspection]
    found = []
    for n, line in enumerate(lines, 1):
        segment = Segment(device.id, inspection, n, (line,), sign_head(device.key, hashes[n]))
        body = write_request(Request(device.id, None, (), (segment,), device.ctx.now()))
        found.append(base64.b64encode(body).decode())
    return found


def a_visit(device: Device, inspection: str, facility: str, notes: int) -> None:
    device.start(inspection, facility)
    for n in range(notes):
        device.record(inspection, f"comments/{n}", {"text": f"note {n}"})


# -- numbers --------------------------------------------------------------------------------------


def test_the_audit_trail_has_no_gap_and_its_chain_holds(region: Context) -> None:
    with region.db.read() as tx:
        before = audit.count(tx)
    found = run(region, *[("trail", {"times": 40})] * PROCESSES)
    numbers = [n for some in found for n in some]
    assert sorted(numbers) == list(range(before + 1, before + PROCESSES * 40 + 1))
    with region.db.read() as tx:
        assert list(audit.faults(tx)) == []
        told = Counter((line["who"], line["detail"].get("n")) for line in audit.lines(tx, "x"))
    assert len(told) == PROCESSES * 40 and set(told.values()) == {1}


def test_who_follows_a_cursor_while_others_write_skips_no_change(region: Context) -> None:
    """S5"""
    with region.db.read() as tx:
        before = changes.position(tx)[1]
    last = before + PROCESSES * 40 * 2
    jobs: list[Job] = [("tell", {"person": "p-1", "times": 40})] * PROCESSES
    readers: list[Job] = [("follow", {"person": "p-1", "after": before, "last": last})] * 2
    found = run(region, *jobs, *readers)
    for seen in found[PROCESSES:]:
        assert seen == list(range(before + 1, last + 1))


def test_every_asking_for_a_grade_is_told_from_every_other(region: Context) -> None:
    with region.db.read() as tx:
        before = gradings.find(tx, HILL)
    assert before is not None
    run(region, *[("mark", {"facility": HILL, "times": 30})] * PROCESSES)
    run(region, *[("mark", {"facility": "never-seen", "times": 30})] * PROCESSES)
    with region.db.read() as tx:
        assert gradings.find(tx, HILL).asked_at == before.asked_at + PROCESSES * 30
        assert gradings.find(tx, "never-seen").asked_at == PROCESSES * 30 - 1


def test_failed_logins_are_all_counted(region: Context) -> None:
    found = run(region, *[("fail_login", {"login": "rosa", "times": 30})] * PROCESSES)
    counted = sorted(n for some in found for n in some)
    assert counted == list(range(1, PROCESSES * 30 + 1))


# -- logs and files -------------------------------------------------------------------------------


def test_the_same_log_sent_by_several_at_once_is_held_once_beside_others(
    region: Context,
) -> None:
    """S2"""
    first, second = enrolled_device(region), enrolled_device(region, OTHER, seed=2)
    a_visit(first, VISIT_1, HILL, 24)
    a_visit(first, VISIT_2, VALLEY, 24)
    a_visit(second, VISIT_1, HILL, 24)
    sent: list[Job] = [
        ("send", {"device": one.id, "person": one.person, "bodies": requests(one, visit)})
        for one, visit in ((first, VISIT_1), (first, VISIT_1), (first, VISIT_2), (second, VISIT_1))
    ]
    found = run(region, *sent)
    assert {state for some in found for states in some for state in states} == {"held"}
    with region.db.read() as tx:
        held = {
            (one.device, one.inspection): logs.lines_of(tx, one.id) for one in logs.all_logs(tx)
        }
    assert held == {
        (first.id, VISIT_1): first.logs[VISIT_1],
        (first.id, VISIT_2): first.logs[VISIT_2],
        (second.id, VISIT_1): second.logs[VISIT_1],
    }
    report = verify(region)
    assert report.faults == ()
    assert report.counts["segments"] == 3 * 25
    assert report.counts["receipts"] == 4 * 25


def test_a_branch_sent_by_several_at_once_is_set_aside_once(region: Context) -> None:
    """S3"""
    device = enrolled_device(region)
    a_visit(device, VISIT_1, HILL, 2)
    device.send()
    other = Device(region, AUDITOR, device.key)
    a_visit(other, VISIT_1, VALLEY, 3)
    job: Job = (
        "send",
        {"device": device.id, "person": AUDITOR, "bodies": requests(other, VISIT_1)[:1]},
    )
    assert run(region, *[job] * PROCESSES) == [[["forked"]]] * PROCESSES
    report = verify(region)
    assert report.faults == ()
    assert report.counts["branches set aside"] == 1


def test_the_same_file_sent_by_several_at_once_is_held_once(region: Context) -> None:
    """S6"""
    device, data = enrolled_device(region), jpeg(1)
    device.start(VISIT_1, HILL)
    sha256 = device.photo(VISIT_1, data, ["GEN-G1/-"])
    device.send()
    arguments = {"person": AUDITOR, "sha256": sha256, "data": base64.b64encode(data).decode()}
    found = run(region, *[("put_file", arguments)] * PROCESSES)
    assert all(found)
    assert b"".join(region.blobs.chunks(sha256)) == data
    assert hashlib.sha256(data).hexdigest() == sha256
    report = verify(region)
    assert (report.faults, report.counts["files"]) == ((), 1)


# -- once and only once ---------------------------------------------------------------------------


def test_an_invitation_used_by_several_at_once_enrols_one_device(region: Context) -> None:
    """S8"""
    codes = [
        invite(region, AUDITOR, CONSOLE).partition("#")[2].rpartition(".")[0] for _ in range(6)
    ]
    jobs: list[Job] = []
    for process in range(PROCESSES):
        own = (
            Ed25519PrivateKey.from_private_bytes(bytes([n + 1, process] * 16)).public_key()
            for n in range(len(codes))
        )
        keys = [base64.b64encode(key.public_bytes_raw()).decode() for key in own]
        jobs.append(("accept", {"codes": codes, "keys": keys}))
    for answers in zip(*run(region, *jobs), strict=True):
        assert Counter(answers) == {"enrolled": 1, "invitation-unknown": PROCESSES - 1}
    with region.db.read() as tx:
        assert len(devices.every(tx)) == len(codes)
    assert verify(region).faults == ()


def test_a_lease_is_given_to_one_of_several(region: Context) -> None:
    names = [f"job {n}" for n in range(30)]
    found = run(region, *[("take_leases", {"names": names})] * PROCESSES)
    assert sorted(name for some in found for name in some) == sorted(names)


def test_of_several_workers_one_grades(region: Context) -> None:
    found = run(region, *[("work_on", {})] * PROCESSES)
    done = [one for one in found if one is not None]
    assert [sorted(one) for one in done] == [[HILL, VALLEY]]


# -- beginning ------------------------------------------------------------------------------------


@pytest.fixture(params=("sqlite", "postgresql"))
def nothing_yet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.sqlite'}"
        return
    postgres = request.getfixturevalue("postgres")
    name = postgres.empty()
    yield postgres.url(name)
    postgres.drop(name)


def test_several_that_start_at_once_make_the_tables_once(nothing_yet: str, tmp_path: Path) -> None:
    together(tmp_path, nothing_yet, *[("migrate", {})] * PROCESSES)
    db = Database(nothing_yet)
    made = set(inspect(db.engine).get_table_names())
    db.close()
    assert made == {*tables.metadata.tables, "alembic_version"}


def test_several_that_start_at_once_sign_with_one_key(nothing_yet: str, tmp_path: Path) -> None:
    """S4"""
    ids = together(tmp_path / "server", nothing_yet, *[("open", {})] * PROCESSES)
    assert len(set(ids)) == 1
    there = sorted(one.name for one in (tmp_path / "server/keys").iterdir())
    assert there == ["receipt.ed25519", "sealing.age"]
