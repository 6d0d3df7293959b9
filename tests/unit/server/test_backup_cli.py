"""`tapak admin backup` and `restore`: what they print, their exit codes, and how they fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from region import HILL, VISIT_1, enrolled_device, jpeg, visit

from server.cli import main
from server.context import Context
from server.services.backup_folder import BackupFolder
from sync.problems import CATALOGUE

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def run(region: Context) -> Run:
    """Run `tapak admin` on the region's server, or on another data folder."""
    visit(enrolled_device(region), VISIT_1, HILL, picture=jpeg(1))

    def run(*words: object, code: int = 0, data: Path | None = None) -> Result:
        environ = {"TAPAK_DATA": str(data or region.settings.data), "COLUMNS": "200"}
        result = CliRunner(env=environ).invoke(main, ["admin", *(str(one) for one in words)])
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


def problem(result: Result, code: str) -> None:
    kind = CATALOGUE[code]
    assert result.stderr.split("{")[0].startswith(kind.happened.split("{")[0])
    assert result.stdout == ""


def test_a_backup_says_what_it_holds_and_that_the_key_is_in_it(run: Run, folder: Path) -> None:
    said = run("backup", folder)
    assert said.stderr == ""
    first, counts, key = said.stdout.splitlines()
    name = BackupFolder(folder).find(None).name
    assert first == f"Backup {name} in {folder} is whole."
    assert "Files: 1 (" in counts and "copied now: 1 (" in counts
    assert "the server's key" in key
    assert "without a copy of that" in run("backup", folder, "--without-key").stdout


def test_a_backup_as_json_is_one_object(run: Run, folder: Path) -> None:
    told: dict[str, Any] = json.loads(run("backup", folder, "--json").stdout)
    assert (told["files"], told["copied"], told["lacking"], told["with_key"]) == (1, 1, [], True)
    again = json.loads(run("backup", folder, "--keep", 1, "--json").stdout)
    assert (again["copied"], again["removed"]) == (0, [told["run"]])


def test_a_check_ends_with_1_and_names_each_fault(run: Run, folder: Path) -> None:
    run("backup", folder)
    assert "No fault was found." in run("backup", folder, "--check").stdout
    place = BackupFolder(folder)
    (sha256,) = [one.sha256 for one in place.files.listed()]
    (folder / "files" / sha256[:2] / sha256[2:]).unlink()
    place.find(None).part("audit").write_bytes(b"")
    said = run("backup", folder, "--check", code=1).stdout
    assert "table  table audit: it has 0 bytes" in said
    told = json.loads(run("backup", folder, "--check", "--json", code=1).stdout)
    assert [fault["where"] for fault in told["faults"]] == ["table audit"]
    place.find(None).remove()
    shutil.rmtree(folder / "files")
    run("backup", folder)
    (folder / "files" / sha256[:2] / sha256[2:]).unlink()
    told = json.loads(run("backup", folder, "--check", "--run", "1", "--json", code=1).stdout)
    assert [(f["what"], f["where"]) for f in told["faults"]] == [("file", f"file {sha256}")]


def test_a_file_that_the_server_lost_ends_the_backup_with_1_but_makes_it(
    run: Run, folder: Path, region: Context
) -> None:
    (lost,) = [p for p in region.settings.files.rglob("*") if p.is_file()]
    lost.unlink()
    said = run("backup", folder, code=1).stdout
    assert "is whole" in said and "Not copied: file" in said
    run("backup", folder, "--check")


def test_a_restore_says_the_epoch_and_what_staff_must_do_again(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    run("backup", folder)
    said = run("restore", folder, data=tmp_path / "a").stdout
    assert "Epoch: " in said and "devices revoked" in said
    told = json.loads(run("restore", folder, "--json", data=tmp_path / "b").stdout)
    assert told["epoch"] > 2**32 and told["files"] == 1
    assert "No fault was found." in run("verify", data=tmp_path / "b").stdout


def test_what_cannot_be_restored_is_told_in_three_sentences(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    problem(run("restore", folder, code=1), "backup-none")
    problem(run("backup", folder, "--check", code=1), "backup-none")
    run("backup", folder)
    problem(run("restore", folder, code=1), "restore-not-empty")
    problem(run("restore", folder, "--run", "7", code=1, data=tmp_path / "a"), "noun-unknown")
    BackupFolder(folder).find(None).manifest.write_bytes(b"{}")
    problem(run("restore", folder, code=1, data=tmp_path / "a"), "backup-damaged")
    assert not (tmp_path / "a").exists()
    (tmp_path / "a file").write_text("x")
    problem(run("backup", tmp_path / "a file" / "below", code=1), "folder-read-only")


@pytest.mark.parametrize(
    "words",
    [("--check", "--keep", "2"), ("--check", "--without-key"), ("--run", "1"), ("--keep", "0")],
)
def test_options_that_do_not_go_together_are_wrong_use(
    run: Run, folder: Path, words: tuple[str, ...]
) -> None:
    run("backup", folder, *words, code=2)
