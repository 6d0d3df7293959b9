"""What every answer carries, how much may be sent, and errors that nobody foresaw."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Office, make_office
from region import Clock

from server.web import BODY_LIMIT
from sync.log import MAX_FILE_BYTES, MAX_REQUEST_BYTES


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    yield made
    made.ctx.db.close()


@pytest.mark.parametrize(
    "path", ["/login", "/", "/nowhere", "/api/facilities", "/api/nowhere", "/healthz", "/static/x"]
)
def test_every_answer_carries_the_security_headers(office: Office, path: str) -> None:
    headers = office.anonymous().call("GET", path).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert rule in policy
    assert "unsafe-inline" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/api/session", "/healthz"])
def test_pages_and_api_answers_are_kept_by_nobody(office: Office, path: str) -> None:
    answer = office.logged_in("officer").call("GET", path)
    assert answer.headers["Cache-Control"] == "no-store"


def test_healthz_says_that_it_is_well_and_which_version_it_is(office: Office) -> None:
    answer = office.anonymous().call("GET", "/healthz").json
    assert answer["ok"] is True
    assert answer["version"].count(".") == 2
    assert answer["now"] == office.clock.at


def test_a_page_sends_an_unknown_reader_to_the_login_and_back(office: Office) -> None:
    answer = office.anonymous().call("GET", "/facilities?page=2")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=/facilities?page%3D2"


@pytest.mark.parametrize(
    ("method", "path", "limit", "code"),
    [
        ("POST", "/api/session", BODY_LIMIT, "request-too-large"),
        ("POST", "/api/sync", MAX_REQUEST_BYTES, "request-too-large"),
    ],
)
def test_s12_each_address_has_its_own_limit(
    office: Office, method: str, path: str, limit: int, code: str
) -> None:
    browser = office.device()
    kind = "application/json" if "session" in path else "application/x-ndjson"
    environ = {"CONTENT_LENGTH": str(limit + 1)}
    answer = browser.call(method, path, environ_overrides=environ, content_type=kind)
    assert (answer.status_code, answer.json["code"]) == (413, code)
    assert str(limit) in answer.json["title"]


def test_s12_a_file_over_the_limit_is_refused_by_its_announced_size(office: Office) -> None:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(MAX_FILE_BYTES + 1),
        "Upload-Metadata": "sha256 " + base64.b64encode(b"0" * 64).decode(),
    }
    answer = office.device().call("POST", "/api/files", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (413, "file-too-large")
    assert str(MAX_FILE_BYTES) in answer.json["title"]


def test_an_error_that_nobody_foresaw_is_answered_with_a_number_and_logged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("a secret detail")

    office.app.view_functions["health.healthz"] = broken
    answer = office.anonymous().call("GET", "/healthz")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "a secret detail" not in answer.text
    assert answer.json["detail"]["number"] in caplog.text
    assert "a secret detail" in caplog.text


def test_a_database_that_another_writer_holds_is_answered_as_busy(office: Office) -> None:
    office.ctx.db.close()
    holder = sqlite3.connect(office.ctx.settings.data / "tapak.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with office.ctx.db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        body = {"login": "officer", "password": "not the password"}
        answer = office.anonymous().call("POST", "/api/session", json=body)
    finally:
        holder.close()
    assert (answer.status_code, answer.json["code"]) == (503, "store-busy")
