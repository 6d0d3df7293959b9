"""Tapak: the staff's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.context import Context, open_context
from server.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


def create_app(source: Settings | Context) -> Flask:
    """The web application: API, pages, who may do what, and how errors are answered.

    From settings it opens the data folder first and raises what `open_context` raises.
    """
    # Imported here: the worker and the commands use this package without a web framework.
    from importlib.metadata import version  # noqa: PLC0415

    from flask import Flask  # noqa: PLC0415

    from server import errors, web  # noqa: PLC0415
    from server.api import BLUEPRINTS  # noqa: PLC0415
    from server.api.describe import Described  # noqa: PLC0415
    from server.pages import blueprint as pages  # noqa: PLC0415

    app = Flask("server", static_folder=None)
    app.extensions["tapak"] = source if isinstance(source, Context) else open_context(source)
    app.config.update(
        API_TITLE="Tapak",
        API_VERSION=version("tapak"),
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    web.install(app)
    api = Described(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)
    errors.install(app)
    return app
