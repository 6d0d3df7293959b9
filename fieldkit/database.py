"""One SQLite file: its tables, its write transactions, and its errors in plain words.

sqlite-utils describes the tables; it is imported only when a new file is made, because it takes
longer to load than an answer takes to write.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.problems import Problem, problem

VERSION = 9
_CANNOT_WRITE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
BUSY_SECONDS = 30

TABLES: Mapping[str, tuple[Mapping[str, type], Sequence[str], frozenset[str]]] = {
    # name: (columns, primary key, columns that may be empty)
    "meta": ({"name": str, "value": str}, ["name"], frozenset()),
    "lines": (
        {"log": str, "device": str, "seq": int, "path": str, "line": bytes, "h": bytes},
        ["log", "device", "seq"],
        frozenset({"path"}),
    ),
    # Of colleagues' logs (S5): where a line is withheld, the signatures, and what did not verify.
    "holes": (
        {"log": str, "device": str, "seq": int, "h": bytes},
        ["log", "device", "seq"],
        frozenset(),
    ),
    "proofs": (
        {"log": str, "device": str, "seq": int, "vouched": int, "signature": bytes},
        ["log", "device", "seq", "vouched"],
        frozenset(),
    ),
    # Colleagues' lines that do not count here (S9), and who says so: fieldkit.confirmed.
    "aside": (
        {"log": str, "device": str, "seq": int, "why": str},
        ["log", "device", "seq"],
        frozenset(),
    ),
    "not_taken": (
        {"log": str, "device": str, "problem": str, "at": int},
        ["log", "device"],
        frozenset(),
    ),
    "acknowledged": (
        {"log": str, "device": str, "seq": int, "state": str, "problem": str},
        ["log", "device"],
        frozenset({"problem"}),
    ),
    "files": (
        {"sha256": str, "size": int, "log": str, "seq": int, "sent_at": int, "held_at": int},
        ["sha256"],
        frozenset({"sent_at", "held_at"}),
    ),
    # The small picture that is sent before a photograph (S7): its digest and size in bytes.
    "previews": ({"photo": str, "sha256": str, "size": int}, ["photo"], frozenset()),
    "facts": (
        {"sha256": str, "facts": str, "problem": str},
        ["sha256"],
        frozenset({"facts", "problem"}),
    ),
    "clocks": (
        {"log": str, "at": int, "offset_ms": int},
        ["log", "at", "offset_ms"],
        frozenset(),
    ),
    "receipts": ({"id": int, "at": int, "payload": bytes, "signature": bytes}, ["id"], frozenset()),
    "documents": ({"kind": str, "ref": str, "body": str}, ["kind", "ref"], frozenset()),
    "texts": (
        {"id": int, "digest": str, "kind": str, "name": str, "version": str, "body": str},
        ["id"],
        frozenset(),
    ),
    # What lies in a bundle, and of when; it says nothing of what the server holds (S10).
    "bundled": (
        {"log": str, "device": str, "seq": int, "at": int, "made_for": str},
        ["log", "device", "made_for"],
        frozenset(),
    ),
    "bundled_files": (
        {"sha256": str, "at": int, "made_for": str},
        ["sha256", "made_for"],
        frozenset(),
    ),
    # Inspections that were sealed into bundles (S11): the bundles' places and the digests of the
    # files in them, both as JSON; the last line, by which the server is asked whether it has all.
    "sealed_bundles": (
        {
            "log": str,
            "places": str,
            "at": int,
            "files": str,
            "last_line": bytes,
            "confirmed_at": int,
        },
        ["log"],
        frozenset({"last_line", "confirmed_at"}),
    ),
}

# Without a row number, which would tell in which order people were spoken to (L8).
SEALED_WAITING = (
    "create table if not exists sealed_waiting (id text primary key, inspection text not null, "
    "day integer not null, payload blob not null, key blob not null, value text not null) "
    "without rowid"
)

SEALED_VISITS = (
    "create table if not exists sealed_visits (log text primary key, facility text not null, "
    "seq integer not null, h blob not null, files integer not null, sealed_at integer not null)"
)

# Of the lines those that count: some of colleagues' do not, or not yet (S9).
COUNTING = (
    "create view if not exists counting as select l.log, l.device, l.seq, l.path, l.line, l.h "
    "from lines l where not exists (select 1 from aside a where a.log = l.log "
    "and a.device = l.device and a.seq = l.seq)"
)

INDEXES = (
    "create index if not exists lines_by_path on lines (log, path)",
    "create unique index if not exists texts_by_digest on texts (digest)",
    # Each sync asks for these; it is not to look at all the files that are held safely.
    "create index if not exists files_awaited on files (size, sha256) where held_at is null",
)


# What stands where, kept beside the lines so that nobody has to merge them all again; see
# fieldkit.merged. The lines alone count: all of this can go, and is made again from them.
DERIVED = (
    "create table if not exists merged (log text primary key, rules text not null, "
    "carried integer not null) without rowid",
    "create table if not exists unmerged (log text, device text, seq integer, "
    "primary key (log, device, seq)) without rowid",
    "create table if not exists standing (log text, path text, heads text not null, "
    "latest text not null, loose integer not null, sides integer not null, "
    "unread integer not null, odd integer not null, said text not null, "
    "primary key (log, path)) without rowid",
    "create index if not exists standing_odd on standing (log, path) where odd = 1",
    "create table if not exists tallies (log text, item text, what text, word text, "
    "n integer not null, primary key (log, item, what, word)) without rowid",
    "create table if not exists pathless (log text, device text, seq integer, "
    "primary key (log, device, seq)) without rowid",
    "create table if not exists sizes (log text, device text, seq integer, bytes integer not null, "
    "primary key (log, device, seq)) without rowid",
    # Whoever writes a line or lets one count, it is not forgotten; whoever takes one away or sets
    # one aside (S9), all is made anew.
    "create trigger if not exists lines_came after insert on lines when exists "
    "(select 1 from merged where log = new.log and carried = 0) begin "
    "insert into unmerged (log, device, seq) values (new.log, new.device, new.seq); end",
    "create trigger if not exists aside_went after delete on aside when exists "
    "(select 1 from merged where log = old.log and carried = 0) and exists (select 1 from lines "
    "where log = old.log and device = old.device and seq = old.seq) begin "
    "insert or ignore into unmerged (log, device, seq) values (old.log, old.device, old.seq); end",
    "create trigger if not exists aside_came after insert on aside when exists "
    "(select 1 from merged where log = new.log) and exists (select 1 from lines "
    "where log = new.log and device = new.device and seq = new.seq) and not exists (select 1 "
    "from unmerged where log = new.log and device = new.device and seq = new.seq) begin "
    "delete from merged where log = new.log; "
    "delete from unmerged where log = new.log; delete from standing where log = new.log; "
    "delete from tallies where log = new.log; delete from pathless where log = new.log; "
    "delete from sizes where log = new.log; end",
    "create trigger if not exists lines_went after delete on lines when exists "
    "(select 1 from merged where log = old.log) begin delete from merged where log = old.log; "
    "delete from unmerged where log = old.log; delete from standing where log = old.log; "
    "delete from tallies where log = old.log; delete from pathless where log = old.log; "
    "delete from sizes where log = old.log; end",
)


class Database:
    """An open store file; `path`'s folder must exist. Raises what `guard` raises.

    Every reading and writing of the store goes through `rows` and `write`.
    """

    def __init__(
        self, path: Path, *, busy_seconds: float = BUSY_SECONDS, key: bytes | None = None
    ) -> None:
        self.path = path
        self._busy = busy_seconds
        self._key = key
        self._errors: tuple[type[Exception], ...] = (sqlite3.DatabaseError,)
        if key is not None:
            import sqlcipher3

            # It has the same names as sqlite3, and its own classes behind them.
            self._errors += (sqlcipher3.DatabaseError,)
        with self.guard("the store"):
            self._conn = self._open()
            self._conn.execute("pragma foreign_keys = on")
            # An entry is safe on disk before its command says so.
            self._conn.execute("pragma synchronous = full")
            version = self._conn.execute("pragma user_version").fetchone()[0]
        if version > VERSION:
            raise problem("store-damaged", path=str(path), why="a newer version wrote it")
        if version < VERSION:
            self._make_tables()

    def _open(self) -> sqlite3.Connection:
        """A connection; one that can only look where the folder cannot be written to."""
        opened = self._connect(str(self.path))
        try:
            opened.execute("pragma user_version").fetchone()
        except self._errors as exc:
            opened.close()
            # SQLite's notes beside the file cannot be made. Where there are none from before,
            # nobody is writing, and the file can be looked at as it is.
            primary = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            left = self.path.with_name(f"{self.path.name}-wal")
            if primary not in _CANNOT_WRITE or not self.path.is_file() or left.exists():
                raise
            address = f"{self.path.absolute().as_uri()}?immutable=1"
            opened = self._connect(address, uri=True)
        return opened

    def _connect(self, address: str, *, uri: bool = False) -> sqlite3.Connection:
        if self._key is None:
            return sqlite3.connect(address, timeout=self._busy, isolation_level=None, uri=uri)
        return connect_sealed(address, self._key, self._busy, uri=uri)

    def close(self) -> None:
        self._conn.close()

    def rows(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a reading statement gives."""
        with self.guard("the store"):
            return self._conn.execute(sql, given).fetchall()

    @contextmanager
    def write(self, what: str) -> Iterator[sqlite3.Connection]:
        """One write transaction; `what` names for the reader what is being written.

        It begins at once as a writer, so that what it reads cannot change under it.
        """
        with self.guard(what):
            self._conn.execute("begin immediate")
            try:
                yield self._conn
                self._conn.execute("commit")
            except BaseException:
                if self._conn.in_transaction:
                    self._conn.execute("rollback")
                raise

    @contextmanager
    def guard(self, what: str, *also: type[Exception]) -> Iterator[None]:
        """Name SQLite's errors: `disk-full`, `folder-read-only`, `store-busy`, `store-damaged`.

        `also` are those of another library that works on the file within.
        """
        try:
            yield
        except (*self._errors, *also) as exc:
            raise self._named(exc, what) from exc

    def _named(self, exc: Exception, what: str) -> Problem:
        # The low byte is SQLite's primary result code; the rest says more about it.
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        folder = self.path.parent
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _nearly_full(folder)):
            return problem("disk-full", what=what)
        if code in _CANNOT_WRITE:
            return problem("folder-read-only", folder=str(folder), why=str(exc))
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return problem("store-busy", seconds=f"{self._busy:g}")
        return problem("store-damaged", path=str(self.path), why=str(exc))

    def _make_tables(self) -> None:
        import sqlite_utils

        with self.guard("the store"):
            self._conn.execute("pragma journal_mode = wal")
            describe = sqlite_utils.Database(memory=True)
        statements = [
            describe.create_table_sql(
                name,
                dict(columns),
                pk=list(keys) if len(keys) > 1 else keys[0],
                not_null=set(columns) - empty,
                if_not_exists=True,
            )
            for name, (columns, keys, empty) in TABLES.items()
        ]
        describe.close()
        with self.write("the store") as tx:
            made = (*statements, SEALED_WAITING, SEALED_VISITS, COUNTING, *INDEXES, *DERIVED)
            for statement in made:
                tx.execute(statement)
            tx.execute(f"pragma user_version = {VERSION}")


def connect_sealed(
    address: str, key: bytes | None, busy_seconds: float = BUSY_SECONDS, *, uri: bool = False
) -> sqlite3.Connection:
    """A connection by SQLCipher to a file under a key of 32 bytes, or to a plain one without."""
    import sqlcipher3

    opened: sqlite3.Connection = sqlcipher3.connect(
        address, timeout=busy_seconds, isolation_level=None, uri=uri
    )
    if key is not None:
        opened.execute(f'pragma key = "{key_text(key)}"')
    # What is sorted is never sorted in a file that is not sealed.
    opened.execute("pragma temp_store = memory")
    return opened


def key_text(key: bytes) -> str:
    """A raw key as SQLCipher reads it, which then stretches nothing."""
    return f"x'{key.hex()}'"


def _nearly_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < 256 * 1024
    except OSError:
        return False
