"""photo on files, folders and cards: what it says, what it takes twice, how it is stopped."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice, picture

from fieldkit.capture import load_inspection
from fieldkit.cli import cli

sys.path.append(str(Path(__file__).parents[1] / "sync"))

from exif_blocks import BYTE, Entry, ascii, block, rationals
from heic import heic

POSITION: dict[int, Entry] = {
    1: ascii("N"),
    2: rationals((20, 1), (30, 1), (0, 1)),
    3: ascii("E"),
    4: rationals((99, 1), (30, 1), (0, 1)),
}


@pytest.fixture
def begun(device: FieldDevice) -> FieldDevice:
    device.start()
    return device


def run(device: FieldDevice, *words: str | Path, exit_code: int = 0) -> Result:
    said = CliRunner().invoke(cli, ["--home", str(device.home.folder), *map(str, words)])
    assert said.exit_code == exit_code, said.output
    return said


def run_json(device: FieldDevice, *words: str | Path, exit_code: int = 0) -> Any:
    return json.loads(run(device, *words, "--json", exit_code=exit_code).stdout)


def card(folder: Path) -> Path:
    """A card with pictures of every sort, a film, and what cameras leave for themselves."""
    dcim = folder / "card" / "DCIM" / "100TAPAK"
    dcim.mkdir(parents=True)
    (dcim / "IMG_0001.HEIC").write_bytes(heic(block(gps=POSITION)))
    picture(dcim / "IMG_0002.JPG", 2)
    (dcim / "IMG_0003.HEIC").write_bytes(heic(block(gps={0: (BYTE, (2, 3, 0, 0))})))
    (dcim / "IMG_0004.JPG").write_bytes(b"\xff\xd8\xff\xe0 cut")
    (dcim / "IMG_0005.JPG").write_bytes(b"")
    (dcim / "MVI_0006.MP4").write_bytes(b"film")
    (dcim / ".Trashes").mkdir()
    picture(dcim / ".Trashes" / "IMG_0007.JPG", 7)
    return folder / "card"


def test_a_whole_card_goes_in_and_the_end_says_what_was_found(
    begun: FieldDevice, tmp_path: Path
) -> None:
    said = run(begun, "photo", card(tmp_path), exit_code=1)
    assert (
        "4 attached, 1 not attached, 1 film left out. 1 with a position, 2 without. "
        "1 cannot be read, and are kept as they are." in said.stderr
    )
    assert "IMG_0001.HEIC" in said.stdout
    assert "position 20.5, 99.5" in said.stdout
    assert "a receiver's block without a position" in said.stdout
    assert "MVI_0006.MP4 is a film" in said.stderr
    assert "IMG_0007" not in said.output
    assert len(begun.ledger.files()) == 4


def test_the_same_card_again_is_already_here(begun: FieldDevice, tmp_path: Path) -> None:
    folder = card(tmp_path)
    run(begun, "photo", folder, exit_code=1)
    before = len(begun.store.records(begun.store.inspections()[0]))
    again = run_json(begun, "photo", folder, exit_code=1)
    assert again["summary"] == {
        "attached": 0,
        "changed": 0,
        "already_here": 4,
        "unreadable": 1,
        "not_attached": 1,
        "left_out": 1,
        "with_position": 1,
        "without_position": 2,
    }
    assert len(begun.store.records(begun.store.inspections()[0])) == before


def test_what_was_read_once_is_not_read_again(
    begun: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reading process is even started for pictures whose facts are known."""
    file = picture(tmp_path / "a.jpg")
    first = run_json(begun, "photo", file)["files"][0]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    again = run_json(begun, "photo", file)["files"][0]
    assert (again["state"], again["facts"]) == ("already-here", first["facts"])


