"""PostgreSQL as a store: what a transaction promises, and what is said when it is away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import make_office
from real_postgres import Postgres
from region import TODAY, Clock
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.settings import read_settings
from server.store import jurisdictions, stored, tables
from server.store.bulk import insert_rows
from server.store.db import Database
from server.store.jurisdictions import Jurisdiction
from server.store.postgres import WRITE_LOCK
from server.store.transaction import Tx
from sync.problems import Problem

SECRET = "geheim"


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    name = postgres.migrated()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def setting(tx: Tx, name: str) -> str:
    return str(tx.execute(text(f"show {name}")).scalar_one())


def quoted(body: str) -> str:
    return body.replace("'", "''")


def add(db: Database, name: str) -> None:
    db.write(lambda tx: jurisdictions.add(tx, Jurisdiction(name, name, None, "region")))


def others_ended(db: Database) -> None:
    """End every other connection to the database, as a restart would."""
    query = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    other = Database(db.url)
    other.write(lambda tx: tx.execute(text(query)).all())
    other.close()


# -- transactions ---------------------------------------------------------------------------------


def test_a_write_is_on_the_disk_when_it_ends_and_waits_for_nobody_for_ever(db: Database) -> None:
    """S4"""

    def look(tx: Tx) -> dict[str, str]:
        names = (
            "synchronous_commit",
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "transaction_isolation",
        )
        return {name: setting(tx, name) for name in names}

    assert db.write(look) == {
        "synchronous_commit": "on",
        "lock_timeout": "30s",
        "statement_timeout": "2min",
        "idle_in_transaction_session_timeout": "1min",
        "transaction_isolation": "read committed",
    }


def test_a_write_holds_the_one_lock_to_its_end_and_a_read_holds_none(db: Database) -> None:
    """S5"""
    held = text(
        "select count(*) from pg_locks where locktype = 'advisory' and granted"
        " and (classid::bigint << 32) + objid::bigint = :lock and pid = pg_backend_pid()"
    )

    def count(tx: Tx) -> int:
        return int(tx.execute(held, {"lock": str(WRITE_LOCK)}).scalar_one())

    assert db.write(count) == 1
    with db.read() as tx:
        assert count(tx) == 0


def test_a_read_sees_one_moment_and_can_write_nothing(db: Database) -> None:
    add(db, "before")
    with db.read() as tx:
        assert len(jurisdictions.every(tx)) == 1
        add(db, "meanwhile")
        assert len(jurisdictions.every(tx)) == 1
        assert setting(tx, "transaction_isolation") == "repeatable read"
    with db.read() as tx:
        assert len(jurisdictions.every(tx)) == 2
    with pytest.raises(Problem, match="read-only"), db.read() as tx:
        jurisdictions.add(tx, Jurisdiction("x", "x", None, "region"))
    add(db, "and a connection that has read can write")


# -- what is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"postgresql://me:{SECRET}@127.0.0.1:1/tapak", "store-away"),
        (f"postgres://me:{SECRET}@no-such-host.invalid/tapak", "store-away"),
        (f"postgresql://me:%{SECRET}%@127.0.0.1/tapak", "database-url"),
        (f"postgresql://me:{SECRET}@x@127.0.0.1/tapak", "database-url"),
        (f"postgresql://me:{SECRET}/x@127.0.0.1/tapak", "database-url"),
        (f"postgresql://me:{SECRET}@127.0.0.1:x/tapak", "database-url"),
        (f"postgresql://me:{SECRET}@127.0.0.1/tapak?no_such={SECRET}", "database-url"),
        (f"mysql://me:{SECRET}@127.0.0.1/tapak", "database-url"),
        (SECRET, "database-url"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(
    url: str, code: str, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        Database(url).migrate()
    assert caught.value.code == code
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(read_settings(tmp_path, environ={"TAPAK_DATABASE": url}))


def test_a_command_says_it_in_three_sentences_without_the_password(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "admin", "person", "list", "--data", str(tmp_path)],
        env={"TAPAK_DATABASE": f"postgresql://me:{SECRET}@127.0.0.1:1/tapak"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 3
    assert "Connection refused" in done.stderr
    assert SECRET not in done.stderr


def test_a_database_that_does_not_hold_every_text_is_refused(postgres: Postgres) -> None:
    name = postgres.empty()
    postgres.drop(name)
    statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    postgres.run(statement, name)
    db = Database(postgres.url(name))
    with pytest.raises(Problem, match="LATIN1"):
        db.migrate()
    db.close()
    postgres.drop(name)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "disk-full"),
        ("53300", "store-away"),
        ("55P03", "store-busy"),
        ("40P01", "store-busy"),
        ("57014", "store-away"),
        ("57P01", "store-away"),
        ("42501", "store-away"),
        ("25006", "store-away"),
    ],
)
def test_what_the_database_says_has_a_name(db: Database, state: str, code: str) -> None:
    raised = text(f"do $$ begin raise exception 'it' using errcode = '{state}'; end $$")
    with pytest.raises(Problem) as caught:
        db.write(lambda tx: tx.execute(raised))
    assert caught.value.code == code
    with pytest.raises(Problem), db.read() as tx:
        tx.execute(raised)


def test_what_the_database_says_to_many_rows_at_once_has_a_name_too(db: Database) -> None:
    body = "begin raise exception 'it' using errcode = '53100'; end"
    full = text(f"create function full_up() returns trigger language plpgsql as '{quoted(body)}'")
    before = text("create trigger t before insert on files execute function full_up()")
    db.write(lambda tx: (tx.execute(full), tx.execute(before)))
    rows = [(f"{n:064x}", n, TODAY) for n in range(3)]
    with pytest.raises(Problem) as caught:
        db.write(lambda tx: insert_rows(tx, tables.files, ("sha256", "size", "held_at"), rows))
    assert caught.value.code == "disk-full"
    with db.read() as tx:
        assert stored.all_files(tx) == []


def test_a_mistake_of_the_programs_own_is_not_called_something_else(db: Database) -> None:
    with pytest.raises(DBAPIError, match="syntax error"):
        db.write(lambda tx: tx.execute(text("selec")))


def test_a_writer_that_waits_too_long_is_told_and_stores_nothing(db: Database) -> None:
    other = Database(db.url)
    with other.engine.connect() as holder:
        holder.execute(text(f"select pg_advisory_xact_lock({WRITE_LOCK})"))
        with db.engine.connect() as connection:
            connection.execute(text("set lock_timeout = '1ms'"))
            connection.commit()
        with pytest.raises(Problem) as caught:
            add(db, "late")
    other.close()
    assert caught.value.code == "store-busy"
    with db.read() as tx:
        assert jurisdictions.every(tx) == []


# -- a restart ------------------------------------------------------------------------------------


def test_after_a_restart_of_the_database_the_next_request_finds_a_new_connection(
    db: Database,
) -> None:
    add(db, "before")
    others_ended(db)
    add(db, "after")
    others_ended(db)
    with db.read() as tx:
        assert [one.id for one in jurisdictions.every(tx)] == ["after", "before"]


def test_a_write_that_a_restart_cuts_is_not_acknowledged_and_not_stored(db: Database) -> None:
    """S4"""

    def work(tx: Tx) -> None:
        jurisdictions.add(tx, Jurisdiction("cut", "cut", None, "region"))
        pid = int(tx.execute(text("select pg_backend_pid()")).scalar_one())
        other = Database(db.url)
        with other.read() as reader:
            reader.execute(text(f"select pg_terminate_backend({pid}, 5000)"))
        other.close()
        jurisdictions.every(tx)

    with pytest.raises(Problem) as caught:
        db.write(work)
    assert caught.value.code == "store-away"
    with db.read() as tx:
        assert jurisdictions.every(tx) == []


def test_while_the_database_is_away_the_server_says_so_with_503(
    postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.migrated()
    office = make_office(tmp_path, Clock(TODAY), postgres.url(name))
    assert office.anonymous().call("GET", "/healthz").status_code == 200
    postgres.drop(name)
    for method, path, body in (
        ("GET", "/healthz", None),
        ("POST", "/api/session", {"login": "officer", "password": "not the password"}),
    ):
        answer = office.anonymous().call(method, path, json=body)
        assert (answer.status_code, answer.json["code"]) == (503, "store-away"), answer.text
    office.ctx.db.close()


# -- serving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [["--workers", "2"], []])
def test_several_serving_processes_are_refused_on_a_sqlite_file(
    given: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "serve", "--port", "0", "--data", str(tmp_path), *given],
        env={} if given else {"TAPAK_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "2 serving processes were asked for, and a SQLite file takes one." in done.stderr
