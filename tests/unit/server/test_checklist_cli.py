"""`tapak checklist`: comparing versions, proposing, approving."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ponds import digest, ponds

from checklists import published
from server.cli import main

Run = Callable[..., Result]
NAME = "in-situ-leaching-mine"
SHIPPED = published.checklist_bytes(NAME)


def newer(version: str = "2026.3", *, kind: str = "checklist") -> bytes:
    """The shipped one with another version, and one item less heavy."""
    body = (SHIPPED if kind == "checklist" else published.limits_bytes("example")).decode()
    first = next(line for line in body.splitlines() if line.startswith("version:"))
    body = body.replace(first, f'version: "{version}"', 1)
    head, item, rest = body.partition("id: GEN-G1")
    return (head + item + rest.replace("severity: critical", "severity: minor", 1)).encode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path) -> Run:
    def run(*words: str, given: str | bytes | None = None, code: int = 0) -> Result:
        environ = {"TAPAK_DATA": str(data), "COLUMNS": "200"}
        result = CliRunner(env=environ).invoke(main, list(words), input=given)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert "Traceback" not in result.stderr
        return result

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "newer.yaml"
    path.write_bytes(newer())
    return path


def items(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["items"]
    return found


def test_a_name_and_a_file_are_compared_without_a_server(run: Run, data: Path, file: Path) -> None:
    (one,) = items(run("checklist", "diff", NAME, str(file), "--json"))
    assert (one["id"], one["how"]) == ("GEN-G1", "changed")
    assert {"field": "weight", "before": "5", "after": "1"} in one["changes"]
    assert "  ~ GEN-G1" in run("checklist", "diff", NAME, str(file)).stdout
    assert not data.exists(), "looking makes no data folder"


def test_standard_input_and_digests_are_understood(run: Run) -> None:
    digest = hashlib.sha256(SHIPPED).hexdigest()
    (one,) = items(run("checklist", "diff", digest[:12], "-", "--json", given=newer()))
    assert one["id"] == "GEN-G1"


def test_a_name_means_what_is_published_on_this_server(run: Run, file: Path) -> None:
    run("admin", "publish", "checklist", str(file))
    assert items(run("checklist", "diff", NAME, str(file), "--json")) == []
    assert items(run("checklist", "diff", f"{NAME}@2026.3", str(file), "--json")) == []
    (one,) = items(run("checklist", "diff", f"{NAME}@2026.1", NAME, "--json"))
    assert one["id"] == "GEN-G1"


def test_limits_tables_are_compared_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_bytes(published.limits_bytes("example").replace(b"upper: 0.010", b"upper: 0.005", 1))
    found = json.loads(run("checklist", "diff", "example", str(path), "--json").stdout)
    assert [row["how"] for row in found["limits"]] == ["changed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((NAME, "no-such-checklist"), "There is no checklist or limits table called"),
        ((NAME, "example"), "are of two kinds: checklist and limits"),
        ((NAME, "ffffffff"), "There is no checklist or limits table called"),
        ((NAME, "no-such-file.yaml"), "no-such-file.yaml"),
    ],
)
def test_what_cannot_be_compared_is_said(run: Run, words: tuple[str, str], said: str) -> None:
    assert said in run("checklist", "diff", *words, code=1).stderr


def test_a_faulty_file_is_named_with_its_lines(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "faulty.yaml"
    path.write_bytes(newer().replace(b"pillar: governance", b"pillar: governence", 1))
    said = run("checklist", "diff", NAME, str(path), code=1).stderr
    assert "faulty.yaml:" in said and "governence" in said
    path.write_bytes(b"\xff\xfe")
    assert "faulty.yaml" in run("checklist", "diff", str(path), NAME, code=1).stderr


# -- two people decide ----------------------------------------------------------------------------

PASSWORD = "a made-up password"
NEW = ponds("2")


@pytest.fixture
def decide(run: Run, tmp_path: Path) -> Run:
    """`tapak checklist`, as a person with a password; ana and bo decide in the north."""
    (tmp_path / "ponds.yaml").write_bytes(NEW)
    run("admin", "jurisdiction", "add", "north", "North")
    for login in ("ana", "bo"):
        grant = ("--role", "officer", "--jurisdiction", "north", "--password-stdin")
        run("admin", "person", "add", login, "--name", login.title(), *grant, given=PASSWORD)

    def decide(*words: str, by: str, password: str = PASSWORD, code: int = 0) -> Result:
        said = ("--as", by, "--password-stdin")
        return run("checklist", *words, *said, given=password, code=code)

    return decide


def proposal(decide: Run, tmp_path: Path) -> str:
    words = ("publish", str(tmp_path / "ponds.yaml"), "--effective", "north=2026-01-01", "--json")
    found: str = json.loads(decide(*words, by="ana").stdout)["proposal"]
    return found


def test_two_people_put_a_version_in_force(run: Run, decide: Run, tmp_path: Path) -> None:
    waiting = proposal(decide, tmp_path)
    listed = run("checklist", "proposals").stdout
    assert all(one in listed for one in (waiting, "pond-check", "north 2026-01-01", "Ana"))
    assert "yourself" in decide("approve", waiting, by="ana", code=1).stderr
    assert "is not right" in decide("approve", waiting, by="bo", password="guess", code=1).stderr
    said = json.loads(decide("approve", waiting, "--json", by="bo").stdout)
    assert (said["digest"], said["ruling"], said["touched"]) == (digest(NEW), "approved", [])
    assert "already" in decide("approve", waiting, by="bo", code=1).stderr
    assert "Nothing waits" in run("checklist", "proposals").stdout
    (tmp_path / "ponds.yaml").write_bytes(ponds("2", ask="Another?"))
    publish = ("publish", str(tmp_path / "ponds.yaml"), "--effective", "north=2026-01-01")
    assert "with other content" in decide(*publish, by="ana", code=1).stderr


def test_a_proposal_is_refused_with_a_reason(run: Run, decide: Run, tmp_path: Path) -> None:
    waiting = proposal(decide, tmp_path)
    assert "refused" in decide("refuse", waiting, "--reason", "A draft.", by="bo").stdout
    assert "Nothing waits" in run("checklist", "proposals").stdout
    assert "was refused already" in decide("approve", waiting, by="bo", code=1).stderr


def test_a_day_that_cannot_be_read_is_said(run: Run, decide: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "ponds.yaml")
    bare = decide("publish", file, "--effective", "north", by="ana", code=2)
    assert "JURISDICTION=" in bare.stderr
    soon = decide("publish", file, "--effective", "north=soon", by="ana", code=1)
    assert "not YYYY-MM-DD" in soon.stderr
