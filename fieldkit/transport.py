"""How messages reach the server: a small port, and its implementation over HTTP.

An implementation carries bytes and names what went wrong; what messages mean is the syncer's and
sync.session's matter. tests/contract/test_transport.py is what every implementation must do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Any, Protocol

import httpx

from fieldkit.pace import Pace
from fieldkit.tus import Chunks, Uploads
from sync.packing import ANSWER, GZIP, LZMA, PACKINGS, REQUEST, TAPAK, pack_for, unpack_from
from sync.problems import CATALOGUE, Kind, Problem, problem

CONNECT_SECONDS = 10
READ_SECONDS = 60
MAX_ANSWER_BYTES = 64 * 1024**2
HEAD_BYTES = 200  # about what stands in a head besides the headers that one request adds
DOWN_BYTES = 64 * 1024  # of an answer at once


class Transport(Protocol):
    """The port. Every method raises `server-away` when no answer came, the server's own problem
    when it named one, and `server-error` for any other answer but success.
    """

    def greet(self, challenge: str) -> bytes:
        """Ask which server this is, and to sign the challenge (wire.EnrolGreeting)."""
        ...

    def enrol(self, request: Mapping[str, Any]) -> bytes:
        """Send an enrolment (wire.EnrolRequest as JSON values); the answer's bytes."""
        ...

    def next_generation(self, request: Mapping[str, Any]) -> bytes:
        """Ask for the device's next generation (generation.GenerationRequest as JSON values)."""
        ...

    def held_of(self, former: str) -> bytes:
        """Ask how far the logs of an earlier device are held; the answer's bytes."""
        ...

    def hashes_of(self, former: str, request: Mapping[str, Any]) -> bytes:
        """Ask for chain hashes of such a log (generation.HashesRequest as JSON values)."""
        ...

    def own_lines(self, device: str, inspection: str, after: int) -> bytes:
        """Ask for this person's own lines of a log behind a position (own_lines.OwnLines)."""
        ...

    def go_on_as(self, token: str) -> None:
        """Speak with another token from now on: that of the device's next generation."""
        ...

    def exchange(self, request: bytes) -> bytes:
        """Send a sync request (session.write_request); the answer's bytes, not yet read."""
        ...

    def begin(self, request: bytes) -> Callable[[], bytes]:
        """Send a sync request and do not wait; what is returned waits, and gives what `exchange`
        gives or raises what it raises. Nothing else is sent before that.
        """
        ...

    def send_file(self, sha256: str, size: int, chunks: Chunks) -> None:
        """Send one file, going on from where the server has it after an earlier cut; returns when
        the server has verified and stored all of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer that was a success."""

    headers: httpx.Headers
    body: bytes


