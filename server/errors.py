"""Every error as a catalogue problem: JSON for machines, a page for people, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as AnyResponse

from server.api.describe import PROBLEM_JSON
from server.web import ctx, principal
from sync.log import MAX_FILE_BYTES
from sync.problems import Problem, problem
from sync.wire import faults


def install(app: Flask) -> None:
    """Answer every error that a view or the framework raises; call it after the API's set-up."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _answer_http)


def answer(found: Problem) -> AnyResponse:
    """A problem as an answer: JSON for /api and /healthz, else a page or the way to the login."""
    if _is_machine():
        body = json.dumps(found.to_json(), ensure_ascii=False, default=str)
        return Response(body + "\n", status=found.status, content_type=PROBLEM_JSON)
    if found.code == "login-needed" and request.method == "GET":
        back = request.full_path.rstrip("?")
        return redirect(url_for("pages.login", next=back), 303)
    page = render_template("error.html", problem=found, principal=principal())
    return Response(page, status=found.status, mimetype="text/html")


def _is_machine() -> bool:
    return request.path.startswith("/api/") or request.path in ("/api", "/healthz")


def _answer_http(exc: HTTPException) -> AnyResponse:
    if exc.code is None or exc.code < 400:  # a redirect is no error
        return exc.get_response()
    response = answer(_as_problem(exc))
    for name, value in exc.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _as_problem(exc: HTTPException) -> Problem:
    if isinstance(exc, InternalServerError):
        number = ctx().token(6)
        current_app.logger.error("the error above was answered with the number %s", number)
        return problem("internal", number=number)
    if exc.code == 404:
        return problem("not-found")
    if exc.code == 405:
        return problem("method-not-allowed")
    if exc.code == 413:
        return _too_large()
    if exc.code == 415:
        return problem("media-type", given=request.mimetype, wanted="application/json")
    if exc.code == 422:
        return problem("fields-malformed", why=_fields(getattr(exc, "data", None)))
    return problem("request-malformed", why=exc.name.lower())


def _too_large() -> Problem:
    limit = request.max_content_length
    if limit == MAX_FILE_BYTES:
        return problem("file-too-large", size=request.content_length, limit=limit)
    return problem("request-too-large", limit=limit)


def _fields(data: Mapping[str, Any] | None) -> str:
    """What the schema says of each field, as one line."""
    messages = (data or {}).get("messages") or {}
    # The outermost key only says that the fields came as JSON.
    inner = messages.get("json", messages.get("query", messages))
    return faults(ValidationError(inner))
