"""Bytes on the wire, counted between the real transport and the real server, and what they are."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from checklists.model import Item
from fieldkit.capture import Recorder, answer, set_outcome, start
from fieldkit.library import Library
from fieldkit.signing import sign_off
from fieldkit.transport import HttpTransport
from sync.packing import REQUEST, pack_for
from sync.session import Request, read_answer, read_request, write_request
from tests.bench.figure import Figure, once
from tests.bench.laptop import enrolled_store, sync
from tests.bench.office import ANSWERS, NOW, Laptop, Office, office

FORM, FORM_BYTES = "the same answers as a form submission", 2935
SLOWEST_ANSWER_MS = 90_000  # an answer is taken that long after the one before, or sooner
LINES = "the bytes of its entries, uncompressed"
PACKED = "its entries, compressed"


@dataclass
class Counted:
    """A relay in front of the server that counts what goes up and what comes down."""

    port: int
    up: int = 0
    down: int = 0

    def taken(self) -> tuple[int, int]:
        """Bytes up and down since the last time."""
        counted, self.up, self.down = (self.up, self.down), 0, 0
        return counted


def figures(folder: Path) -> Iterator[Figure]:
    with office(folder, 1) as made, relay(made.port) as counted:
        laptop = made.laptops[0]
        with HttpTransport(f"http://127.0.0.1:{counted.port}", laptop.token) as transport:
            # What the server says at its start has come down before anybody leaves for a site.
            answer = read_answer(transport.exchange(_nothing(laptop)))
            laptop = replace(laptop, cursor=answer.cursor)
            counted.taken()
            transport.exchange(_nothing(laptop))
            up, down = counted.taken()
            yield once("a sync with nothing to say, up and down", "B", up + down, "1 kB", 1000)
            yield from _inspection(transport, counted, laptop, laptop.facilities[0])
        yield from _by_fieldkit(folder / "laptop", made, counted)


def _inspection(
    transport: HttpTransport, counted: Counted, laptop: Laptop, facility: str
) -> Iterator[Figure]:
    body = laptop.inspection(facility)
    lines = sum(len(line) + 1 for line in read_request(body).segments[0].lines)
    packed = len(pack_for(body, REQUEST)[1])
    transport.exchange(body)
    up, down = counted.taken()
    name = "an inspection of 42 answers"
    yield once(f"{name}, up and down", "B", up + down, LINES, lines)
    yield once(f"{name}: entries and signature, compressed", "B", packed, LINES, lines)
    yield once(f"{name}: the request's head", "B", up - packed, PACKED, packed)
    yield once(f"{name}: the answer with its receipt", "B", down, PACKED, packed)


def _by_fieldkit(folder: Path, made: Office, counted: Counted) -> Iterator[Figure]:
    """The same many answers as a laptop records and sends them: with a nonce in its logs, what its
    own log notes, outcome and sign-off, and the receipt that quotes a checkpoint.
    """
    laptop = made.laptops[0]
    with HttpTransport(f"http://127.0.0.1:{counted.port}", laptop.token) as transport:
        store = enrolled_store(folder, made, laptop, None)
        sync(store, laptop, transport)
        library, identity = Library(store.database), store.identity()

        dice = random.Random(42)
        clock = time.time_ns() // 1_000_000 - 2 * ANSWERS * SLOWEST_ANSWER_MS

        def recorder() -> Recorder:
            nonlocal clock
            clock += dice.randrange(SLOWEST_ANSWER_MS)
            return Recorder(store, library, identity, clock)

        begun = start(recorder(), laptop.facilities[1])
        asked = [(item, place) for _, item in begun.checklist.items() for place in _places(item)]
        for item, place in asked[:ANSWERS]:
            answer(recorder(), begun.inspection, item.id, _said(item), instance=place)
        set_outcome(recorder(), begun.inspection, "visited")
        sign_off(recorder(), begun.inspection)
        counted.taken()
        sync(store, laptop, transport)
        up, down = counted.taken()
    assert len(asked) >= ANSWERS
    name = "42 answers recorded and signed by fieldkit"
    yield once(f"{name}: sent", "B", up, FORM, FORM_BYTES)
    yield once(f"{name}: sent and received", "B", up + down, FORM, FORM_BYTES)


def _places(item: Item) -> list[str | None]:
    return [None] if item.instances is None else [f"w{n}" for n in range(1, 4)]


def _said(item: Item) -> list[str]:
    return [f"{one.id}=0.005" for one in item.analytes] or ["FM"]


def _nothing(laptop: Laptop) -> bytes:
    return write_request(Request(laptop.id, laptop.cursor, (), (), NOW))


@contextmanager
def relay(port: int) -> Iterator[Counted]:
    """Pass on connections to the server's port, counting."""
    listener = socket.create_server(("127.0.0.1", 0))
    counted = Counted(listener.getsockname()[1])

    def pump(source: socket.socket, target: socket.socket, upwards: bool) -> None:
        while data := _received(source):
            if upwards:
                counted.up += len(data)
            else:
                counted.down += len(data)
            target.sendall(data)

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            for source, target, upwards in ((near, far, True), (far, near, False)):
                threading.Thread(target=pump, args=(source, target, upwards), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield counted
    finally:
        listener.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(64 * 1024)
    except OSError:
        return b""
