"""Jobs that gather while one is done are done in one go, each with an outcome of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from server.store.db import Database
from server.store.together import Outcome, Together


class Held:
    """A work whose first run waits until it is let go, so that the jobs behind it gather."""

    def __init__(self, jobs: int) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.jobs = jobs

    def __call__(self, jobs: Sequence[int]) -> list[Outcome[int]]:
        self.batches.append(list(jobs))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.go.wait(60)
        return [Outcome(error=ValueError(f"job {n}")) if n < 0 else Outcome(n * 10) for n in jobs]


def ask(together: Together[int, int], job: int, said: dict[int, object]) -> None:
    try:
        said[job] = together.do(job)
    except ValueError as exc:
        said[job] = str(exc)


def run_behind_the_first(work: Held, jobs: Sequence[int]) -> dict[int, object]:
    """What each job came to, when all but the first come while the first is being done."""
    together = Together(work)
    said: dict[int, object] = {}
    threads = [threading.Thread(target=ask, args=(together, job, said)) for job in jobs]
    threads[0].start()
    assert work.begun.wait(60)
    for n, thread in enumerate(threads[1:], start=1):
        thread.start()
        while len(together._waiting) < n:
            pass
    work.go.set()
    for thread in threads:
        thread.join(60)
    return said


def test_jobs_that_come_while_one_is_done_are_done_together_in_their_order() -> None:
    work = Held(6)
    assert run_behind_the_first(work, [1, 2, 3, 4, 5]) == {n: n * 10 for n in range(1, 6)}
    assert work.batches == [[1], [2, 3, 4, 5]]


def test_a_job_that_fails_fails_for_who_brought_it_alone() -> None:
    said = run_behind_the_first(Held(4), [1, 2, -3, 4])
    assert said == {1: 10, 2: 20, -3: "job -3", 4: 40}


def test_a_work_that_breaks_off_is_told_to_all_and_holds_up_nobody_after() -> None:
    def break_off(jobs: Sequence[int]) -> list[Outcome[int]]:
        if 2 in jobs:
            raise ValueError("broken off")
        return [Outcome(n) for n in jobs]

    together = Together(break_off)
    with pytest.raises(ValueError, match="broken off"):
        together.do(2)
    assert together.do(3) == 3


def test_a_hundred_threads_get_each_their_own() -> None:
    together = Together(lambda jobs: [Outcome(n * n) for n in jobs])
    said: dict[int, object] = {}
    threads = [threading.Thread(target=ask, args=(together, n, said)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said == {n: n * n for n in range(100)}


# -- writes that share a transaction --------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    made.write(lambda tx: tx.execute(text("create table t (n integer primary key)")))
    return made


def insert(database: Database, n: int, fails: type[Exception] | None = None) -> None:
    def work(tx: object) -> None:
        tx.execute(text("insert into t values (:n)"), {"n": n})
        if fails is not None:
            raise fails(f"after {n}")

    database.write(work)


def numbers(database: Database) -> list[int]:
    with database.read() as tx:
        return list(tx.execute(text("select n from t order by n")).scalars())


def all_at_once(database: Database, works: Sequence[tuple[int, type[Exception] | None]]) -> dict:
    """Write all of these in one transaction: they gather behind a writer that waits for them."""
    outcomes: dict[int, object] = {}
    begun = threading.Event()

    def first(tx: object) -> None:
        begun.set()
        while len(database._writer._waiting) < len(works):
            pass

    def one(n: int, fails: type[Exception] | None) -> None:
        try:
            insert(database, n, fails)
            outcomes[n] = "stored"
        except (ValueError, KeyError, IntegrityError) as exc:
            outcomes[n] = type(exc).__name__

    leader = threading.Thread(target=database.write, args=(first,))
    leader.start()
    assert begun.wait(60)
    threads = [threading.Thread(target=one, args=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in (leader, *threads):
        thread.join(60)
    return outcomes


def test_a_work_that_fails_among_others_takes_nothing_but_its_own_with_it(
    database: Database,
) -> None:
    said = all_at_once(database, [(1, None), (2, ValueError), (3, None), (4, KeyError)])
    assert said == {1: "stored", 2: "ValueError", 3: "stored", 4: "KeyError"}
    assert numbers(database) == [1, 3]


def test_a_rule_of_the_database_that_one_breaks_is_told_to_that_one(database: Database) -> None:
    insert(database, 7)
    said = all_at_once(database, [(6, None), (7, None), (8, None)])
    assert said == {6: "stored", 7: "IntegrityError", 8: "stored"}
    assert numbers(database) == [6, 7, 8]


def test_jobs_of_one_kind_that_cannot_be_done_together_are_done_one_by_one(
    database: Database,
) -> None:
    def insert_all(tx: object, jobs: Sequence[int]) -> list[int]:
        for n in jobs:
            tx.execute(text("insert into t values (:n)"), {"n": n})
        return [n + 100 for n in jobs]

    insert(database, 5)
    outcomes = database._do_all(insert_all, [4, 5, 6])
    assert [outcome.value for outcome in outcomes] == [104, None, 106]
    assert type(outcomes[1].error).__name__ == "IntegrityError"
    assert numbers(database) == [4, 5, 6]
    assert database.write_many(insert_all, 9) == 109
