"""`tapak checklist`: comparing versions, proposing, approving."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

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
