"""The database: one engine, read and write transactions, migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from sync.problems import problem

T = TypeVar("T")

BUSY_SECONDS = 30


class Database:
    """A SQLite file opened for several threads: readers in parallel, writers one after another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and writes nothing."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction; what it returns comes back after the commit.

        SQLite's write lock is taken at the start (BEGIN IMMEDIATE), so the work never has to be
        repeated. Raises `store-busy` when another writer holds the lock too long, `disk-full`
        when there is no room; then nothing of the work is stored.
        """
        try:
            with self.engine.connect() as connection:
                writing = connection.execution_options(tapak_writes=True)
                with writing.begin():
                    return work(writing)
        except OperationalError as exc:
            raise _as_problem(exc) from exc

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to this revision, up or down."""
        config = _alembic(self.url)
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)

    def close(self) -> None:
        self.engine.dispose()


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
