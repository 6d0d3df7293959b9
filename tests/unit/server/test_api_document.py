"""The API's own description: every address, what it takes, and every error it can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from office import NORTH, Office, filing, make_office
from region import Clock

from server.permissions import ROLES, ROUTES
from sync.problems import CATALOGUE

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = make_office(tmp_path_factory.mktemp("office"), Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture(scope="module")
def document(office: Office) -> dict[str, Any]:
    answer = office.anonymous().call("GET", "/api/openapi.json")
    assert answer.mimetype == "application/json"
    found: dict[str, Any] = answer.json
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def codes(operation: dict[str, Any]) -> set[str]:
    """The catalogue codes that an operation's description names."""
    told = (answer.get("description", "") for answer in operation["responses"].values())
    return {code for text in told for code in re.findall(r"`([a-z-]+)`: ", text)}


def test_every_address_for_machines_is_described(office: Office, document: dict[str, Any]) -> None:
    wanted = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in office.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") or rule.rule == "/healthz"
    }
    assert set(operations(document)) == wanted - {("get", "/api/openapi.json")}


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == "Tapak"
    assert document["openapi"].startswith("3.1")
    for (method, path), operation in operations(document).items():
        assert operation.get("summary"), (method, path)
        for scheme in operation.get("security", []):
            assert set(scheme) <= set(document["components"]["securitySchemes"])


def test_every_operation_names_the_errors_that_follow_from_who_may_use_it(
    office: Office, document: dict[str, Any]
) -> None:
    found = operations(document)
    for rule in office.app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in METHODS & {one.lower() for one in rule.methods or ()}:
            if (method, path) not in found:
                continue
            told, permission = codes(found[method, path]), ROUTES[rule.endpoint]
            if permission in ROLES["device"]:
                assert {"token-missing", "token-unknown", "not-permitted"} <= told
            elif permission not in ROLES["anonymous"]:
                assert {"login-needed", "not-permitted"} <= told
                assert ("form-expired" in told) == (method != "get")
            assert ("request-too-large" in told) == (method != "get")


def test_every_error_is_described_by_its_status_and_as_a_problem(document: dict[str, Any]) -> None:
    for where, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            named = re.findall(r"`([a-z-]+)`: ", answer.get("description", ""))
            for code in named:
                assert str(CATALOGUE[code].status) == status, (where, code)
            if named:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
        assert "$ref" in operation["responses"]["default"]
    default = document["components"]["responses"]["DEFAULT_ERROR"]
    assert set(default["content"]) == {"application/problem+json"}


def test_errors_that_are_answered_are_those_that_are_described(
    office: Office, document: dict[str, Any]
) -> None:
    described = operations(document)
    officer, anonymous = office.logged_in("officer"), office.anonymous()
    device = office.device()
    asked: list[tuple[Any, str, str, dict[str, str], dict[str, Any]]] = [
        (anonymous, "get", "/api/facilities", {}, {}),
        (officer, "post", "/api/facilities", {}, {"json": {}}),
        (officer, "get", "/api/facilities/{facility}", {"facility": "nowhere"}, {}),
        (officer, "post", "/api/assignments", {}, {"data": b"x"}),
        (officer, "post", "/api/assignments", {}, {"json": []}),
        (anonymous, "post", "/api/session", {}, {"json": {"login": "x", "password": "y"}}),
        (anonymous, "post", "/api/session", {}, {"json": {}}),
        (anonymous, "post", "/api/session", {}, {"data": b" " * 2_000_000}),
        (anonymous, "post", "/api/enrol", {}, {"json": {}}),
        (anonymous, "delete", "/api/session", {}, {}),
        (anonymous, "post", "/api/sync", {}, {"data": b""}),
        (officer, "patch", "/api/files/{sha256}", {"sha256": "0"}, {"data": b""}),
        (anonymous, "delete", "/api/files/{sha256}", {"sha256": "0"}, {}),
        (device, "post", "/api/files", {}, {"data": b""}),
        (device, "post", "/api/files", {}, {"headers": {"Tus-Resumable": "1.0.0"}}),
    ]
    asked += [
        (officer, "post", "/api/facilities/{facility}/declarations", {"facility": NORTH}, kwargs)
        for kwargs in (
            {"json": {}},
            {"data": b"{}"},
            {"json": {**filing(NORTH), "location": {"crs": "EPSG:1", "axes": "xy"}}},
        )
    ]
    for browser, method, path, values, kwargs in asked:
        answer = browser.call(method.upper(), path.format(**values), **kwargs)
        assert answer.json["code"] in codes(described[method, path]), (method, path, answer.json)
