"""Where the laboratory gets in between the product and its disks: os and sqlite3, while it runs.

Nothing in the product knows of it. A call made while no simulated process runs goes straight
through.
"""

from __future__ import annotations

import errno
import io
import os
import random
import sqlite3
import sqlite3.dbapi2
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlcipher3

from .power import Medium
from .process import Process, current

_NAMES = ("open", "close", "dup", "fdopen", "fsync", "replace", "rename", "link", "unlink")
_MORE = ("remove", "write", "pwrite", "truncate", "mkdir", "getpid", "kill", "urandom")
REAL = {name: getattr(os, name) for name in (*_NAMES, *_MORE)}
_connect, _connect_sealed = sqlite3.connect, sqlcipher3.connect

# By name of the process's computer: its disk, and what it draws as randomness.
media: dict[Path, Medium] = {}
chance = random.Random(0)
_WRITES = ("insert", "update", "delete", "create", "replace", "alter")


def _medium(path: str | int) -> Medium | None:
    if isinstance(path, int):
        path = str(Path(f"/proc/self/fd/{path}").readlink())
    return next((one for one in media.values() if one.covers(path)), None)


def _full(process: Process) -> None:
    if process.is_full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# -- files ----------------------------------------------------------------------------------------


def _open(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
    process = current()
    if process is None or not flags & os.O_CREAT:
        if process is not None and process.dead:
            process.touch("open")
        return _mine(process, REAL["open"](path, flags, mode, **more))
    process.touch("before open")
    _full(process)
    name = os.fspath(path)
    there, medium = os.path.lexists(name), _medium(name)
    if medium is not None and there and flags & os.O_TRUNC:
        medium.opened_anew(name)
    handle = int(REAL["open"](path, flags, mode, **more))
    if medium is not None and not there:
        medium.made(name)
    return _mine(process, handle)


def _mine(process: Process | None, handle: int) -> int:
    if process is not None:
        process.handles.add(handle)
    return handle


def _close(handle: int) -> None:
    process = current()
    if process is not None:
        process.handles.discard(handle)
    REAL["close"](handle)


def _dup(handle: int) -> int:
    return _mine(current(), REAL["dup"](handle))


def _fsync(handle: Any) -> None:
    process = current()
    if process is None:
        return  # the laboratory's own writing need not outlast anything
    process.touch("before fsync")
    _full(process)
    number = handle if isinstance(handle, int) else handle.fileno()
    medium = _medium(number)
    if medium is not None:
        medium.settled(number)
    process.touch("after fsync")


def _replace(source: Any, target: Any, **more: Any) -> None:
    process = current()
    if process is None:
        REAL["replace"](source, target, **more)
        return
    process.touch("before rename")
    name = os.fspath(target)
    medium = _medium(name)
    before = medium.about_to_replace(name) if medium is not None else None
    REAL["replace"](source, target, **more)
    if medium is not None:
        medium.renamed(os.fspath(source), name, before)
    process.touch("after rename")


def _unlink(path: Any, **more: Any) -> None:
    process = current()
    if process is not None:
        process.touch("before unlink")
        medium = _medium(os.fspath(path))
        if medium is not None:
            medium.about_to_unlink(os.fspath(path))
    REAL["unlink"](path, **more)


def _mkdir(path: Any, mode: int = 0o777, **more: Any) -> None:
    process = current()
    if process is not None:
        process.touch("before mkdir")
    REAL["mkdir"](path, mode, **more)
    medium = _medium(os.fspath(path)) if process is not None else None
    if medium is not None:
        medium.folder_made(os.fspath(path))


def _about_to_write(handle: int) -> None:
    process = current()
    if process is None:
        return
    process.touch("before write")
    _full(process)
    medium = _medium(handle)
    if medium is not None:
        medium.about_to_write(handle)


def _write(handle: int, data: Any) -> int:
    process = current()
    if process is not None and len(data) > 1 and process.full_in == 0:
        data = data[: len(data) // 2]  # the last room there was
    _about_to_write(handle)
    return int(REAL["write"](handle, data))


def _pwrite(handle: int, data: Any, offset: int) -> int:
    _about_to_write(handle)
    return int(REAL["pwrite"](handle, data, offset))


class _Raw(io.FileIO):
    def write(self, data: Any) -> int:
        _about_to_write(self.fileno())
        return int(super().write(data) or 0)


def _fdopen(handle: int, mode: str = "r", *given: Any, **more: Any) -> Any:
    process = current()
    if process is not None:
        process.handles.discard(handle)  # the file object closes it
    if process is None or mode != "wb":
        return REAL["fdopen"](handle, mode, *given, **more)
    return io.BufferedWriter(_Raw(handle, "wb"))


# -- processes and chance -------------------------------------------------------------------------


def _getpid() -> int:
    process = current()
    return process.number if process is not None else int(REAL["getpid"]())


def _kill(number: int, signal: int) -> None:
    if number >= 10_000_000:
        process = current()
        if process is not None and process.number == number:
            return
        raise ProcessLookupError
    REAL["kill"](number, signal)


def _urandom(count: int) -> bytes:
    return chance.randbytes(count) if current() is not None else bytes(REAL["urandom"](count))


# -- SQLite ---------------------------------------------------------------------------------------


class _Cursor:
    """A cursor of either library, whose statements are places where its process may end."""

    def execute(self, sql: str, *given: Any) -> Any:
        connection = self.connection  # type: ignore[attr-defined]
        _before_statement(connection, sql, *given)
        found = super().execute(sql, *given)  # type: ignore[misc]
        _after_statement(connection, sql)
        return found

    def executemany(self, sql: str, *given: Any) -> Any:
        _before_statement(self.connection, sql)  # type: ignore[attr-defined]
        return super().executemany(sql, *given)  # type: ignore[misc]


class Cursor(_Cursor, sqlite3.Cursor):
    pass


class SealedCursor(_Cursor, sqlcipher3.Cursor):  # type: ignore[misc]
    pass


class _Connection:
    """A connection of a simulated process to a file; `beside` is one that was attached to it."""

    owner: Process | None = None
    path = ""
    beside = ""
    full_sync = True  # as SQLite opens a file, until it is told otherwise
    before: tuple[bytes, bytes] | None = None  # the file and its log before the first unsynced one
    cursors: type[Any] = Cursor
    failure: type[Exception] = sqlite3.OperationalError

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or self.cursors)  # type: ignore[misc]

    def execute(self, sql: str, *given: Any) -> Any:
        return self.cursor().execute(sql, *given)

    def executemany(self, sql: str, *given: Any) -> Any:
        return self.cursor().executemany(sql, *given)

    def commit(self) -> None:
        if self.in_transaction:  # type: ignore[attr-defined]
            _before_statement(self, "commit")
        super().commit()  # type: ignore[misc]
        _after_statement(self, "commit")

    def rollback(self) -> None:
        if self.owner is None or not self.owner.dead:
            super().rollback()  # type: ignore[misc]


class Connection(_Connection, sqlite3.Connection):
    pass


class SealedConnection(_Connection, sqlcipher3.Connection):  # type: ignore[misc]
    """One to a store under a key (S11)."""

    cursors = SealedCursor
    failure = sqlcipher3.OperationalError


def _before_statement(connection: Any, sql: str, *given: Any) -> None:
    process = current()
    if process is None or not isinstance(connection, _Connection):
        return
    first = sql.split(None, 1)[0].lower() if sql.strip() else ""
    if first == "attach":
        connection.beside = given[0][0]
        process.touch("before attach")
    if first == "rollback" and process.dead:
        process.touch("rollback")
    if first in ("begin", "commit") or first in _WRITES:
        process.touch(f"before {first}")
    elif process.dead:
        process.touch(first)
    if (first == "commit" or first in _WRITES) and process.is_full():
        full: Any = connection.failure("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise full
    if first == "commit" and not connection.full_sync and connection.before is None:
        log = Path(f"{connection.path}-wal")
        connection.before = (
            Path(connection.path).read_bytes(),
            log.read_bytes() if log.exists() else b"",
        )


def _after_statement(connection: Any, sql: str) -> None:
    process = current()
    if process is None or not isinstance(connection, _Connection):
        return
    plain = sql.strip().lower()
    if plain.startswith("pragma synchronous"):
        connection.full_sync = plain.rpartition("=")[2].strip() in ("full", "extra", "2", "3")
    if plain.startswith("commit"):
        if connection.full_sync:
            connection.before = None
        process.touch("after commit")


def _opened(path: Any, *given: Any, **more: Any) -> Any:
    return _opened_as(_connect, Connection, path, *given, **more)


def _opened_sealed(path: Any, *given: Any, **more: Any) -> Any:
    return _opened_as(_connect_sealed, SealedConnection, path, *given, **more)


def _opened_as(connect: Any, kind: type[Any], path: Any, *given: Any, **more: Any) -> Any:
    process = current()
    if process is None:
        return connect(path, *given, **more)
    process.touch("before connect")
    made = connect(path, *given, **{**more, "factory": kind})
    made.owner, made.path = process, os.fspath(path)
    process.connections.append(made)
    return made


# -- in place -------------------------------------------------------------------------------------

_STAND_INS: dict[str, Callable[..., Any]] = {
    "open": _open,
    "close": _close,
    "dup": _dup,
    "fdopen": _fdopen,
    "fsync": _fsync,
    "replace": _replace,
    "rename": _replace,
    "unlink": _unlink,
    "remove": _unlink,
    "write": _write,
    "pwrite": _pwrite,
    "mkdir": _mkdir,
    "getpid": _getpid,
    "kill": _kill,
    "urandom": _urandom,
}


@contextmanager
def in_place() -> Iterator[None]:
    """The product's way to its disks leads through here, while this lasts."""
    for name, stand_in in _STAND_INS.items():
        setattr(os, name, stand_in)
    sqlite3.connect = sqlite3.dbapi2.connect = _opened  # type: ignore[assignment]
    sqlcipher3.connect = _opened_sealed
    try:
        yield
    finally:
        for name in _STAND_INS:
            setattr(os, name, REAL[name])
        sqlite3.connect = sqlite3.dbapi2.connect = _connect
        sqlcipher3.connect = _connect_sealed


def end(process: Process, dice: random.Random) -> None:
    """Throw away what a dead process had in memory: its files stay as they are at this moment."""
    files: dict[str, bytes | None] = {}
    for connection in process.connections:
        unsynced = getattr(connection, "before", None)
        path = getattr(connection, "path", "")
        for n, name in enumerate((path, f"{path}-wal")):
            found = Path(name)
            if process.power and unsynced is not None:
                files[name] = unsynced[n]
            elif name not in files:
                files[name] = found.read_bytes() if found.exists() else None
        beside = getattr(connection, "beside", "")
        for name in (beside, f"{beside}-journal") if beside else ():
            files[name] = Path(name).read_bytes() if Path(name).exists() else None
    for connection in process.connections:
        connection.close()
    for handle in process.handles:
        with suppress(OSError):
            REAL["close"](handle)
    for name, data in files.items():
        if data is None:
            Path(name).unlink(missing_ok=True)
        else:
            Path(name).write_bytes(data)
        Path(f"{name}-shm").unlink(missing_ok=True)
    medium = media.get(process.folder)
    if process.power and medium is not None:
        medium.cut(dice)
