"""The server's reading process keeps the same promises as the field side's."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from server import imaging
from server.imaging import read_files
from sync import photo_batch
from sync.photo import read_photo
from sync.photo_facts import PhotoFacts

PHOTOS = Path(__file__).parents[3].parent / "shared" / "data" / "photos"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A blob as the store keeps it: its name says nothing of its kind."""
    path = tmp_path / ("ab" * 32)
    Image.new("RGB", (900, 600), "olive").save(path, "JPEG")
    return path


def codes(readings: list[imaging.Reading]) -> list[str]:
    return [r.problem.code if r.problem else "facts" for r in readings]


def test_a_stored_file_is_read_with_its_preview(picture: Path) -> None:
    (reading,) = read_files([picture], previews=True)
    assert reading.facts is not None
    assert PhotoFacts.from_json(reading.facts) == read_photo(picture.read_bytes())
    assert reading.preview is not None
    assert Image.open(io.BytesIO(reading.preview)).size == (480, 320)


@pytest.mark.skipif(not PHOTOS.exists(), reason="the shared test photos are not here")
def test_every_shared_file_ends_with_facts_or_a_problem(picture: Path) -> None:
    paths = [p for p in sorted(PHOTOS.rglob("*")) if p.is_file()]
    readings = list(read_files([*paths, picture], previews=True))
    assert [r.path for r in readings] == [*paths, picture]
    assert set(codes(readings)) <= {"facts", "picture-unreadable", "picture-too-costly"}
    assert readings[-1].facts is not None


def test_a_file_that_takes_too_long_is_too_costly_and_the_next_one_is_read(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = picture.with_name("slow")
    os.mkfifo(slow)  # reading it waits for ever
    monkeypatch.setattr(photo_batch, "refuse", lambda path: None)
    readings = list(read_files([slow, picture], seconds=1))
    assert codes(readings) == ["picture-too-costly", "facts"]


def test_a_child_that_dies_is_replaced(picture: Path) -> None:
    def children() -> set[int]:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        return {int(pid) for pid in text.split()}

    before = children()
    readings = read_files([picture] * 3)
    assert next(readings).facts is not None
    (child,) = children() - before
    os.kill(child, signal.SIGSEGV)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert codes(list(readings)) == ["picture-unreadable", "facts"]
    assert children() == before


def test_what_is_no_readable_file_is_refused_without_opening_it(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(photo_batch.MOST_BYTES + 1)
    readings = list(read_files([tmp_path / "none", tmp_path, huge]))
    assert codes(readings) == ["file-missing", "file-unreadable", "picture-too-costly"]
