"""Changes are numbered under the writer's lock: whoever follows the cursor misses none (S5)."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from changes_writers import PATIENCE, write_together
from sqlalchemy import text
from werkzeug.serving import make_server

from server import create_app
from server.context import Context, open_context
from server.services.accounts import add_person
from server.services.audit import CONSOLE
from server.services.enrolment import enrol, invite
from server.services.registry import add_jurisdiction
from server.settings import read_settings
from server.store import changes
from server.store.bulk import insert_rows
from server.store.db import Database
from server.store.jurisdictions import Jurisdiction
from server.store.tables import changes as rows_of_changes
from sync.log import device_id
from sync.session import Request, write_request

WRITERS, PROCESSES = 16, 4
CHANGES = 100_000
BEHIND = int(os.environ.get("TAPAK_TEST_BEHIND", "100000"))  # 1,000,000 for the whole measure


def test_a_reader_who_follows_the_cursor_beside_sixteen_writers_skips_and_doubles_nothing(
    db: Database, database_url: str
) -> None:
    """S5: four serving processes on PostgreSQL; SQLite is written by one."""
    several = db.backend.several_processes
    each = CHANGES // WRITERS
    processes = PROCESSES if several else 1
    seen: list[tuple[int, str]] = []
    apart = get_context("spawn")
    begin = apart.Barrier(processes + 1)
    started = [
        apart.Process(
            target=write_together,
            args=(database_url, range(n, WRITERS, processes), each, begin),
        )
        for n in range(processes)
    ]
    for one in started:
        one.start()
    begin.wait(PATIENCE)
    while True:
        ended = not any(one.is_alive() for one in started)
        with db.read() as tx:
            page = changes.after(tx, "p-reader", seen[-1][0] if seen else 0)
        seen += [(n, ref) for n, _, ref in page]
        if ended and not page:
            break
    assert [one.exitcode for one in started] == [0] * processes
    assert [n for n, _ in seen] == list(range(1, WRITERS * each + 1))
    assert len({ref for _, ref in seen}) == WRITERS * each


@contextmanager
def running(ctx: Context) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, create_app(ctx), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()


def asked(port: int, token: str, device: str, cursor: str | None, at: int) -> tuple[int, dict]:
    """One sync with nothing to say: all bytes of its two messages, and the answer."""
    body = gzip.compress(write_request(Request(device, cursor, (), (), at)), mtime=0)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Accept-Encoding": "gzip",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/sync", body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    lines = ["POST /api/sync HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    sent = sum(len(x) + 2 for x in (*lines, *(f"{k}: {v}" for k, v in headers.items()))) + 2
    came = len(f"HTTP/1.1 {answer.status} {answer.reason}") + 4
    came += sum(len(f"{k}: {v}") + 2 for k, v in answer.getheaders())
    if answer.getheader("Content-Encoding") == "gzip":
        said = json.loads(gzip.decompress(data))
    else:
        said = json.loads(data)
    return sent + len(body) + came + len(data), said


def test_a_sync_with_nothing_new_costs_the_same_however_long_the_history(tmp_path: Path) -> None:
    """S1, S5: one request, under 1 kB both ways, with 100 and with very many entries behind it."""
    ctx = open_context(read_settings(tmp_path / "server", environ={}))
    clock = ctx.now()
    ctx = replace(ctx, now=lambda: clock)
    add_jurisdiction(ctx, CONSOLE, Jurisdiction("example", "Example", None, "region"))
    person = add_person(
        ctx,
        CONSOLE,
        login="auditor",
        name="Made-up Auditor",
        password="a made-up password",
        grants=[("auditor", "example")],
    )
    code = invite(ctx, "auditor", CONSOLE).partition("#")[2].partition(".")[0]
    key = bytes(range(32))
    enrolled = enrol(ctx, code, key, "laptop")
    costs = []
    with running(ctx) as port:
        for behind in (100, BEHIND):
            fill(ctx.db, person.id, behind)
            cursor: str | None = cursor_at_the_end(ctx)
            total, said = asked(port, enrolled.token, device_id(key), cursor, clock)
            assert "changes" not in said and "more" not in said
            costs.append(total)
    # Longer numbers make a longer cursor: a few bytes, never more for a longer history.
    assert max(costs) < 1000 and max(costs) - min(costs) <= 16, costs
    with ctx.db.read() as tx:
        query = "EXPLAIN QUERY PLAN SELECT n FROM changes WHERE person = 'p' AND n > 5 ORDER BY n"
        plan = " ".join(str(row) for row in tx.execute(text(query)))
    assert "USING COVERING INDEX ix_changes_person" in plan
    ctx.db.close()


def fill(db: Database, person: str, count: int) -> None:
    """A long history: every other change is this person's, the others are somebody else's."""

    def work(tx: object) -> None:
        n = changes.position(tx)[1]
        rows = [
            (n + i, (person, "p-other")[i % 2], "lines", f"d/i/{i}-{i}", 0)
            for i in range(1, count + 1)
        ]
        insert_rows(tx, rows_of_changes, ("n", "person", "kind", "ref", "at"), rows)

    db.write(work)


def cursor_at_the_end(ctx: Context) -> str:
    with ctx.db.read() as tx:
        epoch, newest = changes.position(tx)
    return base64.urlsafe_b64encode(f"{epoch}.{newest}".encode()).decode().rstrip("=")
