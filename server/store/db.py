"""The database: one engine, read and write transactions, migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from server.store import postgres
from server.store.sqlite import BUSY_SECONDS, Sqlite
from sync.problems import Problem, problem

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
    """A database opened for several threads: readers in parallel, writers one after another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.backend = _backend(url)
        self.engine: Engine = self.backend.engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and writes nothing.

        Raises `store-away` when a database server cannot be reached, and `store-busy`.
        """
        with self._named(), self.backend.readers.connect() as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction; what it returns comes back after the commit.

        The one write lock is taken at the start (SQLite's BEGIN IMMEDIATE, PostgreSQL's
        `WRITE_LOCK`), so the work never has to be repeated and reads what it builds on. Raises
        `store-busy` when another writer holds the lock too long, `disk-full` when there is no
        room, `store-away` when a database server cannot be reached; then nothing of the work was
        acknowledged.
        """
        with self._named(), self.backend.writers.connect() as connection, connection.begin():
            return work(connection)

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to this revision, up or down, in one transaction."""
        with self._named(), self.backend.migrating() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            if revision == "base" or revision.startswith("-"):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)

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


def _backend(url: str) -> Backend:
    if url.startswith(postgres.SCHEMES):
        return postgres.Postgres(url)
    if url.startswith("sqlite:"):
        return Sqlite(url)
    raise problem("database-url", why="it begins with neither postgresql:// nor sqlite:///")
