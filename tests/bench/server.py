"""The real server with the floors beside it: endpoints that do the least that is durable.

`python -m tests.bench.server DATA PORT` serves until it is ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from flask import Response, request
from sqlalchemy import insert

from server.context import open_context
from server.permissions import ROUTES
from server.serve import Application
from server.settings import read_settings
from server.web import BODY_LIMITS, ctx
from sync.log import MAX_FILE_BYTES, MAX_REQUEST_BYTES
from sync.session import inflate
from tests.bench.office import FLOOR

_INSERT = insert(FLOOR)


def row() -> Response:
    """Durably insert one row of the size of what was sent."""
    body = inflate(request.get_data(cache=False))
    ctx().db.write(lambda tx: tx.execute(_INSERT, {"body": body}))
    return Response(status=204)


def file() -> Response:
    """Durably store the bytes that were sent as one file."""
    folder = ctx().settings.data / "floor"
    folder.mkdir(exist_ok=True)
    with NamedTemporaryFile(dir=folder, delete=False) as kept:
        for chunk in _chunks():
            kept.write(chunk)
        kept.flush()
        os.fsync(kept.fileno())
    os.rename(kept.name, f"{kept.name}.whole")  # noqa: PTH104 - the least that does it
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return Response(status=204)


def _chunks() -> Iterator[bytes]:
    while chunk := request.stream.read(256 * 1024):
        yield chunk


class WithFloors(Application):
    """What `tapak serve` serves, and the floors."""

    def load(self) -> Any:
        app = super().load()
        for name, view, limit in (("row", row, MAX_REQUEST_BYTES), ("file", file, MAX_FILE_BYTES)):
            ROUTES[f"floor_{name}"] = "sync.exchange"
            BODY_LIMITS[f"floor_{name}"] = limit
            app.add_url_rule(f"/floor/{name}", f"floor_{name}", view, methods=["POST"])
        return app


def main(data: Path, port: int) -> None:
    settings = read_settings(data)
    open_context(settings).db.close()
    WithFloors(settings, "127.0.0.1", port).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