def test_a_picture_that_could_not_be_read_is_tried_again(
    begun: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer program may read what an older one could not."""
    file = tmp_path / "a.jpg"
    file.write_bytes(picture(tmp_path / "whole.jpg").read_bytes())
    run(begun, "photo", file)
    with begun.store.database.write("the facts") as tx:
        tx.execute("update facts set facts = null, problem = 'It was not understood.'")
    assert run_json(begun, "photo", file)["files"][0]["facts"]["media_type"] == "image/jpeg"
    ((facts, problem),) = begun.store.facts().values()
    assert (facts is not None, problem) == (True, None)


def test_json_is_one_value_also_for_nothing_and_for_one_that_is_not_there(
    begun: FieldDevice, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert run_json(begun, "photo", tmp_path / "empty")["files"] == []
    missing = run_json(begun, "photo", tmp_path / "none.jpg", exit_code=1)
    assert missing["files"][0]["problem"]["code"] == "file-missing"


def test_a_folder_without_pictures_is_said_to_be_empty(begun: FieldDevice, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("notes")
    assert "No pictures" in run(begun, "photo", tmp_path / "empty").stderr


def test_a_name_that_is_no_text_goes_in(begun: FieldDevice, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/IMG\xff.jpg"))
    picture(odd)
    assert run_json(begun, "photo", odd)["summary"]["attached"] == 1
    assert "already here" in run(begun, "photo", odd).stdout


def test_a_trouble_in_the_middle_leaves_a_whole_json_value(
    begun: FieldDevice, tmp_path: Path
) -> None:
    """Where files are kept, a folder that may not be made: the second picture cannot be kept."""
    first, second = picture(tmp_path / "1.jpg", 1), picture(tmp_path / "2.jpg", 2)
    kept = run_json(begun, "photo", first)["files"][0]["sha256"]
    other = begun.home.blobs()
    taken = [n for n in range(256) if f"{n:02x}" != kept[:2]]
    for n in taken:
        (other.folder / f"{n:02x}").write_text("in the way")
    said = run_json(begun, "photo", first, second, exit_code=1)
    assert [one["state"] for one in said["files"]] == ["already-here"]
    assert said["problem"]["code"] == "folder-read-only"


# -- stopped, and many -----------------------------------------------------------------------------


def command(device: FieldDevice, *words: str | Path) -> list[str]:
    return [
        sys.executable, "-m", "fieldkit", "--home", str(device.home.folder), "photo",
        *map(str, words),
    ]  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_says_what_is_safe_and_the_next_run_completes_it(
    begun: FieldDevice, tmp_path: Path, as_json: bool
) -> None:
    files = [picture(tmp_path / f"{n}.jpg", n) for n in range(40)]
    running = subprocess.Popen(
        command(begun, *files, *(["--json"] if as_json else [])),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stderr is not None
    out = running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out += running.stdout.read()
    said = running.stderr.read()
    running.stdout.close()
    running.stderr.close()
    assert running.wait() == 130
    if as_json:
        whole = json.loads(out)
        assert whole["problem"]["code"] == "stopped"
        assert whole["summary"]["attached"] == len(whole["files"])
    else:
        assert "stopped before its end" in said
        assert "Run the same command again" in said
        assert "attached" in said
    assert "Traceback" not in said
    run(begun, "photo", *files)
    inspection = begun.store.inspections()[0]
    assert len(load_inspection(begun.store, inspection).evidence) == 40


def test_a_terminal_sees_a_bar_and_a_file_does_not(begun: FieldDevice, tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{n}.jpg", n) for n in range(3)]
    ours, theirs = pty.openpty()
    ran = subprocess.Popen(
        command(begun, *files),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    out, _ = ran.communicate()
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:
        pass  # what a terminal says when nobody writes to it any more
    os.close(ours)
    assert b"3/3" in seen
    assert b"\x1b[" not in out
    assert len(out.splitlines()) == 3


def test_memory_does_not_grow_with_the_number_of_pictures(
    begun: FieldDevice, tmp_path: Path
) -> None:
    """The command and its reading processes, for 30 pictures and for many more."""

    def peak(folder: Path) -> int:
        program = (
            "import json, resource, subprocess, sys\n"
            f"subprocess.run({command(begun, folder, '--json')!r}, check=True, "
            "stdout=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        return int(ran.stdout)

    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    data = heic(block(gps=POSITION))
    for n in range(30):
        (few / f"{n}.heic").write_bytes(data + b"\0\0\0\x0cfree" + n.to_bytes(4, "big"))
    for n in range(200):
        (many / f"{n}.heic").write_bytes(data + b"\0\0\0\x0cfree" + (n + 30).to_bytes(4, "big"))
    first = peak(few)
    assert peak(many) < first + 8_000  # kB; of 170 pictures more
