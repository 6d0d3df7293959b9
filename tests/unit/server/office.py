"""A made-up office: two jurisdictions, a person of every role, and browsers that speak the API.

Nothing here is a real site, operator or person.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from region import Clock, declaration, make_context
from werkzeug.test import TestResponse

from server import create_app
from server.context import Context
from server.services import accounts, enrolment, programme, publishing, registry
from server.services.audit import CONSOLE
from server.store.jurisdictions import Jurisdiction

PASSWORD = "a made-up password"
NORTH, SOUTH = "north-ridge", "south-basin"
# login -> role, jurisdiction; "example" lies above "north" and "south"
STAFF = {
    "auditor": ("auditor", "north"),
    "officer": ("officer", "north"),
    "reader": ("reader", "north"),
    "administrator": ("administrator", "north"),
    "safeguarding": ("safeguarding", "north"),
}


@dataclass(slots=True)
class Browser:
    """A test client with the CSRF token of whoever is logged in."""

    client: FlaskClient
    csrf: str = ""

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf, **kwargs.pop("headers", {})}
        # Buffered: a file that is sent is closed with it.
        return self.client.open(path, method=method, headers=headers, buffered=True, **kwargs)


@dataclass(slots=True)
class Office:
    """A running application over a fresh real server."""

    ctx: Context
    app: Flask
    clock: Clock

    def anonymous(self) -> Browser:
        return Browser(self.app.test_client())

    def logged_in(self, login: str) -> Browser:
        browser = self.anonymous()
        answer = browser.call("POST", "/api/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        browser.csrf = answer.json["csrf"]
        return browser

    def device(self, login: str = "auditor", seed: int = 1) -> Browser:
        """A client that sends the token of a newly enrolled device of this person."""
        code = enrolment.invite(self.ctx, login, CONSOLE).partition("#")[2].partition(".")[0]
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public_key = key.public_key().public_bytes_raw()
        token = enrolment.enrol(self.ctx, code, public_key, "made-up laptop").token
        browser = self.anonymous()
        browser.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return browser

    def person_id(self, login: str) -> str:
        with self.ctx.db.read() as tx:
            return accounts.find_person(tx, login).id


def make_office(folder: Path, clock: Clock, database: str = "") -> Office:
    """The office on the published standard, with one facility in each jurisdiction.

    It is built once for all tests; each gets a copy of the data folder, so a database of its own.
    In another database (a URL) than the file in that folder it is built anew.
    """
    if not database:
        shutil.copytree(_built(), folder / "server")
    ctx = make_context(folder, clock, database)
    if database:
        _fill(ctx)
    return Office(ctx, create_app(ctx), clock)


@functools.cache
def _built() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="made-up-office-"))
    atexit.register(shutil.rmtree, folder)
    ctx = make_context(folder)
    _fill(ctx)
    ctx.db.close()
    return folder / "server"


def _fill(ctx: Context) -> None:
    for id_, parent in (("example", None), ("north", "example"), ("south", "example")):
        kind = "region" if parent is None else "country"
        registry.add_jurisdiction(ctx, CONSOLE, Jurisdiction(id_, id_.title(), parent, kind))
    publishing.publish_builtin(ctx, CONSOLE, ["rare-earth-site"])
    for login, grant in STAFF.items():
        accounts.add_person(
            ctx,
            CONSOLE,
            login=login,
            name=f"Made-up {login.title()}",
            password=PASSWORD,
            grants=[grant],
        )
    for facility, place in ((NORTH, "north"), (SOUTH, "south")):
        registry.add_facility(ctx, CONSOLE, facility_fields(facility, place))


def facility_fields(facility: str, jurisdiction: str, **changes: Any) -> dict[str, Any]:
    """What the registry wants to know of a facility."""
    return {
        "id": facility,
        "name": facility.replace("-", " ").title(),
        "country": "TH",
        "jurisdiction": jurisdiction,
        "checklist": "rare-earth-site",
        "limits": "example",
        "example": True,
        **changes,
    }


def filing(facility: str, **changes: Any) -> dict[str, Any]:
    """A declaration as a document."""
    document: dict[str, Any] = json.loads(declaration(facility, **changes))
    return document


def assign_auditor(office: Office, facility: str = NORTH, **changes: Any) -> None:
    """Assign the auditor to a facility for the year."""
    fields = {
        "facility": facility,
        "person": "auditor",
        "purpose": "made-up inspection",
        "not_before": "2026-01-01",
        "not_after": "2026-12-31",
        **changes,
    }
    programme.assign(office.ctx, CONSOLE, **fields)
