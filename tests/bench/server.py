"""The real server with the floors beside it: endpoints that do the least that is durable.

`python -m tests.bench.server DATA PORT` serves until it is ended.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Response, request
from sqlalchemy import LargeBinary, column, insert, table

from server.context import open_context
from server.permissions import ROUTES
from server.serve import Application
from server.settings import read_settings
from server.web import ctx
from sync.session import inflate

FLOOR = table("floor", column("body", LargeBinary))


def row() -> Response:
    """Durably insert one row of the size of what was sent."""
    body = inflate(request.get_data(cache=False))
    ctx().db.write(lambda tx: tx.execute(insert(FLOOR).values(body=body)))
    return Response(status=204)


class WithFloors(Application):
    """What `tapak serve` serves, and the floors."""

    def load(self) -> Any:
        app = super().load()
        ROUTES["floor"] = "sync.exchange"
        app.add_url_rule("/floor/row", "floor", row, methods=["POST"])
        return app


def main(data: Path, port: int) -> None:
    settings = read_settings(data)
    open_context(settings).db.close()
    WithFloors(settings, "127.0.0.1", port).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
