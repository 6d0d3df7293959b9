"""What the API's description says of every operation, and how its JSON is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from apispec import BasePlugin
from flask import Flask, Request, request
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser

from server.permissions import ROLES, ROUTES
from sync.log import strict_json
from sync.problems import CATALOGUE, problem

F = TypeVar("F", bound=Callable[..., Any])

PROBLEM_JSON = "application/problem+json"
SAFE_METHODS = frozenset({"get", "head", "options"})

# Problems that come with a kind of operation, for use with `problems`. Those that follow from who
# may use an address (server.permissions) and from its method are described without being named.
WITH_JSON = ("request-malformed", "media-type", "fields-malformed")
WRITING = ("store-busy", "disk-full", "folder-read-only")


class ProblemSchema(Schema):
    """An error: what happened (title), what is safe, and what to do."""

    code = fields.String(required=True, metadata={"description": "A stable name of the error."})
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    title = fields.String(required=True, metadata={"description": "What happened."})
    safe = fields.String(required=True, metadata={"description": "What is safe."})
    remedy = fields.String(required=True, metadata={"description": "What to do."})
    detail = fields.Dict(metadata={"description": "The values in the sentences."})


class Described(Api):  # type: ignore[misc]
    """The API with the house's errors, and how devices and people show who they are."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        super().__init__(app, spec_kwargs={"extra_plugins": [_Refusals()], "info": INFO})
        for name, scheme in SCHEMES.items():
            self.spec.components.security_scheme(name, scheme)

    def _register_responses(self) -> None:
        # Only errors are registered here; they have a content type of their own.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE


INFO = {
    "description": "Every error is application/problem+json of the schema Problem. A device sends "
    "its token; a person logs in for a cookie and sends the session's CSRF token with everything "
    "that changes something.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
SCHEMES = {
    "device": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "tapak"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
}


class _Refusals(BasePlugin):
    """Adds to every operation how it is refused: by permission, by CSRF token, by size."""

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        permission = ROUTES[kwargs["rule"].endpoint]
        for method, operation in (operations or {}).items():
            found = operation.setdefault("responses", {})
            for status, body in _responses(_refusals(permission, method)).items():
                there = found.get(status)
                if there is not None:
                    body["description"] += "\n\n" + there["description"]
                found[status] = body


def _refusals(permission: str, method: str) -> list[str]:
    codes: list[str] = []
    if permission in ROLES["device"]:
        codes += ["token-missing", "token-unknown", "not-permitted"]
    elif permission not in ROLES["anonymous"]:
        codes += ["login-needed", "not-permitted"]
    if method not in SAFE_METHODS:
        codes.append("request-too-large")
        if permission not in ROLES["device"] and permission != "enrol.use":
            codes.append("form-expired")
    return codes


class StrictParser(FlaskParser):
    """Reads JSON as strictly as the protocol does: no duplicate keys, no floats, bounded depth."""

    def _raw_load_json(self, req: Request) -> Any:
        if req.mimetype != "application/json":
            raise problem("media-type", given=req.mimetype, wanted="application/json")
        return json_body()


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """An API blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER = StrictParser()


def json_body() -> Any:
    """The request's body as strict JSON; raises `request-malformed`."""
    try:
        return strict_json(request.get_data())
    except (ValueError, RecursionError) as exc:
        raise problem("request-malformed", why=f"it is not JSON: {str(exc)[:120]}") from exc


def problems(*codes: str) -> Callable[[F], F]:
    """Describe an operation's own errors by their catalogue codes; an unknown code is a bug."""
    decorator: Callable[[F], F] = SmorestBlueprint.doc(responses=_responses(codes))
    return decorator


def _responses(codes: Iterable[str]) -> dict[int, dict[str, Any]]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        kind = CATALOGUE[code]
        by_status.setdefault(kind.status, []).append(f"`{code}`: {kind.happened}")
    return {
        status: {
            "description": "\n\n".join(lines),
            "content": {PROBLEM_JSON: {"schema": "Problem"}},
        }
        for status, lines in by_status.items()
    }
