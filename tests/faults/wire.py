"""The network between devices and the server: the device's real HTTP client, the server's real
application, and in between whatever happens to a request and to its answer.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from fieldkit.transport import MAX_ANSWER_BYTES
from sync.packing import ANSWER, unpack_from

from . import lies
from .process import Died, Process, current, nobody

FATES = (
    "request lost",
    "request cut",
    "answer lost",
    "answer cut",
    "request twice",
    "request repeated later",
    "request delayed",
    "sign-in page",
    "forged receipt",
    "answer altered",
    "old answer",
    "gateway error",
    "request altered",
)
LIES = ("forged receipt", "answer altered", "old answer", "request altered")


@dataclass(frozen=True)
class Sent:
    """A request as it left a device."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """An answer as it left the server."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class AwayError(Exception):
    """Nobody answers there, or the answer was cut off."""


@dataclass
class Network:
    """All requests of all devices. `serve` hands one to the server; `cut` is how many bytes of the
    body arrive, None for all. `fates` are what happens to the next requests, in order.
    """

    serve: Callable[[Sent, int | None], Answered]
    dice: random.Random
    count: Callable[[str], None]
    fates: list[str] = field(default_factory=list)
    late: list[Sent] = field(default_factory=list)
    past: dict[tuple[str, str], list[Answered]] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)  # answers that the catalogue has no word for
    bytes_carried: int = 0
    lied_to: set[str] = field(default_factory=set)  # devices whose words somebody changed
    watch: Callable[[str, Sent], None] = lambda device, sent: None  # sees what each device sends

    def carry(self, sent: Sent, device: str, log: str, digest: str) -> Answered | tuple[int, Any]:
        """One request through the network: the answer, or after how many of its bytes it ends."""
        fate = self.fates.pop(0) if self.fates else ""
        if self.late and self.dice.random() < 0.5:
            self.deliver_late(1)
        if fate:
            self.count(fate)
        if fate in LIES:
            self.lied_to.add(device)
        if fate == "request lost":
            raise AwayError
        if fate == "request delayed":
            self.late.append(sent)
            raise AwayError
        if fate == "sign-in page":
            status = self.dice.choice((200, 302, 511))
            return Answered(status, (("Content-Type", "text/html"),), lies.PORTAL)
        if fate == "gateway error":
            page = b"<html>bad gateway</html>"
            return Answered(
                self.dice.choice((502, 503, 504)), (("Content-Type", "text/html"),), page
            )
        known = self.past.setdefault((device, sent.path), [])
        if fate == "old answer" and known:
            return self.dice.choice(known)
        if fate == "request cut":
            self._ask(sent, self.dice.randint(0, len(sent.body)))
            raise AwayError
        if fate == "request altered":
            return self._ask(lies.altered_request(sent, self.dice), None)
        answer = self._ask(sent, None)
        if fate == "request twice":
            answer = self._ask(sent, None)
        if fate == "request repeated later":
            self.late.append(sent)
        known.append(answer)
        if fate == "answer lost":
            raise AwayError
        if fate == "answer cut":
            return self.dice.randint(0, len(answer.body)), answer
        if fate in ("forged receipt", "answer altered"):
            return self._another(fate, answer, device, log, digest)
        return answer

    def deliver_late(self, most: int = 1000) -> None:
        """Requests that were held up on the way arrive, after newer ones and in any order."""
        for _ in range(min(most, len(self.late))):
            sent = self.late.pop(self.dice.randrange(len(self.late)))
            try:
                self._ask(sent, None)
            except AwayError:
                continue

    def _ask(self, sent: Sent, cut: int | None) -> Answered:
        with nobody():
            answer = self.serve(sent, cut)
        self.bytes_carried += len(sent.body) + len(answer.body)
        named = "problem+json" in dict(answer.headers).get("Content-Type", "")
        if answer.status >= 500 and not named:
            self.unnamed.append(f"{sent.method} {sent.path}: {answer.status}")
        return answer

    def _another(self, fate: str, answer: Answered, device: str, log: str, digest: str) -> Answered:
        try:
            said = json.loads(plain(answer))
        except ValueError:
            return answer
        if not isinstance(said, dict) or "cursor" not in said:
            return answer
        if fate == "forged receipt":
            said = lies.forged(said, device, log, digest)
        else:
            said = lies.altered(said, self.dice, device)
        kept = tuple(one for one in answer.headers if one[0].lower() != "content-encoding")
        return Answered(answer.status, kept, json.dumps(said).encode())


def plain(answer: Answered) -> bytes:
    """An answer's body, unpacked."""
    packing = dict(answer.headers).get("Content-Encoding")
    return unpack_from(packing, answer.body, ANSWER, MAX_ANSWER_BYTES)


class Socket(httpx.BaseTransport):
    """What the device's HTTP client sends through. `known` gives the device, a log and a
    digest that a forger may have seen.
    """

    def __init__(
        self, network: Network, process: Process, known: Callable[[], tuple[str, str, str]]
    ) -> None:
        self.network, self.process, self.known = network, process, known

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.process.touch("before the request")
        body = b"".join(request.stream)
        sent = Sent(
            request.method,
            request.url.raw_path.decode(),
            tuple((k, v) for k, v in request.headers.items()),
            body,
        )
        with nobody():
            known = self.known()
            self.network.watch(known[0], sent)
        try:
            answer = self.network.carry(sent, *known)
        except AwayError:
            raise httpx.RemoteProtocolError("cut", request=request) from None
        self.process.touch("after the request")
        if isinstance(answer, tuple):
            cut, whole = answer
            return _response(whole, _cut_off(whole.body[:cut]))
        return _response(answer, _Whole(answer.body))


class _Whole(httpx.SyncByteStream):
    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data


class _cut_off(_Whole):  # noqa: N801
    def __iter__(self) -> Iterator[bytes]:
        yield self.data
        raise httpx.RemoteProtocolError("cut in the middle of the answer")


def _response(answer: Answered, stream: httpx.SyncByteStream) -> httpx.Response:
    return httpx.Response(answer.status, headers=list(answer.headers), stream=stream)


# -- the server's end -----------------------------------------------------------------------------


def ask_application(application: Any, sent: Sent, cut: int | None) -> Answered:
    """Have a WSGI application answer a request of which only `cut` bytes of the body arrive."""
    headers = {name.lower(): value for name, value in sent.headers}
    path, _, query = sent.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "office.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body if cut is None else sent.body[:cut]),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    environ.setdefault("CONTENT_LENGTH", str(len(sent.body)))
    told: list[Any] = []

    def start(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told[:] = [int(status.split(maxsplit=1)[0]), tuple(given)]
        return lambda data: None

    parts = application(environ, start)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return Answered(told[0], told[1], body if sent.method != "HEAD" else b"")


__all__ = ["FATES", "Answered", "AwayError", "Died", "Network", "Sent", "Socket", "current"]
