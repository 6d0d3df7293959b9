"""The database: one engine, read and write transactions, migrations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from server.store.together import Outcome, Together
from sync.problems import problem

Work = Callable[[Connection], Any]
ManyWork = Callable[[Connection, Sequence[Any]], Sequence[Any]]
J = TypeVar("J")
T = TypeVar("T")

BUSY_SECONDS = 30


class Database:
    """A database opened for several threads: readers in parallel, writers one after another.

    Works that are to be written at the same time share one transaction and one commit.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)
        self._writer: Together[Work, Any] = Together(self._write_all)
        self._gathered: dict[ManyWork, Together[Any, Any]] = {}
        self._gathering = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and writes nothing."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a durable transaction; what it returns comes back after the commit.

        The write lock is taken at the start, so the work never has to be repeated because of
        another's. It may share its transaction with works of other threads, each behind a savepoint
        of its own; where that transaction fails as a whole, each work is run again by itself. So a
        work touches nothing but the transaction, and may run twice. Raises what the work raises;
        `store-busy` when another process holds the lock too long, `disk-full` when there is no
        room; then nothing of the work is stored.
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
            if len(jobs) == 1:
                return [Outcome(error=exc)]
        return [self._do_all(work, [job])[0] for job in jobs]

    def _write_all(self, works: Sequence[Work]) -> list[Outcome[Any]]:
        if len(works) > 1:
            try:
                with self._writing() as tx:
                    return [_behind_savepoint(tx, work) for work in works]
            except DBAPIError:
                pass  # which of them it was about shows when each is alone
        return [self._write_alone(work) for work in works]

    def _write_alone(self, work: Work) -> Outcome[Any]:
        try:
            with self._writing() as tx:
                value = work(tx)
        except OperationalError as exc:
            return Outcome(error=_as_problem(exc))
        except Exception as exc:  # noqa: BLE001 - it is raised where the work came from
            return Outcome(error=exc)
        return Outcome(value)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            writing = connection.execution_options(tapak_writes=True)
            with writing.begin():
                yield writing

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to this revision, up or down."""
        config = _alembic(self.url)
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)

    def close(self) -> None:
        self.engine.dispose()


def _behind_savepoint(tx: Connection, work: Work) -> Outcome[Any]:
    """The outcome of one work among several; what it wrote goes when it fails."""
    tx.exec_driver_sql("SAVEPOINT work")
    try:
        outcome = Outcome(work(tx))
    except Exception as exc:  # noqa: BLE001 - it is raised where the work came from
        tx.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
        outcome = Outcome(error=exc)
    tx.exec_driver_sql("RELEASE SAVEPOINT work")
    return outcome


def _alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("tapak_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _as_problem(exc: OperationalError) -> Exception:
    text = str(exc.orig)
    if "locked" in text or "busy" in text:
        return problem("store-busy", seconds=BUSY_SECONDS)
    if "full" in text or "disk I/O" in text:
        return problem("disk-full", what="the record")
    if "readonly" in text or "unable to open" in text:
        return problem("folder-read-only", folder="the server's data folder", why=text)
    return exc
