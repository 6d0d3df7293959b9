"""A network over loopback that cuts: connections end after so many bytes, stall, or never begin."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

PIECE = 16_384
STALL_SECONDS = 0.25
FATES = ("connection refused", "connection cut on the way up", "connection cut on the way down")
SLOW = "connection stalled, then cut"


@dataclass
class Fate:
    """What becomes of a connection: after `after` bytes `up` or down it ends."""

    kind: str
    after: int


class Proxy:
    """Listens on a port of its own and passes on to the server, as chance will have it."""

    def __init__(self, to: int, dice: random.Random, count: Callable[[str], None]) -> None:
        self.to, self.dice, self.count = to, dice, count
        self.calm = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def _begin(self, work: Callable[..., None], *given: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()
        return thread

    def close(self) -> None:
        _end(self._listening)
        self.cut_all()
        for thread in self._threads:
            thread.join(5)

    def cut_all(self) -> int:
        """The proxy's own end: every connection that is open is cut; how many those were."""
        with self._lock:
            gone, self._open = self._open, set()
        for one in gone:
            _end(one)
        return len(gone)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._begin(self._carry, client, self._fate())

    def _fate(self) -> Fate | None:
        with self._lock:
            if self.calm or self.dice.random() < 0.6:
                return None
            kind = self.dice.choice((*FATES, *FATES, SLOW))
            return Fate(kind, self.dice.choice((0, 40, 300, self.dice.randrange(1, 60_000))))

    def _carry(self, client: socket.socket, fate: Fate | None) -> None:
        if fate is not None and fate.kind == FATES[0]:
            self.count(fate.kind)
            _end(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.to), timeout=5)
        except OSError:
            _end(client)
            return
        server.settimeout(None)
        with self._lock:
            self._open |= {client, server}
        up = fate if fate is not None and fate.kind != FATES[2] else None
        down = fate if fate is not None and fate.kind == FATES[2] else None
        other = threading.Thread(target=self._pump, args=(server, client, down), daemon=True)
        other.start()
        self._pump(client, server, up)
        other.join()
        with self._lock:
            self._open -= {client, server}
        _end(client)
        _end(server)

    def _pump(self, source: socket.socket, target: socket.socket, fate: Fate | None) -> None:
        left = None if fate is None else fate.after
        with suppress(OSError):
            while data := source.recv(PIECE):
                if left is not None and len(data) > left:
                    target.sendall(data[:left])
                    assert fate is not None
                    self.count(fate.kind)
                    if fate.kind == SLOW:
                        threading.Event().wait(STALL_SECONDS)
                    _end(source)
                    break
                target.sendall(data)
                left = None if left is None else left - len(data)
            else:
                with suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
                return
        _end(target)
        _end(source)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        one.close()
