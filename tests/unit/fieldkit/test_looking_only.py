"""Commands that only look, on a folder that cannot be written to; and files not overwritten."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import FieldDevice, picture

from fieldkit.cli import cli


@pytest.fixture
def begun(device: FieldDevice, tmp_path: Path) -> FieldDevice:
    """A device with a photograph in an inspection."""
    inspection = device.start().inspection
    device.photo(inspection, picture(tmp_path / "a.jpg"))
    return device


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, to be made read-only: the administrator may write to any folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tapak-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("this needs a disk of its own, which only root can mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def lock(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def ask(home: Path, *words: str, exit_code: int = 0) -> Any:
    said = CliRunner().invoke(cli, ["--home", str(home), *words, "--json"])
    assert said.exit_code == exit_code, said.output
    return json.loads(said.stdout)


def test_status_check_and_score_work_where_nothing_can_be_written(
    begun: FieldDevice, disk: Path, tmp_path: Path
) -> None:
    begun.store.database.close()
    before = ask(begun.home.folder, "status")
    home = Path(shutil.copytree(begun.home.folder, disk / "home"))
    lock(disk)
    assert ask(home, "status") == before
    assert "findings" in ask(home, "check")
    assert ask(home, "score")["preview"] is True
    assert ask(home, "export", str(tmp_path / "out.zip"))["files"] == 1


def test_what_an_ended_command_wrote_last_is_seen_there_too(begun: FieldDevice, disk: Path) -> None:
    """Killed, a command leaves SQLite's log of what it wrote; it is part of the store."""
    home = begun.home.folder
    program = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from fieldkit.home import Home\n"
        f"store = Home(Path({str(home)!r})).open_store()\n"
        "store.set_notes(left='here')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (home / "store.sqlite-wal").stat().st_size > 0
    copy = Path(shutil.copytree(home, disk / "home"))
    lock(disk)
    code = (
        "from pathlib import Path; from fieldkit.home import Home\n"
        f"print(Home(Path({str(copy)!r})).open_store().note('left'))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "here"


def test_what_was_written_last_and_cannot_be_seen_is_not_passed_over(
    begun: FieldDevice, disk: Path
) -> None:
    """A copy without SQLite's index of its log: an old state must not be shown as the last."""
    begun.store.database.close()
    home = Path(shutil.copytree(begun.home.folder, disk / "home"))
    (home / "store.sqlite-wal").write_bytes(b"something that was written last")
    (home / "store.sqlite-shm").unlink(missing_ok=True)
    lock(disk)
    assert ask(home, "status", exit_code=1)["code"] == "folder-read-only"


def test_recording_there_says_why_it_cannot(begun: FieldDevice, disk: Path, tmp_path: Path) -> None:
    begun.store.database.close()
    home = Path(shutil.copytree(begun.home.folder, disk / "home"))
    lock(disk)
    assert ask(home, "answer", "GEN-G1", "FM", exit_code=1)["code"] == "folder-read-only"
    said = ask(home, "photo", str(picture(tmp_path / "b.jpg", 3)), exit_code=1)
    assert said["problem"]["code"] == "folder-read-only"


def test_an_export_does_not_replace_a_file_unless_it_is_told_to(
    begun: FieldDevice, tmp_path: Path
) -> None:
    out = tmp_path / "out.zip"
    out.write_bytes(b"something of mine")
    home = begun.home.folder
    assert ask(home, "export", str(out), exit_code=1)["code"] == "file-exists"
    assert out.read_bytes() == b"something of mine"
    ask(home, "export", str(out), "--force")
    assert out.read_bytes().startswith(b"PK")
