"""The commands of `tapak`: what they print, what they change, and how they fail."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from office import NORTH, PASSWORD, facility_fields, filing

from checklists import published
from server.cli import main
from server.context import open_context
from server.services import accounts, enrolment
from server.settings import read_settings
from server.store import audit, tables
from sync.problems import CATALOGUE

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path) -> Run:
    def run(*words: str, given: str | bytes | None = None, code: int = 0) -> Result:
        environ = {"TAPAK_DATA": str(data), "TAPAK_PUBLIC_URL": "", "COLUMNS": "200"}
        environ.pop("TAPAK_PUBLIC_URL")
        result = CliRunner(env=environ).invoke(main, list(words), input=given)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


@pytest.fixture
def started(run: Run) -> Run:
    """A data folder with a jurisdiction, the published standard, people and a facility."""
    run("admin", "jurisdiction", "add", "example", "Example region", "--kind", "region")
    run("admin", "publish", "--builtin")
    for login, role in (("auditor", "auditor"), ("officer", "officer")):
        words = ("person", "add", login, "--name", f"Made-up {login}", "--role", role)
        run("admin", *words, "--jurisdiction", "example", "--password-stdin", given=f"{PASSWORD}\n")
    fields = facility_fields(NORTH, "example")
    run("admin", "facility", "add", "-", given=json.dumps(fields))
    return run


def said(result: Result) -> Any:
    return json.loads(result.stdout)


def problem(result: Result, code: str) -> None:
    """The three sentences of this catalogue error stand on standard error, and no traceback."""
    happened, safe, remedy, *_ = result.stderr.splitlines()
    kind = CATALOGUE[code]
    assert happened.split("{")[0].startswith(kind.happened.split("{")[0])
    assert safe.startswith(kind.safe.split("{")[0])
    assert remedy.startswith(kind.remedy.split("{")[0])
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_person_with_a_made_password_can_log_in_with_it(started: Run, data: Path) -> None:
    words = ("person", "add", "reader", "--name", "Made-up Reader", "--role", "reader")
    made = said(started("admin", *words, "--jurisdiction", "example", "--json"))
    assert set(made) == {"id", "login", "name", "password"}
    ctx = open_context(read_settings(data, environ={}))
    assert accounts.log_in(ctx, "reader", made["password"]).person == made["id"]
    again = said(started("admin", "person", "password", "reader", "--json"))["password"]
    assert again != made["password"]
    assert accounts.log_in(ctx, "reader", again)
    ctx.db.close()


def test_a_given_password_is_not_printed(started: Run) -> None:
    words = ("person", "add", "reader", "--name", "Made-up Reader", "--role", "reader")
    words = ("admin", *words, "--jurisdiction", "example", "--password-stdin")
    result = started(*words, given=f"{PASSWORD}\n")
    assert PASSWORD not in result.output
    with_bad_bytes = (*words[:3], "other", *words[4:])
    problem(
        started(*with_bad_bytes, given=b"\xff\xfe\xff\xfe\xff\xfe\n", code=1), "fields-malformed"
    )


def test_lists_are_tables_for_people_and_json_for_programs(started: Run) -> None:
    table = started("admin", "person", "list").stdout
    assert "Made-up auditor" in table and "officer in example" in table
    people = said(started("admin", "person", "list", "--json"))
    assert [one["login"] for one in people] == ["auditor", "officer"]
    assert people[1]["grants"] == [{"role": "officer", "jurisdiction": "example"}]
    assert NORTH in started("admin", "facility", "list").stdout
    assert said(started("admin", "facility", "list", "--json"))[0]["example"] is True
    assert said(started("admin", "device", "list", "--json")) == []
    assert "tapak admin invite" in started("admin", "device", "list").stdout


def test_options_may_stand_before_or_after_the_command(started: Run, tmp_path: Path) -> None:
    before = started("admin", "--json", "person", "list").stdout
    assert before == started("admin", "person", "list", "--json").stdout
    elsewhere = str(tmp_path / "elsewhere")
    assert said(started("admin", "--data", elsewhere, "--json", "person", "list")) == []
    assert said(started("admin", "person", "list", "--json", "--data", elsewhere)) == []


def test_a_facility_is_declared_and_an_auditor_assigned(started: Run, tmp_path: Path) -> None:
    file = tmp_path / "filing.json"
    file.write_text(json.dumps(filing(NORTH)))
    assert said(started("admin", "declare", str(file), "--json"))["new"] is True
    assert "nothing changed" in started("admin", "declare", str(file)).stdout
    days = ("--from", "2026-11-01", "--to", "2026-12-31", "--purpose", "made-up")
    made = said(started("admin", "assign", NORTH, "auditor", *days, "--json"))
    assert made["facility"] == NORTH
    (listed,) = said(started("admin", "assignments", NORTH, "--json"))
    assert listed == made
    why = ("--reason", "moved to another team")
    ended = said(started("admin", "end-assignment", made["id"], *why, "--json"))
    assert ended["ended_at"] is not None
    assert said(started("admin", "assignments", NORTH, "--json")) == [ended]
    problem(started("admin", "end-assignment", "a-no", *why, code=1), "noun-unknown")
    problem(started("admin", "assign", NORTH, "officer", *days, code=1), "not-an-auditor")
    problem(started("admin", "assign", "nowhere", "auditor", *days, code=1), "noun-unknown")


def test_an_invitation_enrols_and_a_device_can_be_revoked(started: Run, data: Path) -> None:
    link = started("admin", "invite", "auditor", "--public-url", "https://tapak.example").stdout
    assert link.startswith("https://tapak.example/enrol#")
    ctx = open_context(read_settings(data, environ={}))
    code = link.partition("#")[2].partition(".")[0]
    device = enrolment.enrol(ctx, code, b"\x05" * 32, "made-up laptop").device
    ctx.db.close()
    assert "made-up laptop" in started("admin", "device", "list").stdout
    started("admin", "device", "revoke", device, "--reason", "made-up")
    assert said(started("admin", "device", "list", "--json"))[0]["status"] == "revoked"
    problem(started("admin", "device", "revoke", "none", "--reason", "x", code=1), "noun-unknown")


def test_every_change_is_in_the_audit_trail(started: Run) -> None:
    # Beside checklists and limits tables, a profile and the rules' settings.
    shipped = len(published.names()) + len(published.limits_names()) + 2
    actions = [line["action"] for line in said(started("admin", "audit", "--json"))]
    assert actions == [
        "jurisdiction.add",
        *["document.publish"] * shipped,
        "person.add",
        "person.add",
        "facility.add",
    ]
    assert "console" in started("admin", "audit").stdout
    assert PASSWORD not in started("admin", "audit", "--json").stdout


def test_a_faulty_checklist_is_answered_with_every_line_at_fault(
    started: Run, tmp_path: Path
) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("format: tapak-checklist/1\nid: x y\ncolour: red\n")
    result = started("admin", "publish", "checklist", str(file), code=1)
    problem(result, "checklist-malformed")
    assert f"{file}:3:" in result.stderr


@pytest.mark.parametrize(
    ("words", "given", "code"),
    [
        (("facility", "add", "-"), "{", "fields-malformed"),
        (("facility", "add", "-"), "[]", "fields-malformed"),
        (("facility", "add", "-"), '{"id": 7, "colour": "red"}', "fields-malformed"),
        (("facility", "add", "/no/such/file"), "", "file-missing"),
        (("facility", "add", "/"), "", "file-unreadable"),
        (("declare", "-"), "nonsense", "declaration-malformed"),
        (("declare", "-"), "[]", "declaration-malformed"),
        (("publish", "poem", "-"), "x", "noun-unknown"),
        (("publish", "rules", "-"), "x", "thresholds-malformed"),
        (("invite", "nobody-here"), "", "noun-unknown"),
        (("person", "password", "nobody-here"), "", "noun-unknown"),
        (("jurisdiction", "add", "example", "Again"), "", "already-there"),
        (("jurisdiction", "add", "new", "New", "--parent", "none"), "", "noun-unknown"),
        (("jurisdiction", "add", "new", "New", "--kind", "moon"), "", "fields-malformed"),
        (("jurisdiction", "add", "N E W", "New"), "", "fields-malformed"),
    ],
)
def test_what_does_not_fit_is_said_in_three_sentences(
    started: Run, words: tuple[str, ...], given: str, code: str
) -> None:
    problem(started("admin", *words, given=given, code=1), code)


def test_with_json_an_error_is_json_too(started: Run) -> None:
    result = started("admin", "invite", "nobody-here", "--json", code=1)
    assert json.loads(result.stderr)["code"] == "noun-unknown"


@pytest.mark.parametrize(
    "words",
    [
        ("publish",),
        ("publish", "checklist"),
        ("publish", "checklist", "file", "--builtin"),
        ("nothing",),
        ("invite", "auditor", "--hours", "0"),
    ],
)
def test_a_wrong_usage_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    run("admin", *words, code=2)


def test_a_sound_store_verifies_and_a_changed_one_does_not(started: Run, data: Path) -> None:
    assert "No fault was found." in started("admin", "verify").stdout
    ctx = open_context(read_settings(data, environ={}))
    change = tables.audit.update().where(tables.audit.c.n == 2).values(line=b"{}")
    ctx.db.write(lambda tx: tx.execute(change))
    ctx.db.close()
    result = started("admin", "verify", "--json", code=1)
    assert len(said(result)["faults"]) >= 1


def test_a_data_folder_that_cannot_be_made_is_said_plainly(run: Run, data: Path) -> None:
    data.write_text("a file stands where the folder should be")
    problem(run("admin", "person", "list", code=1), "folder-read-only")


def test_the_worker_does_what_is_due_and_stops(started: Run) -> None:
    started("worker", "--once")


# -- serving --------------------------------------------------------------------------------------


class Serving:
    """A real `tapak serve` in a process of its own."""

    def __init__(self, data: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--data", str(data), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def __enter__(self) -> Serving:
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.rest, self.errors = self.process.communicate()

    @property
    def url(self) -> str:
        return self.first_line.split()[-1]


@pytest.fixture
def serving(data: Path) -> Iterator[Serving]:
    with Serving(data, "--port", "0") as made:
        yield made


def test_serve_says_where_answers_and_ends_when_asked(serving: Serving) -> None:
    assert serving.first_line.startswith("Tapak serves at http://127.0.0.1:"), serving.first_line
    with urllib.request.urlopen(f"{serving.url}/healthz") as answer:  # noqa: S310
        assert json.load(io.TextIOWrapper(answer))["ok"] is True
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait() == 0


def test_an_address_that_is_taken_is_said_at_once(serving: Serving, tmp_path: Path) -> None:
    port = serving.url.rpartition(":")[2]
    with Serving(tmp_path / "other", "--port", port) as second:
        pass
    assert second.process.returncode == 1
    assert "cannot listen at 127.0.0.1" in second.errors
    assert "Traceback" not in second.errors


def test_a_restart_keeps_sessions_and_the_trail(started: Run, data: Path) -> None:
    trail = started("admin", "audit", "--json").stdout
    with Serving(data, "--port", "0") as first:
        body = json.dumps({"login": "officer", "password": PASSWORD}).encode()
        ask = urllib.request.Request(  # noqa: S310
            f"{first.url}/api/session", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(ask) as answer:  # noqa: S310
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
    with Serving(data, "--port", "0") as second:
        ask = urllib.request.Request(  # noqa: S310
            f"{second.url}/api/session", headers={"Cookie": cookie}
        )
        with urllib.request.urlopen(ask) as answer:  # noqa: S310
            assert json.load(answer)["name"] == "Made-up officer"
    ctx = open_context(read_settings(data, environ={}))
    with ctx.db.read() as tx:
        lines = audit.lines(tx)
    ctx.db.close()
    assert lines[:-1] == json.loads(trail)
    assert lines[-1]["action"] == "login"
