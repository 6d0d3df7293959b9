"""Hostile files in the real reading process: none ends the batch, none passes, all stay small."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "sync"))

from exif_blocks import ascii, block
from heic import heic

from fieldkit.imaging import ReadingProcess, read_files
from sync import photo_batch
from sync.photo_batch import MEMORY_MB, SECONDS, Reading

PHOTOS = Path(__file__).parents[3].parent / "shared" / "data" / "photos"
BASELINE = PHOTOS / "HOSTILE_BASELINE.json"
UNREADABLE = ("picture-unreadable", "picture-too-costly")


class Measured(ReadingProcess):
    """A reading process that notes its highest memory, in kB, each time it has answered."""

    def __init__(self, peaks: list[int]) -> None:
        super().__init__(MEMORY_MB, SECONDS)
        self.peaks = peaks

    def hear(self, seconds: float) -> tuple[str, bool]:
        found = super().hear(seconds)
        self.peaks.append(self._peak())
        return found

    def _peak(self) -> int:
        """The largest resident size so far; 0 of a process that has ended."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def read_measured(paths: list[Path]) -> tuple[list[Reading], list[int], list[float]]:
    """Each file in a fresh process: its reading, the process' peak in kB, and the seconds taken."""
    readings, peaks, seconds = [], [], []
    for path in paths:
        seen: list[int] = []
        began = time.monotonic()
        readings += photo_batch.read_files([path], lambda seen=seen: Measured(seen))  # type: ignore[misc]
        seconds.append(time.monotonic() - began)
        peaks.append(max(seen, default=0))
    return readings, peaks, seconds


@pytest.fixture(scope="module")
def every_shared_file() -> Iterator[dict[str, tuple[Reading, int, float]]]:
    if not BASELINE.exists():
        pytest.skip("the shared test photos are not here")
    paths = [p for p in sorted(PHOTOS.rglob("*")) if p.is_file()]
    readings, peaks, seconds = read_measured(paths)
    yield {
        str(p.relative_to(PHOTOS)): one
        for p, one in zip(paths, zip(readings, peaks, seconds, strict=True), strict=True)
    }


def test_no_shared_file_takes_more_than_the_memory_or_the_time_it_may(
    every_shared_file: dict[str, tuple[Reading, int, float]],
) -> None:
    for name, (_, peak, seconds) in every_shared_file.items():
        assert peak < MEMORY_MB * 1024, name
        # The process is ended when its time is up; starting it is not the file's time.
        assert seconds < SECONDS + photo_batch.STARTING_SECONDS, name


def test_no_hostile_file_passes_as_good_and_none_ends_the_process(
    every_shared_file: dict[str, tuple[Reading, int, float]],
) -> None:
    baseline = json.loads(BASELINE.read_text())["files"]
    hostile = {name for name, said in baseline.items() if said["load"] != "ok"}
    # Pillow shows it, although its last byte is missing.
    hostile |= {name for name in baseline if name.endswith("truncated.heic")}
    assert len(hostile) > 10
    for name, (reading, _, _) in every_shared_file.items():
        if name in hostile or not name.lower().endswith((".jpg", ".heic", ".tif", ".png")):
            assert reading.problem is not None, name
            assert reading.problem.code in UNREADABLE, name
        elif name in baseline:
            assert reading.facts is not None, name
        if reading.problem is not None:
            assert "ended the program" not in reading.problem.happened, name


def test_a_damaged_exif_block_leaves_a_whole_picture_good(
    every_shared_file: dict[str, tuple[Reading, int, float]],
) -> None:
    damaged = (
        "hopper_bad_exif.jpg",
        "invalid-exif.jpg",
        "broken_exif_dpi.jpg",
        "30-type_error.jpg",
    )
    for name, (reading, _, _) in every_shared_file.items():
        if name.endswith(damaged):
            assert reading.facts is not None, name


# -- pictures as large as cameras make them, and larger --------------------------------------------


def flat(path: Path, size: tuple[int, int], **options: object) -> Path:
    Image.new("RGB", size, "olive").save(path, **options)  # type: ignore[arg-type]
    return path


def test_pictures_as_large_as_cameras_make_them_are_read_in_the_memory_there_is(
    tmp_path: Path,
) -> None:
    """12 and 50 million pixels as HEIC, 48 as JPEG of both kinds, PNG and TIFF."""
    small, large = tmp_path / "12.heic", tmp_path / "50.heic"
    small.write_bytes(heic(grid=(8, 6), tile=512))
    large.write_bytes(heic(grid=(16, 12), tile=512, turn=3))
    paths = [
        small,
        large,
        flat(tmp_path / "48.jpg", (8064, 6048)),
        flat(tmp_path / "48p.jpg", (8064, 6048), progressive=True),
        flat(tmp_path / "48.png", (8064, 6048), compress_level=1),
        flat(tmp_path / "48.tif", (8064, 6048), compression="tiff_lzw"),
    ]
    readings, peaks, _ = read_measured(paths)
    assert [r.facts["width"] if r.facts else str(r.problem) for r in readings] == [
        4096, 8192, 8064, 8064, 8064, 8064,
    ]  # fmt: skip
    assert max(peaks) < MEMORY_MB * 1024


def test_a_picture_too_large_for_the_memory_is_named_so(tmp_path: Path) -> None:
    large, bomb = tmp_path / "113.heic", tmp_path / "claims.heic"
    large.write_bytes(heic(grid=(24, 18), tile=512))
    bomb.write_bytes(heic(grid=(2, 2), tile=512, claimed=(60_000, 60_000)))
    wide = flat(tmp_path / "wide.webp", (12_000, 9_900))
    readings, peaks, _ = read_measured([large, bomb, wide])
    assert [r.problem.code if r.problem else "facts" for r in readings] == [
        "picture-too-costly"
    ] * 3
    assert max(peaks) < MEMORY_MB * 1024


def test_damage_to_the_boxes_of_a_heic_ends_with_facts_or_a_problem(tmp_path: Path) -> None:
    """Some of it ends the decoder, and with it the process; the next file is read by another."""
    whole = heic(block(image={0x010F: ascii("Contoh")}), grid=(2, 1))
    paths = []
    for at in range(4, whole.index(b"mdat"), 2):
        for value in (0x00, 0xFF):
            paths.append(tmp_path / f"{at}-{value}.heic")
            paths[-1].write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
    last = flat(tmp_path / "last.jpg", (64, 48))
    readings = list(read_files([*paths, last], processes=2))
    assert len(readings) == len(paths) + 1
    assert all(r.problem is None or r.problem.code in UNREADABLE for r in readings)
    assert readings[-1].facts is not None


def test_files_that_lie_about_their_kind_are_judged_by_their_bytes(tmp_path: Path) -> None:
    as_jpeg = tmp_path / "picture.jpg"
    Image.new("RGB", (64, 48), "olive").save(as_jpeg, "PNG")
    page = tmp_path / "page.jpg"
    page.write_text("<!DOCTYPE html><title>Log in</title>" + "<p>text</p>" * 500)
    film = tmp_path / "film.heic"
    film.write_bytes(heic(brand=b"mp42"))
    readings = list(read_files([as_jpeg, page, film]))
    assert readings[0].facts is not None
    assert readings[0].facts["media_type"] == "image/png"
    assert [r.problem.code for r in readings[1:] if r.problem] == ["picture-unreadable"] * 2


def test_the_reading_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    readings = read_files([flat(tmp_path / "a.jpg", (64, 48))] * 2)
    next(readings)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert len(children) >= 1
    readings.close()  # type: ignore[attr-defined]
    assert not set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()) & set(
        children[-1:]
    )