class HttpTransport:
    """The port over HTTP to the server at a base address such as https://tapak.example."""

    def __init__(self, server: str, token: str | None = None, pace: Pace | None = None) -> None:
        self.server = server.rstrip("/")
        self._pace = pace or Pace()
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # A hotel's sign-in page answers with a redirect: it must not get the token.
            follow_redirects=False,
        )
        # What the library would say besides tells a server nothing, and bytes may cost money.
        for name in ("Accept", "Accept-Encoding", "Connection", "User-Agent"):
            del self._client.headers[name]
        self._server_reads: tuple[str, ...] = PACKINGS
        self._uploads = Uploads(self._answer, self._pace.clock)

    def __enter__(self) -> HttpTransport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def greet(self, challenge: str) -> bytes:
        return self._send("GET", f"/api/enrol?challenge={challenge}", b"", {}).body

    def enrol(self, request: Mapping[str, Any]) -> bytes:
        body = json.dumps(request).encode("utf-8")
        headers = {"Content-Type": "application/json"}
        return self._send("POST", "/api/enrol", body, headers).body

    def next_generation(self, request: Mapping[str, Any]) -> bytes:
        body = json.dumps(request).encode("utf-8")
        headers = {"Content-Type": "application/json"}
        return self._send("POST", "/api/generation", body, headers).body

    def held_of(self, former: str) -> bytes:
        return self._send("GET", f"/api/generation/{former}", b"", {}).body

    def hashes_of(self, former: str, request: Mapping[str, Any]) -> bytes:
        body = json.dumps(request).encode()
        headers = {"Content-Type": "application/json"}
        return self._send("POST", f"/api/generation/{former}/hashes", body, headers).body

    def own_lines(self, device: str, inspection: str, after: int) -> bytes:
        return self._send("GET", f"/api/lines/{device}/{inspection}/{after}", b"", {}).body

    def go_on_as(self, token: str) -> None:
        self._client.headers["Authorization"] = f"Bearer {token}"

    def exchange(self, request: bytes) -> bytes:
        try:
            reply = self._exchange(request)
        except Problem as exc:
            if exc.code != "media-type" or self._server_reads == (GZIP,):
                raise
            # An older server does not know the newest packing; gzip is read by every one.
            self._server_reads = (GZIP,)
            reply = self._exchange(request)
        packing = reply.headers.get("Content-Encoding")
        if packing not in (TAPAK, LZMA):  # the library undoes the others
            return reply.body
        try:
            return unpack_from(packing, reply.body, ANSWER, MAX_ANSWER_BYTES)
        except Problem as exc:
            raise problem("answer-malformed", why="its compression is broken") from exc

    def begin(self, request: bytes) -> Callable[[], bytes]:
        answer: Future[bytes] = Future()

        def work() -> None:
            try:
                answer.set_result(self.exchange(request))
            except BaseException as exc:  # noqa: BLE001 - whoever waits is told
                answer.set_exception(exc)

        # Who stops meanwhile does not wait for the network.
        Thread(target=work, daemon=True).start()
        return answer.result

    def _exchange(self, request: bytes) -> _Reply:
        headers = {"Content-Type": "application/x-ndjson"}
        packing, body = pack_for(request, REQUEST, self._server_reads)
        if packing is not None:
            headers["Content-Encoding"] = packing
        if packing != TAPAK:  # who sends it understands it
            headers["Accept-Encoding"] = ",".join(PACKINGS)
        return self._send("POST", "/api/sync", body, headers)

    def send_file(self, sha256: str, size: int, chunks: Chunks) -> None:
        self._uploads.send_file(sha256, size, chunks)

    def _answer(
        self, method: str, path: str, content: bytes | Iterator[bytes], headers: dict[str, str]
    ) -> Mapping[str, str]:
        return self._send(method, path, content, headers).headers

    def _send(
        self, method: str, path: str, content: bytes | Iterator[bytes], headers: dict[str, str]
    ) -> _Reply:
        if isinstance(content, bytes) and content:
            headers = {**headers, "Content-Length": str(len(content))}
        self._pace.take(HEAD_BYTES + sum(len(n) + len(v) for n, v in headers.items()))
        slow = self._pace.slowly(content)
        try:
            with self._client.stream(
                method, self.server + path, content=slow, headers=headers
            ) as response:
                body = _bounded(response, self._pace)
        except httpx.DecodingError as exc:
            raise problem("answer-malformed", why="its compression is broken") from exc
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise problem("server-away", server=self.server, why=_why(exc)) from exc
        if response.is_success:
            return _Reply(response.headers, body)
        raise _refusal(response.status_code, response.headers.get("Content-Type", ""), body)


def _bounded(response: httpx.Response, pace: Pace) -> bytes:
    """The body, unpacked, unless it is far larger than any answer."""
    parts, size, came = [], 0, 0
    for part in response.iter_bytes(DOWN_BYTES):
        pace.take(response.num_bytes_downloaded - came)
        came = response.num_bytes_downloaded
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise problem("answer-malformed", why="it is far too large")
        parts.append(part)
    return b"".join(parts)


def _why(exc: httpx.TransportError | httpx.InvalidURL) -> str:
    if isinstance(exc, httpx.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS} s"
    if isinstance(exc, httpx.TimeoutException):
        return f"no answer within {READ_SECONDS} s"
    if isinstance(exc, httpx.ConnectError):
        return "no connection could be made"
    if isinstance(exc, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return "it is not a web address"
    return "the connection was cut"


def _refusal(status: int, media_type: str, body: bytes) -> Problem:
    """The server's own problem, or `server-error` when the answer names none."""
    nameless = problem("server-error", status_code=status)
    if media_type.partition(";")[0].strip() != "application/problem+json":
        return nameless
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return nameless
    if not isinstance(said, dict) or not isinstance(said.get("code"), str):
        return nameless
    detail = said.get("detail")
    if said["code"] in CATALOGUE and isinstance(detail, dict):
        return problem(said["code"], **{str(k): v for k, v in detail.items()})
    # A newer server may know problems that this version does not: its own words are shown.
    title, safe, remedy = (_plain(said.get(part)) for part in ("title", "safe", "remedy"))
    return Problem(Kind(said["code"][:60], status, title, safe, remedy), {})


def _plain(text: object) -> str:
    """A stranger's sentence, so that nothing in it is taken for a blank to fill in."""
    short = text[:500] if isinstance(text, str) else ""
    return short.replace("{", "{{").replace("}", "}}")
