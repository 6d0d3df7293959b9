"""SQLite as a store: one file, readers in parallel, writers one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from sync.problems import Problem, problem

BUSY_SECONDS = 30
CONNECTIONS = 20  # kept open; threads beyond that wait for one


class Sqlite:
    """An engine on a SQLite file; a write transaction holds the file's write lock from its start
    (BEGIN IMMEDIATE) and is on the disk when it ends (WAL, `synchronous` FULL).
    """

    several_processes = False

    def __init__(self, url: str) -> None:
        self._url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )
        self.readers: Engine = self.engine
        self.writers: Engine = self.engine.execution_options(tapak_writes=True)
        _listen(self.engine, foreign_keys=True)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A write transaction in which tables can be made anew while others point at them."""
        engine = create_engine(self._url, hide_parameters=True)
        _listen(engine, foreign_keys=False)
        try:
            with engine.execution_options(tapak_writes=True).begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def problem(self, exc: DBAPIError) -> Problem | None:
        """The catalogue's word for what SQLite says, or None where it has none."""
        if not isinstance(exc, OperationalError):
            return None
        text = str(exc.orig)
        if "locked" in text or "busy" in text:
            return problem("store-busy", seconds=BUSY_SECONDS)
        if "full" in text or "disk I/O" in text:
            return problem("disk-full", what="the record")
        if "readonly" in text or "unable to open" in text:
            return problem("folder-read-only", folder="the server's data folder", why=text)
        return None


def _listen(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("tapak_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
