"""The worker's jobs: done once whoever does them, finished before it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from region import (
    DAY_MS,
    HILL,
    TODAY,
    VALLEY,
    VISIT_1,
    Clock,
    enrolled_device,
    jpeg,
    visit,
)
from sqlalchemy import update

from server.context import Context
from server.schedule import LEASE_MS, Worker, run_once
from server.store import assessments, gradings, leases, tables

WORKER = """
import sys
from pathlib import Path
from server.context import open_context
from server.schedule import run_worker
from server.settings import read_settings

ctx = open_context(read_settings(Path(sys.argv[1])))
run_worker(ctx, lambda: print("ready", flush=True))
ctx.db.close()
print("left", flush=True)
"""


@pytest.fixture
def region(either_region: Context) -> Context:
    """Everything here holds on each database."""
    return either_region


def graded(ctx: Context, facility: str = HILL) -> str | None:
    """The date that the stored score is as of."""
    with ctx.db.read() as tx:
        row = assessments.find(tx, "facility", facility)
    return None if row is None else row.as_of


def holders(ctx: Context) -> set[str]:
    with ctx.db.read() as tx:
        return {row.holder for row in tx.execute(tables.leases.select())}


def test_one_run_reads_the_pictures_and_grades_what_is_marked(region: Context) -> None:
    visit(enrolled_device(region), VISIT_1, HILL, picture=jpeg(1))
    ran = run_once(region)
    assert (ran.pictures, ran.graded.left) == (1, {})
    assert set(ran.graded.done) == {HILL, VALLEY}
    assert graded(region) == "2026-11-23"
    again = run_once(region)
    assert (again.pictures, again.graded.done) == (0, [])


def test_of_two_workers_one_does_the_job(region: Context) -> None:
    first, second = Worker(region, "first"), Worker(region, "second")
    ran = first.read_and_grade()
    assert ran is not None
    assert set(ran.graded.done) == {HILL, VALLEY}
    assert second.read_and_grade() is None
    assert first.read_and_grade() is not None


def test_another_worker_takes_over_when_the_lease_of_a_dead_one_has_run_out(
    region: Context, clock: Clock
) -> None:
    first, second = Worker(region, "first"), Worker(region, "second")
    assert first.read_and_grade() is not None
    clock.at += LEASE_MS - 1
    assert second.read_and_grade() is None
    clock.at += 1
    assert second.read_and_grade() is not None
    assert first.read_and_grade() is None


def test_a_worker_that_goes_on_keeps_its_lease(region: Context, clock: Clock) -> None:
    first, second = Worker(region, "first"), Worker(region, "second")
    for _ in range(10):
        assert first.read_and_grade() is not None
        assert second.read_and_grade() is None
        clock.at += LEASE_MS // 3


def test_a_worker_that_leaves_lets_the_next_one_begin_at_once(region: Context) -> None:
    first, second = Worker(region, "first"), Worker(region, "second")
    first.read_and_grade()
    first.regrade()
    first.leave()
    assert holders(region) == set()
    assert second.read_and_grade() is not None
    assert second.regrade() is not None
    assert holders(region) == {"second"}


def test_a_lease_is_kept_apart_from_the_leases_of_other_jobs(region: Context) -> None:
    def take(name: str, holder: str) -> bool:
        return region.db.write(lambda tx: leases.take(tx, name, holder, TODAY, TODAY + 10))

    assert take("grade", "first")
    assert take("regrade", "second")
    assert not take("grade", "second")


def test_on_a_new_day_everything_is_graded_again_as_of_that_day(
    region: Context, clock: Clock
) -> None:
    """Scoring rule 4: evidence ages though nothing arrives."""
    worker = Worker(region, "first")
    assert worker.regrade() == 0
    worker.read_and_grade()
    clock.at += DAY_MS
    assert worker.regrade() == 2
    worker.read_and_grade()
    assert (graded(region, HILL), graded(region, VALLEY)) == ("2026-11-24", "2026-11-24")
    assert worker.regrade() == 0


def test_a_facility_that_cannot_be_graded_is_told_once_and_tried_when_asked_again(
    region: Context, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    where = tables.declarations.c.facility == HILL
    with region.db.read() as tx:
        whole = tx.execute(tables.declarations.select().where(where)).one().body
    region.db.write(
        lambda tx: tx.execute(update(tables.declarations).where(where).values(body=b"{}"))
    )
    worker = Worker(region, "first")
    for _ in range(3):
        worker.read_and_grade()
    assert [HILL in record.getMessage() for record in caplog.records] == [True]
    assert graded(region, VALLEY) is not None
    region.db.write(
        lambda tx: (
            tx.execute(update(tables.declarations).where(where).values(body=whole)),
            gradings.mark_stale(tx, HILL, "2026-11-23", region.now()),
        )
    )
    ran = worker.read_and_grade()
    assert ran is not None
    assert ran.graded.done == [HILL]


def test_marking_within_one_millisecond_is_still_another_asking(region: Context) -> None:
    def mark() -> int:
        region.db.write(lambda tx: gradings.mark_stale(tx, HILL, "2026-11-23", TODAY))
        with region.db.read() as tx:
            found = gradings.find(tx, HILL)
        assert found is not None
        return found.asked_at

    assert mark() < mark() < mark()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_told_to_and_gives_its_leases_back(
    region: Context, how: signal.Signals
) -> None:
    region.db.close()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WORKER, str(region.settings.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TAPAK_DATABASE": region.settings.database_url},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(how)
    out, errors = process.communicate()
    assert (out, errors, process.returncode) == ("left\n", "", 0)
    assert holders(region) == set()
    # On starting it asked for grades as of the day that its own clock told.
    with region.db.read() as tx:
        asked = {one.as_of for one in gradings.every(tx)}
    assert asked <= {datetime.now(UTC).date().isoformat(), _yesterday()}


def _yesterday() -> str:
    """For a test that runs over midnight."""
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() - 86_400, UTC).date().isoformat()
