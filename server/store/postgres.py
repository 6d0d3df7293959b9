"""PostgreSQL as a store: any number of processes, one of which writes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from sync.problems import Problem, problem

SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")

# The advisory lock that every write transaction holds from its start to its commit, so that what
# is numbered (audit lines, changes; S5) is numbered by one at a time and seen in that order. Any
# number does, as long as nothing else in the same database uses it: these are the letters "tapak".
WRITE_LOCK = int.from_bytes(b"tapak", "big")

CONNECT_SECONDS = 10
LOCK_SECONDS = 30  # waiting for the writer before
STATEMENT_SECONDS = 120
IDLE_SECONDS = 60  # a writer that hangs is thrown out, so that it does not hold up all others
CONNECTIONS = 20  # of a process at most, kept open; threads beyond that wait for one

_SESSION = {
    "synchronous_commit": "on",  # an acknowledgement follows the commit (S4)
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "TimeZone": "UTC",
}
_ENTER = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true),"
    f" pg_advisory_xact_lock({WRITE_LOCK})"
)
_ENTER_PATIENTLY = (
    "SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)",
    f"SELECT pg_advisory_xact_lock({WRITE_LOCK})",
)

# SQLSTATE classes: connection exception, insufficient resources, operator intervention, system
# error, invalid authorization; and invalid catalogue name, read-only transaction (a standby),
# insufficient privilege, idle in transaction too long.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_AWAY = ("08", "53", "57", "58", "28")
_REFUSED = ("3D000", "25006", "42501", "25P03")


class Postgres:
    """An engine on a PostgreSQL database, named by a URL as libpq reads it.

    A read transaction sees one moment (REPEATABLE READ). A write transaction reads what is
    committed once it holds the lock, so that work written for a single writer stays right.
    """

    several_processes = True

    def __init__(self, url: str) -> None:
        given = {"connect_timeout": CONNECT_SECONDS, "application_name": "tapak", **_read(url)}
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            connect_args=given,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=LOCK_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # they hold what people wrote, and hashes of passwords
            isolation_level="READ COMMITTED",
        )
        self.readers: Engine = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.writers: Engine = self.engine.execution_options(tapak_writes=True)
        _listen(self.engine)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A write transaction that takes as long as it takes; tables change in it whole.

        Raises `database-url` for a database that does not hold every text.
        """
        with self.engine.begin() as connection:
            for statement in _ENTER_PATIENTLY:
                connection.exec_driver_sql(statement)
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if encoding != "UTF8":
                raise problem("database-url", why=f"its encoding is {encoding}, not UTF8")
            yield connection

    def problem(self, exc: DBAPIError) -> Problem | None:
        """The catalogue's word for what PostgreSQL or its driver says, or None."""
        state = getattr(exc.orig, "sqlstate", None) or ""
        if state == "55P03" or state.startswith("40"):  # lock_not_available, deadlock_detected
            return problem("store-busy", seconds=LOCK_SECONDS)
        if state == "53100":  # disk_full
            return problem("disk-full", what="the record")
        if state == "57014":  # query_canceled
            return problem("store-away", why=f"it took longer than {STATEMENT_SECONDS} s")
        lost = isinstance(exc, OperationalError | InterfaceError) and not state
        if lost or exc.connection_invalidated or state[:2] in _AWAY or state in _REFUSED:
            return problem("store-away", why=_first_line(exc.orig))
        return None


def _read(url: str) -> dict[str, Any]:
    # Imported here: on SQLite a command is a sixth of a second sooner without the driver.
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    # libpq's own words may quote parts of the URL, and with them the password: none is passed on.
    try:
        found = conninfo_to_dict(plain)
    except ProgrammingError:
        raise problem("database-url", why="it is not a URL that PostgreSQL reads") from None
    host, port, name = (str(found.get(part, "")) for part in ("host", "port", "dbname"))
    if "@" in host + name or not set(port) <= set("0123456789,"):
        why = "signs such as @ and / in a password are written %40 and %2F"
        raise problem("database-url", why=why)
    return found


def _listen(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        raw.autocommit = True
        settings = ", ".join(f"set_config('{name}', '{v}', false)" for name, v in _SESSION.items())
        raw.execute(f"SELECT {settings}")
        raw.autocommit = False

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("tapak_writes"):
            connection.exec_driver_sql(_ENTER)


def _first_line(exc: BaseException | None) -> str:
    said = str(exc).strip()
    return said.splitlines()[0].rstrip(".") if said else "the connection was lost"
