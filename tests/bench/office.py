"""A server with enrolled laptops, and the inspections that they send; all of it made up."""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table

from server.context import Context, open_context
from server.services import accounts, checkpoints, programme, publishing, registry
from server.services.audit import CONSOLE
from server.services.identifiers import digest_of
from server.services.intake import receive
from server.settings import read_settings
from server.store import devices
from server.store.devices import ACTIVE, Device
from server.store.jurisdictions import Jurisdiction
from sync.log import Segment, device_id, genesis, link, sign_head, write_line
from sync.receipt import SignedBytes
from sync.session import Request, read_answer, write_request
from tests.bench.load import request_bytes

ANSWERS = 42
FACILITIES = 40  # of all together
NOW = 1_795_400_000_000
NDJSON = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}

# The floor: one row, and nothing else.
FLOOR = Table(
    "floor",
    MetaData(),
    Column("n", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Laptop:
    """An enrolled device, its token, and the facilities to which its person alone is assigned."""

    key: Ed25519PrivateKey
    token: str
    person: str
    facilities: tuple[str, ...]
    cursor: str | None = None

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return device_id(self.public_key)

    def inspection(self, facility: str, photos: tuple[bytes, ...] = ()) -> bytes:
        """A sync request with one new inspection: how it began, 42 answers, and its photographs."""
        files = [(hashlib.sha256(photo).hexdigest(), len(photo)) for photo in photos]
        return self._inspection(facility, files)

    def naming(self, facility: str, sha256: str, size: int) -> bytes:
        """A sync request with an inspection that names one file."""
        return self._inspection(facility, [(sha256, size)])

    def _inspection(self, facility: str, files: list[tuple[str, int]]) -> bytes:
        name = str(uuid.uuid4())
        about = {"facility": facility, "checklist": "ab" * 32, "purpose": "yearly", "mode": "live"}
        entries: list[tuple[str, dict[str, object]]] = [("about", about)]
        for n in range(1, ANSWERS + 1):
            where = {"lat": "5.123456", "lon": "101.123456", "accuracy_m": "8", "at": NOW + n}
            value = {"level": "fully", "note": f"Seen at pond {n}.", "checklist": "ab" * 32}
            entries.append((f"answers/GEN-G1/{n}", {**value, "fix": where}))
        for sha256, size in files:
            kept = {"kind": "photo", "source": "imported", "media_type": "image/jpeg"}
            entries.append((f"evidence/{sha256}/{self.id}", {**kept, "size": size}))
        running, lines = genesis(self.public_key, name), []
        for seq, (path, value) in enumerate(entries, start=1):
            lines.append(write_line(seq, NOW + seq, self.person, path, value))
            running = link(running, lines[-1])
        segment = Segment(self.id, name, 1, tuple(lines), sign_head(self.key, running))
        return write_request(Request(self.id, self.cursor, (), (segment,), NOW))

    # What is sent, as it goes over the wire.

    def sync(self, body: bytes, path: str = "/api/sync") -> bytes:
        return request_bytes("POST", path, self.token, gzip.compress(body, mtime=0), NDJSON)

    def upload(self, photo: bytes) -> bytes:
        digest = _base64(hashlib.sha256(photo).hexdigest())
        told = {"Upload-Length": str(len(photo)), "Upload-Metadata": f"sha256 {digest}"}
        return request_bytes("POST", "/api/files", self.token, photo, {**TUS, **told})

    def begin(self, sha256: str, size: int) -> bytes:
        told = {"Upload-Length": str(size), "Upload-Metadata": f"sha256 {_base64(sha256)}"}
        return request_bytes("POST", "/api/files", self.token, b"", {**TUS, **told})

    def go_on(self, sha256: str, offset: int, data: bytes) -> bytes:
        told = {"Upload-Offset": str(offset)}
        return request_bytes("PATCH", f"/api/files/{sha256}", self.token, data, {**TUS, **told})

    def awaiting(self, photos: tuple[bytes, ...]) -> bytes:
        """The request that asks for the receipt of these files."""
        digests = tuple(hashlib.sha256(photo).hexdigest() for photo in photos)
        return self.sync(write_request(Request(self.id, self.cursor, digests, (), NOW)))


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Office:
    """The running server: its port, its process and who may send."""

    port: int
    process: subprocess.Popen[bytes]
    laptops: tuple[Laptop, ...]
    public_key: bytes


@contextmanager
def office(folder: Path, laptops: int, database: str | None = None) -> Iterator[Office]:
    """A server with that many laptops, each of an auditor with facilities of their own.

    What one sends is told to none of the others, so that no request brings another's work down.
    """
    environ = dict(os.environ) | ({"TAPAK_DATABASE": database} if database else {})
    ctx = open_context(read_settings(folder, environ=environ))
    made = _people_and_places(ctx, laptops)
    ctx.db.write(FLOOR.create)
    checkpoints.make(ctx)
    public_key = ctx.public_key
    ctx.db.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "tests.bench.server", str(folder), str(port)]
    process = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it says where it serves once it does
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).raise_for_status()
        yield Office(port, process, made, public_key)
    finally:
        process.terminate()
        process.wait()


def _people_and_places(ctx: Context, count: int) -> tuple[Laptop, ...]:
    registry.add_jurisdiction(ctx, CONSOLE, Jurisdiction("example", "Example", None, "region"))
    publishing.publish_builtin(ctx, CONSOLE, ["rare-earth-site"])
    password, grants = secrets.token_urlsafe(12), [("auditor", "example")]
    places = [
        tuple(f"example-{n}" for n in range(FACILITIES) if n % count == i) for i in range(count)
    ]
    made = []
    for i, names in enumerate(places):
        login = f"auditor-{i}"
        person = accounts.add_person(
            ctx, CONSOLE, login=login, name="An auditor", password=password, grants=grants
        )
        for name in names:
            fields = {"id": name, "name": name, "country": "TH", "jurisdiction": "example"}
            more = {"checklist": "rare-earth-site", "limits": "example", "example": True}
            registry.add_facility(ctx, CONSOLE, {**fields, **more})
            days = {"not_before": "2026-01-01", "not_after": "2036-01-01"}
            programme.assign(ctx, CONSOLE, facility=name, person=login, purpose="yearly", **days)
        key, token = Ed25519PrivateKey.generate(), secrets.token_urlsafe(24)
        made.append(Laptop(key, token, person.id, names))

    def enrol(tx: object) -> None:
        for one in made:
            signed = SignedBytes(b"{}", bytes(64))
            row = (one.id, one.public_key, one.person, "laptop", digest_of(one.token), signed)
            devices.put(tx, Device(*row, NOW, ACTIVE, None))  # type: ignore[arg-type]

    ctx.db.write(enrol)
    return tuple(replace(one, cursor=_prepared(ctx, one)) for one in made)


def _prepared(ctx: Context, laptop: Laptop) -> str:
    """The cursor of a laptop that has pulled everything, as each does before it leaves."""
    cursor, more = None, True
    while more:
        body = write_request(Request(laptop.id, cursor, (), (), NOW))
        answer = read_answer(receive(ctx, laptop.id, laptop.person, body))
        cursor, more = answer.cursor, answer.more
    assert cursor is not None
    return cursor
