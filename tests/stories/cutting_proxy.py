"""A relay in front of a server that cuts connections where it was told to, and counts the bytes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

RESET = struct.pack("ii", 1, 0)  # closing sends a reset instead of an orderly end


@dataclass
class Relay:
    """What passed. `cuts` are numbers of bytes upwards after each of which everything is cut."""

    port: int
    cuts: list[int]
    done: int = 0  # cuts so far
    passed: int = 0  # bytes since the last cut
    streams: list[bytearray] = field(default_factory=list)  # upwards, one for each connection
    lock: threading.Lock = field(default_factory=threading.Lock)

    def room(self) -> int:
        """How many bytes may pass before the next cut."""
        return self.cuts[self.done] - self.passed if self.done < len(self.cuts) else 2**62

    def file_bytes(self) -> int:
        """The bytes of files that went up: the bodies of what was sent to /api/files."""
        return sum(len(body) for s in self.streams for head, body in _requests(bytes(s))
                   if b" /api/files" in head)  # fmt: skip


def _requests(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The requests on one connection as head and body; the last may be cut."""
    while b"\r\n\r\n" in stream:
        head, _, stream = stream.partition(b"\r\n\r\n")
        lines = [line.lower().partition(b":") for line in head.split(b"\r\n")]
        length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        yield head, stream[:length]
        stream = stream[length:]


@contextmanager
def relay(port: int, cuts: list[int]) -> Iterator[Relay]:
    """Pass on connections to a port of this computer; every second cut is a reset."""
    listener = socket.create_server(("127.0.0.1", 0))
    state = Relay(listener.getsockname()[1], cuts)

    def upwards(near: socket.socket, far: socket.socket, stream: bytearray) -> None:
        while True:
            with state.lock:
                most = min(65_536, state.room())
            with suppress(OSError):
                data = near.recv(most)
                if data:
                    far.sendall(data)
                    with state.lock:
                        stream.extend(data)
                        state.passed += len(data)
                        if state.room() > 0:
                            continue
                        state.passed, state.done = 0, state.done + 1
                    _cut(near, far, hard=state.done % 2 == 0)
                    return
            _cut(near, far, hard=False)
            return

    def downwards(near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                near.sendall(data)
        with suppress(OSError):
            near.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port))
                stream = bytearray()
                state.streams.append(stream)
                for target, more in ((upwards, (stream,)), (downwards, ())):
                    threading.Thread(target=target, args=(near, far, *more), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield state
    finally:
        listener.close()


def _cut(near: socket.socket, far: socket.socket, hard: bool) -> None:
    """End both sides; `hard` is a reset for the device. The server is always sent what passed and
    then the end: a reset would throw away what was counted as passed and not yet sent.
    """
    with suppress(OSError):
        if hard:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            near.shutdown(socket.SHUT_RDWR)
    near.close()
    with suppress(OSError):
        # Closing alone would end nothing while the other thread waits for the server's answer.
        far.shutdown(socket.SHUT_RDWR)
    far.close()
