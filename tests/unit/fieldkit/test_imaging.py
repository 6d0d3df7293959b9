"""The field side's reading process: bounded, replaced when it dies, never a crash of its own."""

from __future__ import annotations

import io
import os
import random
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fieldkit import imaging
from fieldkit.imaging import read_files
from sync import photo_batch
from sync.photo import read_photo
from sync.photo_facts import PhotoFacts

PHOTOS = Path(__file__).parents[3].parent / "shared" / "data" / "photos"


def good(folder: Path, name: str = "good.jpg") -> Path:
    path = folder / name
    Image.new("RGB", (90, 60), "olive").save(path, "JPEG")
    return path


def png_claiming(folder: Path, width: int, height: int) -> Path:
    """A small PNG whose pixels, all black, take width x height x 4 bytes when decoded."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    squeeze = zlib.compressobj(1)
    row = b"\x00" * (width * 4 + 1)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    path = folder / "wide.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    return path


def codes(readings: list[imaging.Reading]) -> list[str]:
    return [r.problem.code if r.problem else "facts" for r in readings]


def test_files_are_read_in_order_as_the_pure_reader_reads_them(tmp_path: Path) -> None:
    paths = [good(tmp_path, "b.jpg"), good(tmp_path, "a.jpg")]
    readings = list(read_files(paths))
    assert [r.path for r in readings] == paths
    for reading in readings:
        assert reading.facts is not None
        assert PhotoFacts.from_json(reading.facts) == read_photo(reading.path.read_bytes())
        assert reading.preview is None


def test_a_preview_comes_along_where_it_is_wanted(tmp_path: Path) -> None:
    (reading,) = read_files([good(tmp_path)], previews=True)
    assert reading.preview is not None
    assert Image.open(io.BytesIO(reading.preview)).format == "JPEG"
    (reading,) = read_files([good(tmp_path)])
    assert reading.preview is None


def test_what_is_known_already_comes_out_at_its_place(tmp_path: Path) -> None:
    path = good(tmp_path)
    known = imaging.Reading(tmp_path / "known", {"make": "Contoh"})
    readings = list(read_files([path, known, path, known, known, path], processes=2))
    assert [r is known for r in readings] == [False, True, False, True, True, False]
    assert codes(readings) == ["facts"] * 6


def test_no_more_than_one_path_is_taken_ahead_of_those_that_are_being_read(
    tmp_path: Path,
) -> None:
    path, taken, gone, before = good(tmp_path), 0, tmp_path / "gone", children()

    def paths() -> Iterator[Path]:
        nonlocal taken
        for n in range(60):
            taken += 1
            yield gone if n % 3 == 0 else path

    most = 0
    for done, _ in enumerate(read_files(paths(), processes=2)):
        most = max(most, taken - done)
        assert len(children() - before) <= 2
    assert (taken, most) == (60, 3)


def test_two_processes_give_the_same_readings_in_the_same_order(tmp_path: Path) -> None:
    paths = [good(tmp_path, f"{n}.jpg") for n in range(5)]
    paths[2].write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    one, two = list(read_files(paths)), list(read_files(paths, processes=2))
    assert [(r.path, r.facts) for r in one] == [(r.path, r.facts) for r in two]
    assert codes(two) == ["facts", "facts", "picture-unreadable", "facts", "facts"]


@pytest.mark.skipif(not PHOTOS.exists(), reason="the shared test photos are not here")
def test_every_shared_file_hostile_ones_too_ends_with_facts_or_a_problem(tmp_path: Path) -> None:
    last = good(tmp_path)
    paths = [p for p in sorted(PHOTOS.rglob("*")) if p.is_file()]
    readings = list(read_files([*paths, last]))
    assert [r.path for r in readings] == [*paths, last]
    for reading in readings:
        assert (reading.facts is None) != (reading.problem is None)
        if reading.problem is not None:
            assert reading.problem.code in ("picture-unreadable", "picture-too-costly")
    assert readings[-1].facts is not None


def test_a_picture_that_needs_more_memory_is_too_costly_and_the_next_one_is_read(
    tmp_path: Path,
) -> None:
    readings = list(read_files([png_claiming(tmp_path, 8000, 5000), good(tmp_path)], memory_mb=256))
    assert codes(readings) == ["picture-too-costly", "facts"]
    assert "memory" in str(readings[0].problem)


def test_a_picture_that_takes_too_long_is_too_costly_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow.jpg"
    os.mkfifo(slow)  # reading it waits for ever
    monkeypatch.setattr(photo_batch, "refuse", lambda path: None)
    readings = list(read_files([slow, good(tmp_path)], seconds=1))
    assert codes(readings) == ["picture-too-costly", "facts"]
    assert "than 1 s." in str(readings[0].problem)


def test_a_child_that_dies_is_replaced(tmp_path: Path) -> None:
    path, before = good(tmp_path), children()
    readings = read_files([path, path, path])
    assert next(readings).facts is not None
    (child,) = children() - before
    os.kill(child, signal.SIGSEGV)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert codes(list(readings)) == ["picture-unreadable", "facts"]
    assert children() == before


def children() -> set[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in text.split()}


def test_one_child_serves_all_files_and_is_gone_when_the_reader_stops_early(tmp_path: Path) -> None:
    path, before = good(tmp_path), children()
    readings = read_files([path] * 5)
    seen = set()
    for _ in range(3):
        next(readings)
        seen.update(children() - before)
    assert len(seen) == 1
    readings.close()  # type: ignore[attr-defined]
    assert children() == before


def test_what_is_no_readable_file_is_refused_without_opening_it(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge.jpg", tmp_path / "pipe"
    with huge.open("wb") as file:
        file.truncate(photo_batch.MOST_BYTES + 1)
    os.mkfifo(pipe)
    readings = list(read_files([tmp_path / "none.jpg", tmp_path, pipe, huge]))
    assert codes(readings) == [
        "file-missing",
        "file-unreadable",
        "file-unreadable",
        "picture-too-costly",
    ]


def test_a_folder_full_of_traps_does_not_become_code(tmp_path: Path) -> None:
    """A card may hold a json.py; the reading process must not import from where it stands."""
    path = good(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise SystemExit(3)")
    program = (
        "from pathlib import Path; from fieldkit.imaging import read_files\n"
        f"raise SystemExit(0 if list(read_files([Path({path.name!r})]))[0].facts else 1)"
    )
    subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, check=True)


def test_a_limit_too_small_to_start_in_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    readings = list(read_files([good(tmp_path)] * 2, memory_mb=8))
    assert codes(readings) == ["file-unreadable"] * 2  # nothing is said about the picture
    assert "does not start" in str(readings[0].problem)


def test_damaged_copies_of_a_picture_never_end_the_batch(tmp_path: Path) -> None:
    dice = random.Random(20261123)
    whole = good(tmp_path).read_bytes()
    paths = []
    for n in range(40):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 20)):
            damaged[dice.randrange(2, len(damaged))] = dice.randrange(256)
        paths.append(tmp_path / f"{n}.jpg")
        paths[-1].write_bytes(bytes(damaged))
    readings = list(read_files([*paths, good(tmp_path)]))
    assert set(codes(readings)) <= {"facts", "picture-unreadable", "picture-too-costly"}
    assert readings[-1].facts is not None
