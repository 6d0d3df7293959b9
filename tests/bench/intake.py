"""Taking in an inspection of 42 answers, beside durably inserting one row of the same size."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from server.context import Context, open_context
from server.services.intake import receive
from server.settings import read_settings
from sync.log import Segment, device_id, genesis, link, sign_head, write_line
from sync.session import Request, write_request

Case = tuple[str, str, Callable[[], int], str, Callable[[], int]]
PERSON = "p-aaaaaaaa"
BATCH = 40


def cases(folder: Path) -> Iterator[Case]:
    ctx = open_context(read_settings(folder / "intake", environ={}))
    key = Ed25519PrivateKey.generate()
    public_key = key.public_key().public_bytes_raw()
    device = device_id(public_key)
    ctx.db.write(
        lambda tx: (
            tx.execute(
                text("insert into people values (:p, :p, 'N', 'x', true, 0)"), {"p": PERSON}
            ),
            tx.execute(
                text(
                    "insert into devices (id, public_key, person, name, certificate, enrolled_at,"
                    " status) values (:d, :k, :p, 'l', x'7b7d', 0, 'active')"
                ),
                {"d": device, "k": public_key, "p": PERSON},
            ),
            tx.execute(text("create table floor (n integer primary key, body blob)")),
        )
    )
    bodies = (inspection(key, public_key, device) for _ in itertools.count())
    ready = list(itertools.islice(bodies, BATCH * 5))
    feed = iter(ready)

    def take_in() -> int:
        for body in itertools.islice(feed, BATCH):
            receive(ctx, device, PERSON, body)
        return BATCH

    def insert_rows() -> int:
        for body in ready[:BATCH]:
            _insert(ctx, body)
        return BATCH

    yield "inspections of 42 answers taken in", "1/s", take_in, "one durable row each", insert_rows


def _insert(ctx: Context, body: bytes) -> None:
    ctx.db.write(lambda tx: tx.execute(text("insert into floor (body) values (:b)"), {"b": body}))


def inspection(key: Ed25519PrivateKey, public_key: bytes, device: str) -> bytes:
    """The request of one new inspection with 42 answers."""
    name = str(uuid.uuid4())
    running = genesis(public_key, name)
    lines = []
    for seq in range(1, 43):
        value = {"level": "fully", "note": f"Seen at pond {seq}.", "checklist": "ab" * 32}
        lines.append(
            write_line(seq, 1_790_000_000_000 + seq, PERSON, f"answers/GEN-G1/{seq}", value)
        )
        running = link(running, lines[-1])
    segment = Segment(device, name, 1, tuple(lines), sign_head(key, running))
    return write_request(Request(device, None, (), (segment,), 1_790_000_000_100))
