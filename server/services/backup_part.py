"""One table as a file of a backup: gzip NDJSON, a line that describes it and a line for each row.

Binary values stand in base64. Both ways stream: memory does not grow with the number of rows.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from server.services.backup_folder import DamagedError, Part
from server.store.copying import KINDS, Row, Shape
from sync.problems import problem

SPEED = 1  # the fastest compression: it mainly takes back what base64 added
_TYPES: dict[str, type] = {"boolean": bool, "integer": int, "bytes": bytes, "text": str}


@dataclass(slots=True)
class _Measured:
    """A file that is written to, and length and digest of what it was given."""

    file: IO[bytes]
    size: int
    digest: Any

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def write_part(path: Path, shape: Shape, rows: Iterable[Row]) -> Part:
    """Write a table's rows; the file is durable when this returns.

    Raises OSError, and `table-unreadable` for a value that is not of its column's kind.
    """
    count = 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        measured = _Measured(file, 0, hashlib.sha256())
        out: Any = measured
        with gzip.GzipFile("", "wb", SPEED, out, mtime=0) as packed:
            packed.write(_line(_described(shape)))
            for row in rows:
                packed.write(_line(_written(shape, row)))
                count += 1
        file.flush()
        os.fsync(file.fileno())
    return Part(shape.name, count, measured.size, measured.digest.hexdigest())


def check_part(path: Path, part: Part) -> str | None:
    """What is wrong with the bytes of a part, or None."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        return "it is missing"
    except OSError as exc:
        return f"it cannot be read: {exc.strerror}"
    if size != part.size:
        return f"it has {size} bytes, not {part.size}"
    if digest.hexdigest() != part.sha256:
        return "its bytes do not have the digest that the manifest gives"
    return None


def read_shape(path: Path) -> Shape:
    """The first line of a part; raises DamagedError."""
    for body in _lines(path):
        try:
            columns = tuple((str(name), str(kind)) for name, kind in body["columns"])
            if any(kind not in KINDS for _, kind in columns):
                raise ValueError("an unknown kind of column")
            return Shape(body["table"], columns, tuple(body["key"]), tuple(body["to_itself"]))
        except (TypeError, KeyError, ValueError) as exc:
            raise DamagedError("it does not say which table it holds") from exc
    raise DamagedError("it is empty")


def read_rows(path: Path, shape: Shape) -> Iterator[Row]:
    """The rows of a part, one at a time; raises DamagedError."""
    kinds = [kind for _, kind in shape.columns]
    lines = _lines(path)
    next(lines, None)
    for body in lines:
        if not isinstance(body, list) or len(body) != len(kinds):
            raise DamagedError("a row has not as many values as the table has columns")
        try:
            yield tuple(_read(kind, value) for kind, value in zip(kinds, body, strict=True))
        except (TypeError, ValueError) as exc:
            raise DamagedError("a value is not of its column's kind") from exc


def _lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rb") as packed:
            for line in packed:
                yield json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError) as exc:
        raise DamagedError(f"it cannot be unpacked: {exc}") from exc


def _described(shape: Shape) -> dict[str, Any]:
    return {
        "table": shape.name,
        "columns": [list(one) for one in shape.columns],
        "key": list(shape.key),
        "to_itself": list(shape.to_itself),
    }


def _written(shape: Shape, row: Row) -> list[Any]:
    out: list[Any] = []
    for (name, kind), value in zip(shape.columns, row, strict=True):
        held = bytes(value) if isinstance(value, memoryview) else value
        if held is not None and not isinstance(held, _TYPES[kind]):
            why = f"{name} holds {type(held).__name__} where {kind} belongs"
            raise problem("table-unreadable", table=shape.name, why=why)
        out.append(base64.b64encode(held).decode("ascii") if isinstance(held, bytes) else held)
    return out


def _read(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "bytes":
        return base64.b64decode(value, validate=True)
    if not isinstance(value, _TYPES[kind]):
        raise ValueError(kind)
    return value


def _line(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
