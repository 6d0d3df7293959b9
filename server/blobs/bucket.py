"""A shelf that is an S3 bucket: one object a file, below a prefix.

An object appears under its name when all its bytes have arrived, so a put is one request: there
are no parts that an ended process could leave behind. Bytes come from a file on this computer
whose digest is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from server.blobs.shelf import CHUNK, Listed, Shelf, disk_problem
from sync.problems import Problem, problem

T = TypeVar("T")

WHOLE_BYTES = 8 * 1024**2  # up to here a file is sent from memory, and again if the bucket stumbles
TRIES = 3  # for a larger one, which is read from disk each time
PROBE = "tapak-writes-here"
NAME = re.compile(r"[0-9a-f]{64}\Z")
NOT_PARTIAL = "it does not give parts of a file"
SETTINGS = ("endpoint", "region", "access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True, slots=True)
class BucketShelf(Shelf):
    """Objects `<prefix>/<kind>/<name>` of a bucket; `scratch` is a folder for local copies."""

    bucket: S3Store
    kind: str
    shown: str
    scratch: Path

    def check(self) -> None:
        text = b"Tapak keeps files below this prefix.\n"
        key = f"{self.kind}/{PROBE}"
        self._ask(lambda: obstore.put(self.bucket, key, text))
        if self._ask(lambda: bytes(obstore.get(self.bucket, key).bytes())) != text:
            raise problem("files-refused", where=self.shown, why="it gives other bytes than it got")

    def size(self, name: str) -> int | None:
        try:
            return self._ask(lambda: obstore.head(self.bucket, self._key(name))["size"])
        except Problem as exc:
            if exc.code != "file-not-here":
                raise
            return None

    def chunks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if stop is not None and stop <= start:
            return iter(())
        skip, result = self._open(name, start, stop)
        return self._pieces(result, skip, None if stop is None else stop - start)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        chunks = self.chunks(name)
        try:
            handle, made = mkstemp(prefix="spool-", dir=self.scratch)
        except OSError as exc:
            raise disk_problem(exc, self.scratch) from exc
        copy = Path(made)
        try:
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines(chunks)
            except OSError as exc:
                raise disk_problem(exc, self.scratch) from exc
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def place(self, name: str, file: Path) -> None:
        try:
            size = file.stat().st_size
            if size <= WHOLE_BYTES:
                data = file.read_bytes()
                self._ask(lambda: obstore.put(self.bucket, self._key(name), data))
            else:
                self._stream(name, file, size)
            file.unlink()
        except OSError as exc:
            raise disk_problem(exc, self.scratch) from exc

    def remove(self, name: str) -> None:
        self._ask(lambda: obstore.delete(self.bucket, self._key(name)))

    def listed(self) -> Iterator[Listed]:
        pages = iter(obstore.list(self.bucket, f"{self.kind}/"))
        while page := self._ask(lambda: next(pages, None)):
            for one in page:
                name = one["path"].rpartition("/")[2]
                if NAME.match(name):
                    yield Listed(name, one["size"])

    # -- one request at a time --------------------------------------------------------------------

    def _key(self, name: str) -> str:
        return f"{self.kind}/{name}"

    def _ask(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except FileNotFoundError as exc:
            if "<Code>NoSuchBucket</Code>" in str(exc):
                raise problem("files-refused", where=self.shown, why="no such bucket") from exc
            raise problem("file-not-here") from exc
        except BaseError as exc:
            raise self._problem(exc) from exc

    def _open(self, name: str, start: int, stop: int | None) -> tuple[int, Any]:
        """A running download, and how many bytes of it are not wanted."""
        key = self._key(name)
        options: Any = {"range": {"offset": start} if stop is None else (start, stop)}
        if start or stop is not None:
            try:
                return 0, self._ask(lambda: obstore.get(self.bucket, key, options=options))
            except Problem as exc:
                # Some S3 servers mark a part as if it were the whole, which the library refuses.
                if exc.detail.get("why") != NOT_PARTIAL:
                    raise
        return start, self._ask(lambda: obstore.get(self.bucket, key))

    def _pieces(self, result: Any, skip: int, left: int | None) -> Iterator[bytes]:
        stream = iter(result.stream(min_chunk_size=CHUNK))
        while left is None or left > 0:
            piece = self._ask(lambda: next(stream, None))
            if piece is None:
                return
            data = bytes(piece)
            skip, data = max(skip - len(data), 0), data[skip:]
            data = data if left is None else data[:left]
            left = None if left is None else left - len(data)
            if data:
                yield data

    def _stream(self, name: str, file: Path, size: int) -> None:
        """One PUT of a file of any size, with the memory of one piece."""
        headers = {"Content-Length": str(size)}
        why = ""
        for _ in range(TRIES):
            url = self._ask(
                lambda: obstore.sign(self.bucket, "PUT", self._key(name), timedelta(hours=6))
            )
            try:
                with file.open("rb") as data:
                    answer = httpx.put(url, content=data, headers=headers, timeout=120)
            except httpx.TransportError as exc:
                why = "the connection was cut" if str(exc) else "it does not answer in time"
                continue
            if answer.is_success:
                return
            why = f"it answered with status {answer.status_code}"
            if answer.status_code < 500:
                raise problem("files-refused", where=self.shown, why=why)
        raise problem("files-away", where=self.shown, why=why)

    def _problem(self, exc: BaseError) -> Problem:
        told = str(exc)
        found = re.search(r"status code: (\d{3})", told)
        status = int(found[1]) if found else 0
        code = re.search(r"<Code>(\w+)</Code>", told)
        refused = isinstance(exc, (PermissionDeniedError, UnauthenticatedError))
        if refused or 400 <= status < 500:
            why = code[1] if code else f"status {status or 403}"
            return problem("files-refused", where=self.shown, why=why)
        if "NotPartial" in told:
            return problem("files-away", where=self.shown, why=NOT_PARTIAL)
        why = f"it answered with status {status}" if status else "no connection could be made"
        return problem("files-away", where=self.shown, why=why)


def open_bucket(url: str, endpoint: str = "") -> tuple[S3Store, str]:
    """The bucket of `s3://bucket/prefix?endpoint=...&region=...`, and how to show it to people.

    What the query does not say comes from the usual AWS_* variables, and the endpoint from the
    second argument. Nothing is asked of the bucket yet. Raises `files-setting`.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    unknown = sorted(set(query) - set(SETTINGS))
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme != "s3" or not parts.hostname or parts.username is not None:
        raise problem("files-setting", given=shown, why="it has to look like s3://bucket/prefix")
    if unknown:
        raise problem("files-setting", given=shown, why=f"{unknown[0]!r} is not known in it")
    config: Any = {key: values[-1] for key, values in query.items()}
    config.setdefault("endpoint", endpoint)
    if not config["endpoint"]:
        del config["endpoint"]
    try:
        bucket = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": config.get("endpoint", "").startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "read_timeout": timedelta(seconds=30),
                "timeout": timedelta(hours=6),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
        )
    except (BaseError, ValueError) as exc:
        raise problem("files-setting", given=shown, why=str(exc).split("\n")[0][:200]) from exc
    return bucket, shown
