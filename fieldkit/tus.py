"""One file up by tus 1.0, so that a cut costs at most 64 kB and a good link is used well (S6).

A small request carries a checksum: the server keeps all of its bytes or none. Once the link has
shown that it is good, long requests follow without one: of these the server keeps whatever
arrived, and the file's own digest is verified at its end.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sync.problems import Problem, problem

CHECKED_BYTES = 64_000
LONG_BYTES = 4 * 1024**2  # little is lost also behind a proxy that passes on whole requests only
GOOD_SECONDS = 0.5  # within which a checked request is answered over a good link
TRIES = 3  # of one checked request whose bytes arrive changed
TUS = {"Tus-Resumable": "1.0.0"}
OFFSET_BYTES = {"Content-Type": "application/offset+octet-stream"}

# The bytes of a file from an offset on.
Chunks = Callable[[int], Iterator[bytes]]
# Method, path, body and headers of a request -> the headers of its answer.
Send = Callable[[str, str, "bytes | Iterator[bytes]", dict[str, str]], Mapping[str, str]]


@dataclass(slots=True)
class Uploads:
    """Sends files one after the other, and remembers what the link is like.

    `clock` counts seconds, and never backwards.
    """

    send: Send
    clock: Callable[[], float]
    good: bool = False
    changes_bytes: bool = False  # seen once: then every request carries a checksum

    def send_file(self, sha256: str, size: int, chunks: Chunks) -> None:
        """Send one file, going on from where the server has it; returns when it has verified all.

        Raises the problems of `send`, and `answer-malformed`.
        """
        try:
            self._send_file(sha256, size, chunks)
        except Problem as exc:
            unsure = size > CHECKED_BYTES and not self.changes_bytes
            if exc.code != "file-digest" or not unsure or _digest(chunks) != sha256:
                raise
            self.changes_bytes = True
            self._send_file(sha256, size, chunks)

    def _send_file(self, sha256: str, size: int, chunks: Chunks) -> None:
        stands = self._begin(sha256, size, chunks)
        while stands < size:
            now = self._go_on(f"/api/files/{sha256}", stands, size, chunks)
            if now <= stands:
                raise problem("answer-malformed", why="the file does not get further")
            stands = now

    def _begin(self, sha256: str, size: int, chunks: Chunks) -> int:
        """Begin the upload, or find it again: it is the same one for the same file.

        A larger file's bytes wait for the answer, which says how many are there already.
        """
        headers = {
            **TUS,
            "Upload-Length": str(size),
            "Upload-Metadata": f"sha256 {base64.b64encode(sha256.encode()).decode()}",
        }
        if size > CHECKED_BYTES:
            return _stands(self.send("POST", "/api/files", b"", headers), size)
        return _stands(self._checked("POST", "/api/files", _first(chunks(0), size), headers), size)

    def _go_on(self, path: str, stands: int, size: int, chunks: Chunks) -> int:
        headers = {**TUS, "Upload-Offset": str(stands)}
        if self.good and not self.changes_bytes:
            length = min(LONG_BYTES, size - stands)
            headers |= {**OFFSET_BYTES, "Content-Length": str(length)}
            return _stands(self.send("PATCH", path, _first(chunks(stands), length), headers), size)
        piece = _first(chunks(stands), min(CHECKED_BYTES, size - stands))
        return _stands(self._checked("PATCH", path, piece, headers), size)

    def _checked(
        self, method: str, path: str, piece: Iterator[bytes], headers: dict[str, str]
    ) -> Mapping[str, str]:
        data = b"".join(piece)
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers |= {**OFFSET_BYTES, "Upload-Checksum": f"sha256 {digest}"}
        for left in reversed(range(TRIES)):
            began = self.clock()
            try:
                answer = self.send(method, path, data, dict(headers))
            except Problem as exc:
                if exc.code != "upload-checksum" or not left:
                    raise
                self.changes_bytes = True
            else:
                quick = self.clock() - began < GOOD_SECONDS * len(data) / CHECKED_BYTES
                # A small piece says little of a link that was good before.
                self.good = quick or (self.good and len(data) < CHECKED_BYTES)
                return answer
        raise AssertionError("the last try returns or raises")


def _first(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """That many of the bytes."""
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _digest(chunks: Chunks) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(0):
        digest.update(chunk)
    return digest.hexdigest()


def _stands(headers: Mapping[str, str], size: int) -> int:
    """How many of the file's bytes the server says are there for good."""
    given = headers.get("Upload-Offset", "")
    if not (given.isascii() and given.isdigit() and int(given[:20]) <= size):
        raise problem("answer-malformed", why="it does not say how much of the file arrived")
    return int(given)
