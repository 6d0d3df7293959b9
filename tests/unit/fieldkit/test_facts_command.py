"""facts: one JSON object a line, whatever the files are, and nothing touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from fieldkit.cli import cli

sys.path.append(str(Path(__file__).parents[1] / "sync"))

from exif_blocks import BYTE, Entry, ascii, block, rationals

PHOTOS = Path(__file__).parents[3].parent / "shared" / "data" / "photos"
TRUTH_FILE = PHOTOS / "GROUND_TRUTH_exiftool.json"
KEYS = {
    "file", "lat", "lon", "altitude_m", "direction_deg", "accuracy_m", "gps_time", "camera_time",
    "orientation", "make", "model", "software", "sha256", "phash",
}  # fmt: skip
POSITION: dict[int, Entry] = {
    1: ascii("S"),
    2: rationals((20, 1), (30, 1), (0, 1)),
    3: ascii("E"),
    4: rationals((99, 1), (30, 1), (0, 1)),
}


def picture(path: Path, gps: dict[int, Entry] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = b"Exif\0\0" + block(image={0x010F: ascii("Contoh")}, gps=gps)
    Image.new("RGB", (64, 48), "olive").save(path, "JPEG", exif=exif)
    return path


def facts(*given: Path | str, exit_code: int = 0) -> list[dict[str, Any]]:
    ran = CliRunner().invoke(cli, ["facts", *map(str, given), "--json"])
    assert ran.exit_code == exit_code, ran.output
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_facts_of_a_picture_are_one_line_with_numbers_as_numbers(tmp_path: Path) -> None:
    gps = {
        **POSITION,
        5: (BYTE, (1,)),
        6: rationals((1234, 100)),
        7: rationals((7, 1), (5, 1), (9, 1)),
        17: rationals((9050, 100)),
        29: ascii("2026:11:23"),
        31: rationals((85, 10)),
    }
    path = picture(tmp_path / "a.jpg", gps)
    (line,) = facts(path)
    assert set(line) >= KEYS
    assert line["file"] == str(path)
    assert (line["lat"], line["lon"], line["altitude_m"]) == (-20.5, 99.5, -12.34)
    assert (line["direction_deg"], line["accuracy_m"]) == (90.5, 8.5)
    assert line["gps_time"] == "2026-11-23T07:05:09Z"
    assert (line["camera_time"], line["make"], line["model"]) == (None, "Contoh", None)
    assert len(line["sha256"]) == 64
    assert len(line["phash"]) == 16


def test_no_block_a_block_without_position_and_zero_are_told_apart(tmp_path: Path) -> None:
    zero = rationals((0, 1), (0, 1), (0, 1))
    lines = facts(
        picture(tmp_path / "none.jpg"),
        picture(tmp_path / "without.jpg", {0: (BYTE, (2, 3, 0, 0))}),
        picture(tmp_path / "zero.jpg", {**POSITION, 2: zero, 4: zero}),
    )
    assert [(line["gps_block"], line["lat"], line["lon"]) for line in lines] == [
        ("none", None, None),
        ("without-position", None, None),
        ("position", 0.0, 0.0),
    ]


def test_another_datum_is_told_beside_the_position(tmp_path: Path) -> None:
    (line,) = facts(picture(tmp_path / "a.jpg", {**POSITION, 18: ascii("TOKYO")}))
    assert (line["datum"], line["lat"]) == ("TOKYO", -20.5)


def test_what_cannot_be_read_is_a_line_with_its_code_and_the_next_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.jpg"
    page.write_text("<html>")
    lines = facts(tmp_path / "missing.jpg", page, picture(tmp_path / "a.jpg"), exit_code=1)
    assert [line.get("error") for line in lines] == ["file-missing", "picture-unreadable", None]
    assert set(lines[1]) == {"file", "error", "reason"}
    assert "page of text" in lines[1]["reason"]


def test_folders_are_read_to_their_depths(tmp_path: Path) -> None:
    wanted = [picture(tmp_path / f"DCIM/10{n}/IMG_{n}.JPG") for n in range(3)]
    (tmp_path / "DCIM/film.mp4").write_bytes(b"film")
    (tmp_path / "notes.txt").write_text("notes")
    assert [line["file"] for line in facts(tmp_path)] == [str(path) for path in wanted]


def test_a_name_that_is_no_text_is_a_line_too(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.jpg")
    path.rename(odd)
    (line,) = facts(tmp_path)
    assert line["file"] == odd
    ran = CliRunner().invoke(cli, ["facts", str(tmp_path)])
    assert ran.exit_code == 0
    assert "position" in ran.output


@pytest.mark.skipif(not TRUTH_FILE.exists(), reason="the shared test photos are not here")
def test_every_shared_file_has_its_line_and_equals_what_exiftool_reads() -> None:
    truth = json.loads(TRUTH_FILE.read_text())
    lines = facts(*(PHOTOS / name for name in truth), exit_code=1)
    assert [line["file"] for line in lines] == [str(PHOTOS / name) for name in truth]
    compared = 0
    for line, said in zip(lines, truth.values(), strict=True):
        if "error" in line:
            assert line["error"] in ("picture-unreadable", "picture-too-costly")
            assert "lat" not in said, line["file"]
            continue
        assert line["sha256"] == said["sha256"]
        for ours, theirs in (("lat", "lat"), ("lon", "lon"), ("altitude_m", "altitude_m")):
            wanted = said.get(theirs)
            assert line[ours] == (None if wanted is None else pytest.approx(wanted, abs=1e-6))
        assert line["orientation"] == said.get("orientation"), line["file"]
        assert (line["make"], line["model"]) == (said.get("make"), said.get("model"))
        compared += 1
    assert compared >= 25


def test_it_needs_no_device_and_touches_nothing(tmp_path: Path) -> None:
    """Run as a program of its own, with a home that does not exist and folders that are full."""
    path = picture(tmp_path / "pictures" / "a.jpg")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    path.parent.chmod(0o500)
    ran = subprocess.run(
        [sys.executable, "-m", "fieldkit", "facts", str(path), "--json"],
        env={**os.environ, "HOME": str(tmp_path / "nowhere")}
        | {"FIELDKIT_HOME": str(tmp_path / "nowhere" / "device")},
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    path.parent.chmod(0o700)
    assert json.loads(ran.stdout)["file"] == str(path)
    assert ran.stderr == ""
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_facts_to_be_read_say_the_position_and_what_is_not_known(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        cli,
        ["facts", str(picture(tmp_path / "a.jpg", {**POSITION, 31: rationals((8, 1))})),
         str(picture(tmp_path / "b.jpg")), str(tmp_path / "c.jpg")],
    )  # fmt: skip
    assert ran.exit_code == 1
    assert "-20.5, 99.5 ±8 m" in ran.output
    assert "no receiver's block in it" in ran.output
    assert "file-missing" in ran.output
