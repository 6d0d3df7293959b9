"""Clients at once: each a connection kept open that sends prepared requests one after another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

Script = Sequence[bytes]


def request_bytes(
    method: str, path: str, token: str, body: bytes, headers: dict[str, str] | None = None
) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, scripts: Sequence[Script]) -> float:
    """Seconds until every client has had an answer of 2xx to each of its requests."""
    gate = threading.Barrier(len(scripts) + 1)
    faults: list[str] = []

    def client(script: Script) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = connection.makefile("rb")
            gate.wait()
            for message in script:
                connection.sendall(message)
                status = _answer(reader)
                if not 200 <= status < 300:
                    faults.append(f"answered with {status}")
                    return

    threads = [threading.Thread(target=client, args=(script,)) for script in scripts]
    for thread in threads:
        thread.start()
    gate.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    if faults:
        raise RuntimeError(faults[0])
    return seconds


def _answer(reader: socket.SocketIO) -> int:
    status = int(reader.readline().split()[1])
    length = 0
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length:
        reader.read(length)
    return status
