"""The database: one engine, read and write transactions, migrations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from server.store import postgres
from server.store.sqlite import BUSY_SECONDS, Sqlite
from server.store.together import Outcome, Together
from sync.problems import Problem, problem

Work = Callable[[Connection], Any]
ManyWork = Callable[[Connection, Sequence[Any]], Sequence[Any]]
J = TypeVar("J")

# What ails the database itself: trying again for each job would make each wait as long.
_OF_THE_STORE = ("store-busy", "store-away", "disk-full", "folder-read-only")
T = TypeVar("T")


class Backend(Protocol):
    """What differs between the databases: engines, and what their errors mean."""

    several_processes: bool  # whether more than one may write to it
    engine: Engine
    readers: Engine
    writers: Engine

    def migrating(self) -> AbstractContextManager[Connection]: ...

    def problem(self, exc: DBAPIError) -> Problem | None: ...


class Database:
    """A database opened for several threads: readers in parallel, writers one after another.

    Works that are to be written at the same time share one transaction and one commit.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.backend = _backend(url)
        self.engine: Engine = self.backend.engine
        self._writer: Together[Work, Any] = Together(self._write_all)
        self._gathered: dict[ManyWork, Together[Any, Any]] = {}
        self._gathering = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and writes nothing.

        Raises `store-away` when a database server cannot be reached, and `store-busy`.
        """
        with self._named(), self.backend.readers.connect() as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a durable transaction; what it returns comes back after the commit.

        The one write lock is taken at the start (SQLite's BEGIN IMMEDIATE, PostgreSQL's
        `WRITE_LOCK`), so the work reads what it builds on. It may share its transaction with works
        of other threads, each behind a savepoint of its own; where that transaction fails as a
        whole, each work is run again by itself. So a work touches nothing but the transaction, and
        may run twice. Raises what the work raises; `store-busy` when another writer holds the lock
        too long, `disk-full` when there is no room, `store-away` when a database server cannot be
        reached; then nothing of the work was acknowledged.
        """
        written: T = self._writer.do(work)
        return written

    def write_many(self, work: Callable[[Connection, Sequence[J]], Sequence[T]], job: J) -> T:
        """As `write`, for work that costs less when it is done for many jobs at a time.

        `work` is handed this job with those that other threads bring at the same time, in order,
        and gives one outcome for each. Where it fails, each job is done again by itself.
        """
        with self._gathering:
            if work not in self._gathered:
                self._gathered[work] = Together(partial(self._do_all, work))
            together = self._gathered[work]
        done: T = together.do(job)
        return done

    def _do_all(self, work: ManyWork, jobs: Sequence[Any]) -> list[Outcome[Any]]:
        try:
            return [Outcome(value) for value in self.write(lambda tx: work(tx, jobs))]
        except Exception as exc:  # noqa: BLE001 - it is raised where the job came from
            of_the_store = isinstance(exc, Problem) and exc.code in _OF_THE_STORE
            if len(jobs) == 1 or of_the_store:
                return [Outcome(error=exc) for _ in jobs]
        return [self._do_all(work, [job])[0] for job in jobs]

    def _write_all(self, works: Sequence[Work]) -> list[Outcome[Any]]:
        if len(works) > 1:
            try:
                with self._writing() as tx:
                    return [self._write_behind_savepoint(tx, work) for work in works]
            except Problem as exc:
                return [Outcome(error=exc) for _ in works]
            except DBAPIError:
                pass  # which of them it was about shows when each is alone
        return [self._write_alone(work) for work in works]

    def _write_behind_savepoint(self, tx: Connection, work: Work) -> Outcome[Any]:
        """The outcome of one work among several; what it wrote goes when it fails."""
        tx.exec_driver_sql("SAVEPOINT work")
        try:
            outcome = Outcome(work(tx))
        except Exception as exc:  # noqa: BLE001 - it is raised where the work came from
            tx.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
            named = self.backend.problem(exc) if isinstance(exc, DBAPIError) else None
            outcome = Outcome(error=named or exc)
        tx.exec_driver_sql("RELEASE SAVEPOINT work")
        return outcome

    def _write_alone(self, work: Work) -> Outcome[Any]:
        try:
            with self._writing() as tx:
                value = work(tx)
        except Exception as exc:  # noqa: BLE001 - it is raised where the work came from
            return Outcome(error=exc)
        return Outcome(value)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._named(), self.backend.writers.connect() as connection, connection.begin():
            yield connection

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to this revision, up or down, in one transaction."""
        with self._named(), self.backend.migrating() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            if revision == "base" or revision.startswith("-"):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)

    def knows(self, revision: str) -> bool:
        """Whether this program has the migration of this name."""
        scripts = ScriptDirectory.from_config(_alembic())
        return revision in {one.revision for one in scripts.walk_revisions()}

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as exc:
            found = self.backend.problem(exc)
            if found is None:
                raise
            raise found from exc
        except NoConnectionError as exc:
            raise problem("store-busy", seconds=BUSY_SECONDS) from exc


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _backend(url: str) -> Backend:
    if url.startswith(postgres.SCHEMES):
        return postgres.Postgres(url)
    if url.startswith("sqlite:"):
        return Sqlite(url)
    raise problem("database-url", why="it begins with neither postgresql:// nor sqlite:///")
