"""A small server in memory, built from sync alone, and two ways to reach it: directly and by HTTP.

It exists so that the device's side can be tried against losses and lies; the real server has its
own tests.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity

from sync import generation, wire
from sync.greeting import sign_greeting
from sync.inspection_reader import read_evidence
from sync.log import Entry, Head, Record, device_id, genesis, link, read_line
from sync.own_lines import OwnLines
from sync.packing import ANSWER, PACKINGS, REQUEST, pack_for, unpack_from
from sync.problems import Problem, problem
from sync.receipt import Receipt, ReceiptLog, SignedBytes, server_id, sign_certificate, sign_receipt
from sync.sealed import named_files, read_sealed
from sync.server_keys import ServerKeys, sign_server_keys
from sync.session import (
    Answer,
    Append,
    Change,
    Fork,
    Gap,
    LogState,
    Request,
    place_segment,
    read_request,
    write_answer,
)

NOW = 1_795_000_000_000
PERSON = "p-auditor2"


@dataclass
class HeldLog:
    """A log as the office holds it: its lines, and the hash after each (the genesis first)."""

    lines: list[bytes]
    hashes: list[bytes]


@dataclass
class Office:
    """Everything the office knows; `page` is how many changes fit one answer."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    codes: dict[str, bytes | None] = field(default_factory=lambda: {"ABCD-EFGH-2345": None})
    devices: dict[str, bytes] = field(default_factory=dict)
    logs: dict[tuple[str, str], HeldLog] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, bytearray] = field(default_factory=dict)  # of uploads under way
    turn: int = 0
    moved: threading.Condition = field(default_factory=threading.Condition)
    changes: list[Change] = field(default_factory=list)
    branches: list[bytes] = field(default_factory=list)
    forks: dict[tuple[str, str], int] = field(default_factory=dict)
    epoch: int = 1
    page: int = 50
    now: int = NOW
    refused: set[str] = field(default_factory=set)
    sealing_key: Identity = field(default_factory=Identity.generate)
    packings: tuple[str, ...] = PACKINGS  # that it can read and write
    came_as: list[str | None] = field(default_factory=list)  # how requests were packed

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def key_statements(self) -> list[SignedBytes]:
        recipient = str(self.sealing_key.to_public())
        return [sign_server_keys(self.key, ServerKeys(1, self.public_key, recipient))]

    def link(self, address: str = "http://office.example") -> str:
        code = next(iter(self.codes))
        return f"{address}/enrol#{code}.{server_id(self.public_key)[:16]}"

    def lines(self, device: str, log: str) -> list[bytes]:
        held = self.logs.get((device, log))
        return [] if held is None else held.lines

    def backup(self) -> dict[str, Any]:
        """Everything that a backup of this moment would hold."""
        names = ("codes", "devices", "logs", "files", "changes", "branches", "forks")
        return {name: copy.deepcopy(getattr(self, name)) for name in names}

    def restore(self, backup: dict[str, Any]) -> None:
        """Put the office back to the moment of a backup, in a new epoch (S5)."""
        for name, then in backup.items():
            setattr(self, name, copy.deepcopy(then))
        self.epoch += 1_000_000_007

    def forget_log(self, device: str, log: str, keep: int) -> None:
        """Lose the end of a log, as a server restored from a backup has."""
        held = self.logs[(device, log)]
        del held.lines[keep:], held.hashes[keep + 1 :]

    # -- enrolment --------------------------------------------------------------------------------

    def greet(self, challenge: str) -> bytes:
        said = {"server_key": self.public_key, "server_name": "office.example"}
        said |= {"proof": sign_greeting(self.key, challenge)}
        return json.dumps(wire.EnrolGreeting().dump(said)).encode()

    def enrol(self, body: bytes) -> bytes:
        request = wire.EnrolRequest().load(json.loads(body))
        code, public_key = request["code"], request["public_key"]
        if code not in self.codes or self.codes[code] not in (None, public_key):
            raise problem("invitation-unknown")
        self.codes[code] = public_key
        device = device_id(public_key)
        self.devices[device] = public_key
        certificate = self._certificate(device, public_key, request["name"])
        answer = {
            "token": f"token-{device}",
            "certificate": certificate,
            "server_key": self.public_key,
            "server_keys": self.key_statements,
            "server_name": "Example office",
            "person": PERSON,
            "person_name": "Example Auditor",
            "now": self.now,
        }
        return json.dumps(wire.EnrolAnswer().dump(answer)).encode()

    # -- the conversation -------------------------------------------------------------------------

    def exchange(self, token: str, body: bytes) -> bytes:
        device = self._device(token)
        request = read_request(body)
        states, heads, named = [], [], set()
        for segment in request.segments:
            if segment.inspection in self.refused:
                said = problem("log-unknown-inspection", log=segment.inspection).to_json()
                states.append(LogState(device, segment.inspection, "refused", 0, said))
                continue
            state, new = self._place(segment)
            states.append(state)
            named |= new
            held = self.logs.get((device, segment.inspection))
            if state.state == "held" and held is not None:
                heads.append(
                    ReceiptLog(device, segment.inspection, len(held.lines), held.hashes[-1].hex())
                )
        asked = named | set(request.awaiting)
        here = sorted(asked & self.files.keys())
        receipt = None
        if heads or here:
            receipt = sign_receipt(
                self.key,
                Receipt(
                    server_id(self.public_key),
                    self.epoch,
                    self.now,
                    device,
                    tuple(heads),
                    tuple(here),
                ),
            )
        changes, cursor, more = self._changes(request)
        missing = tuple(sorted(asked - self.files.keys()))
        return write_answer(
            Answer(receipt, tuple(states), missing, changes, cursor, more, self.now, self.epoch)
        )

    def _certificate(self, device: str, public_key: bytes, name: str = "laptop") -> SignedBytes:
        return sign_certificate(
            self.key,
            {
                "device": device,
                "public_key": base64.b64encode(public_key).decode(),
                "person": PERSON,
                "person_name": "Example Auditor",
                "name": name,
                "issued": self.now,
                "server": server_id(self.public_key),
            },
        )

    def next_generation(self, token: str, body: bytes) -> bytes:
        former = self._device(token)
        asked = generation.GenerationRequest().load(json.loads(body))
        generation.check_proof(self.devices[former], asked["public_key"], asked["proof"])
        device = device_id(asked["public_key"])
        self.devices[device] = asked["public_key"]
        answer = {
            "token": f"token-{device}",
            "certificate": self._certificate(device, asked["public_key"]),
            "now": self.now,
        }
        return json.dumps(generation.GenerationAnswer().dump(answer)).encode()

    def held_of(self, token: str, former: str) -> bytes:
        self._device(token)
        if former not in self.devices:
            raise problem("device-not-yours")
        logs = [
            generation.HeldLog(log, len(held.lines), held.hashes[-1].hex())
            for (device, log), held in self.logs.items()
            if device == former
        ]
        return json.dumps(generation.HeldAnswer().dump({"logs": logs})).encode()

    def hashes_of(self, token: str, former: str, body: bytes) -> bytes:
        self._device(token)
        if former not in self.devices:
            raise problem("device-not-yours")
        asked = generation.HashesRequest().load(json.loads(body))
        held = self.logs.get((former, asked["log"]), HeldLog([], [b""]))
        h = [held.hashes[at].hex() if at <= len(held.lines) else None for at in asked["at"]]
        return json.dumps(generation.HashesAnswer().dump({"h": h})).encode()

    def own_lines(self, token: str, device: str, log: str, after: int) -> bytes:
        self._device(token)
        if device not in self.devices:
            raise problem("device-not-yours")
        lines = self.lines(device, log)
        page = {"seq": len(lines), "lines": lines[after : after + 2]}
        return json.dumps(OwnLines().dump(page)).encode()

    def take_file(self, token: str, sha256: str, data: bytes) -> None:
        self._device(token)
        got = hashlib.sha256(data).hexdigest()
        if got != sha256:
            raise problem("file-digest", got=got, wanted=sha256)
        self.files[sha256] = data

    def begin_file(self, token: str, sha256: str) -> int:
        """How far an upload is; whatever still writes to it is stopped."""
        self._device(token)
        with self.moved:
            self.turn += 1
            if sha256 in self.files:
                return len(self.files[sha256])
            return len(self.parts.setdefault(sha256, bytearray()))

    def append_file(self, token: str, sha256: str, size: int, chunks: Iterator[bytes]) -> int:
        """Keep whatever comes of an upload; with its last byte the file is taken."""
        with self.moved:
            self.turn += 1
            mine = self.turn
        for chunk in chunks:
            with self.moved:
                if mine != self.turn:
                    raise problem("upload-taken-over")
                self.parts[sha256] += chunk
                self.moved.notify_all()
        with self.moved:
            if mine != self.turn:
                raise problem("upload-taken-over")
            stands = len(self.parts[sha256])
            if stands == size:
                self.take_file(token, sha256, bytes(self.parts.pop(sha256)))
        return stands

    def wait_for(self, sha256: str, size: int) -> None:
        """Until so many bytes of an upload have arrived."""
        with self.moved:
            assert self.moved.wait_for(lambda: len(self.parts.get(sha256, b"")) >= size, 60)

    def _device(self, token: str) -> str:
        device = token.removeprefix("token-")
        if device not in self.devices:
            raise problem("token-unknown")
        return device

    def _place(self, segment: Any) -> tuple[LogState, set[str]]:
        public_key = self.devices[segment.device]
        held = self.logs.get((segment.device, segment.inspection))
        lines = held.lines if held else []
        hashes = held.hashes if held else [genesis(public_key, segment.inspection)]
        fork = self.forks.get((segment.device, segment.inspection))
        try:
            placed = place_segment(
                public_key,
                Head(len(lines), hashes[-1]),
                lambda first, last: lines[first - 1 : last],
                lambda seq: hashes[seq],
                segment,
            )
        except Problem as why:
            if fork is None:
                said = why.to_json()
                return LogState(segment.device, segment.inspection, "refused", 0, said), set()
            placed = Fork(fork)  # a later segment of the branch
        if isinstance(placed, Gap):
            return LogState(segment.device, segment.inspection, "gap", placed.next_seq), set()
        if isinstance(placed, Fork):
            self.branches.append(b"\n".join(segment.lines))
            self.forks[segment.device, segment.inspection] = placed.seq
            return LogState(segment.device, segment.inspection, "forked", placed.seq), set()
        if isinstance(placed, Append):
            running = hashes[-1]
            kept = HeldLog(list(lines), list(hashes))
            for line in placed.lines:
                running = link(running, line)
                kept.lines.append(line)
                kept.hashes.append(running)
            self.logs[(segment.device, segment.inspection)] = kept
        named = {
            sha256
            for seq, line in enumerate(segment.lines, segment.first)
            for sha256 in _names(read_line(line, segment.device, segment.inspection, seq, ""))
        }
        last = len(self.lines(segment.device, segment.inspection))
        return LogState(segment.device, segment.inspection, "held", last), named

    def _changes(self, request: Request) -> tuple[tuple[Change, ...], str, bool]:
        epoch, _, read = (request.cursor or f"c{self.epoch}.0").partition(".")
        if not epoch.startswith("c"):
            raise problem("cursor-malformed")
        after = int(read) if epoch == f"c{self.epoch}" else 0
        shown = self.changes[after : after + self.page]
        last = after + len(shown)
        return tuple(shown), f"c{self.epoch}.{last}", last < len(self.changes)


def _names(record: Record) -> list[str]:
    """The files that an entry names: evidence, or what is sealed (L8)."""
    if record.path is not None and record.path.startswith("evidence/"):
        evidence = read_evidence(record) if isinstance(record, Entry) else None
        preview = [] if evidence is None or not evidence.preview else [evidence.preview]
        return [record.path.split("/")[1], *preview]
    found = read_sealed(record) if isinstance(record, Entry) else None
    return [] if found is None else [file.sha256 for _, file in named_files(found)]


def publish(kind: str, name: str, text: str, version: str = "1") -> Change:
    """A published text as a change."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    body = {"name": name, "digest": digest, "version": version, "body": text}
    return Change(kind, digest, body)


# -- two ways to reach it -------------------------------------------------------------------------


class LossError(Exception):
    """The process ends here, as kill -9 would end it."""


@dataclass
class DirectTransport:
    """The transport port, without a network. `faults` says what happens to each message in turn:
    "" nothing, "request" it is lost on its way, "reply" its answer is lost, "dies" the device
    ends once the office has acted.
    """

    office: Office
    token: str = ""
    faults: Iterator[str] = field(default_factory=lambda: iter(()))
    log: list[str] = field(default_factory=list)

    def greet(self, challenge: str) -> bytes:
        return self.office.greet(challenge)

    def enrol(self, request: Mapping[str, Any]) -> bytes:
        return self._carry("enrol", lambda: self.office.enrol(json.dumps(request).encode()))

    def next_generation(self, request: Mapping[str, Any]) -> bytes:
        body = json.dumps(request).encode()
        return self._carry("generation", lambda: self.office.next_generation(self.token, body))

    def held_of(self, former: str) -> bytes:
        return self._carry("held", lambda: self.office.held_of(self.token, former))

    def hashes_of(self, former: str, request: Mapping[str, Any]) -> bytes:
        body = json.dumps(request).encode()
        return self._carry("hashes", lambda: self.office.hashes_of(self.token, former, body))

    def own_lines(self, device: str, inspection: str, after: int) -> bytes:
        return self._carry(
            "lines", lambda: self.office.own_lines(self.token, device, inspection, after)
        )

    def go_on_as(self, token: str) -> None:
        self.token = token

    def exchange(self, request: bytes) -> bytes:
        return self._carry("exchange", lambda: self.office.exchange(self.token, request))

    def begin(self, request: bytes) -> Callable[[], bytes]:
        answer: Future[bytes] = Future()  # there at once
        try:
            answer.set_result(self.exchange(request))
        except Problem as exc:
            answer.set_exception(exc)
        return answer.result

    def send_file(self, sha256: str, size: int, chunks: Callable[[int], Iterator[bytes]]) -> None:
        def take() -> bytes:
            stands = self.office.begin_file(self.token, sha256)
            if stands < size:
                stands = self.office.append_file(self.token, sha256, size, chunks(stands))
            assert stands == size
            return b""

        self._carry("file", take)

    def _carry(self, what: str, act: Any) -> bytes:
        fault = next(self.faults, "")
        self.log.append(what)
        if fault == "request":
            raise problem("server-away", server="office.example", why="the request was lost")
        answer: bytes = act()
        if fault == "reply":
            raise problem("server-away", server="office.example", why="the answer was lost")
        if fault == "dies":
            raise LossError
        return answer


@contextmanager
def served(office: Office, page: tuple[int, str, bytes] | None = None) -> Iterator[str]:
    """Serve the office on this computer; the address. `page` is what a sign-in page would answer
    to everything: status, media type, body.
    """

    sizes: dict[str, int] = {}

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self) -> None:
            try:
                if page is None and self.path.startswith("/api/files"):
                    self._take_file()
                    return
                body = b"".join(self._body())
                if page is not None:
                    self._say(*page)
                    return
                self._say(200, "application/json", self._act(body))
            except Problem as exc:
                said = json.dumps(exc.to_json()).encode()
                self._say(exc.status, "application/problem+json", said)

        def _body(self) -> Iterator[bytes]:
            left = int(self.headers.get("Content-Length", 0))
            while left and (piece := self.rfile.read1(min(left, 65_536))):
                left -= len(piece)
                yield piece

        def _take_file(self) -> None:
            """tus 1.0, as far as a device needs it."""
            assert self.headers["Tus-Resumable"] == "1.0.0"
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.command == "POST":
                assert self.path == "/api/files"
                said = dict(one.split(" ") for one in self.headers["Upload-Metadata"].split(","))
                sha256 = base64.b64decode(said["sha256"]).decode()
                sizes[sha256] = int(self.headers["Upload-Length"])
                whole = b"".join(self._body())
                with office.moved:
                    stands = office.begin_file(token, sha256)
                    # What is here already of a file that comes whole is passed over.
                    if whole[stands:]:
                        rest = iter([whole[stands:]])
                        stands = office.append_file(token, sha256, sizes[sha256], rest)
            else:
                sha256 = self.path.rpartition("/")[2]
                stands = len(office.parts[sha256])
                if str(stands) != self.headers["Upload-Offset"]:
                    raise problem("upload-offset", offset=stands, given="?")
                stands = office.append_file(token, sha256, sizes[sha256], self._body())
            status = 201 if self.command == "POST" else 204
            self.send_response(status)
            self.send_header("Upload-Offset", str(stands))
            if status == 201:
                self.send_header("Content-Length", "0")
            self.end_headers()

        def _act(self, body: bytes) -> bytes:
            packing = self.headers.get("Content-Encoding")
            office.came_as.append(packing)
            if packing is not None and packing not in office.packings:
                raise problem("media-type", given=packing, wanted="?")
            body = unpack_from(packing, body, REQUEST)
            path, _, challenge = self.path.partition("?challenge=")
            if path == "/api/enrol":
                return office.greet(challenge) if self.command == "GET" else office.enrol(body)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.path == "/api/sync":
                if self.headers.get("Content-Type") != "application/x-ndjson":
                    raise problem("media-type", given="?", wanted="application/x-ndjson")
                return office.exchange(token, body)
            if self.path == "/api/generation":
                return office.next_generation(token, body)
            if self.path.startswith("/api/generation/") and self.path.endswith("/hashes"):
                return office.hashes_of(token, self.path.split("/")[3], body)
            if self.path.startswith("/api/generation/"):
                return office.held_of(token, self.path.rpartition("/")[2])
            if self.path.startswith("/api/lines/"):
                device, log, after = self.path.split("/")[3:]
                return office.own_lines(token, device, log, int(after))
            raise problem("not-found")

        def _say(self, status: int, media_type: str, body: bytes) -> None:
            asked = self.headers.get("Accept-Encoding", "").split(",")
            read = {*asked, self.headers.get("Content-Encoding", "")} & {*office.packings}
            packing, body = pack_for(body, ANSWER, read) if status == 200 else (None, body)
            self.send_response(status)
            if packing is not None:
                self.send_header("Content-Encoding", packing)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that was killed leaves its connection behind

    server = Quiet(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
