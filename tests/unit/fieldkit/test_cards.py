"""What is taken from files, folders and camera cards, and what is left."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from fieldkit.cards import find_pictures


def put(path: Path, data: bytes = b"\xff\xd8\xff\xe0 some") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(*given: Path) -> list[str]:
    return [f"{found.path.parent.name}/{found.path.name}" for found in find_pictures(given)]


def test_a_card_is_read_to_its_depths_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("DCIM/101CANON/IMG_0003.JPG", "DCIM/100CANON/IMG_0002.JPG",
                 "DCIM/100CANON/IMG_0001.JPG", "DCIM/100CANON/IMG_0001.HEIC",
                 "loose.png"):  # fmt: skip
        put(tmp_path / name)
    assert names(tmp_path) == [
        "100CANON/IMG_0001.HEIC",
        "100CANON/IMG_0001.JPG",
        "100CANON/IMG_0002.JPG",
        "101CANON/IMG_0003.JPG",
        f"{tmp_path.name}/loose.png",
    ]


@pytest.mark.parametrize(
    "junk",
    [
        ".Trashes/501/a.jpg",
        ".Spotlight-V100/a.jpg",
        ".thumbnails/a.jpg",
        "._IMG_0001.JPG",
        ".hidden.jpg",
        "System Volume Information/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "LOST.DIR/a.jpg",
        "__MACOSX/a.jpg",
        "@eaDir/a.jpg",
        "DCIM/THMBNL/a.jpg",
        "DCIM/100/IMG_0001.THM",
        "MISC/AUTPRINT.MRK",
        "Thumbs.db",
        "desktop.ini",
        "notes.txt",
        "IMG_0001.AAE",
        "IMG_0001.xmp",
        "sound.wav",
        "report.pdf",
    ],
)
def test_what_cameras_and_computers_leave_for_themselves_is_passed_over(
    tmp_path: Path, junk: str
) -> None:
    put(tmp_path / junk, b"not a picture" if junk.endswith("MRK") else b"\xff\xd8\xff\xe0 some")
    put(tmp_path / "DCIM/100/IMG_0001.JPG")
    assert names(tmp_path) == ["100/IMG_0001.JPG"]


def test_films_are_named_with_a_word_of_what_to_do(tmp_path: Path) -> None:
    for name in ("MVI_0001.MP4", "clip.mov", "GOPR.LRV"):
        put(tmp_path / name)
    found = list(find_pictures([tmp_path]))
    assert len(found) == 3
    for one in found:
        assert one.problem is not None
        assert one.problem.code == "film-not-attached"
        assert "fieldkit attach" in one.problem.remedy


def test_what_is_given_by_its_name_is_taken_whatever_it_is(tmp_path: Path) -> None:
    given = [put(tmp_path / name) for name in (".hidden.jpg", "clip.mp4", "notes.txt")]
    given.append(tmp_path / "missing.jpg")
    assert [(found.path, found.problem) for found in find_pictures(given)] == [
        (path, None) for path in given
    ]


def test_pictures_that_cannot_be_read_go_in_by_their_name(tmp_path: Path) -> None:
    for name in ("a.gif", "b.psd", "c.dng", "d.avif", "e.ico"):
        put(tmp_path / name, b"anything")
    assert len(names(tmp_path)) == 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_whose_name_does_not_say_so_is_known_by_how_it_begins(
    tmp_path: Path, kind: str
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind)
    put(tmp_path / "IMG_0001", out.getvalue())
    put(tmp_path / "picture.1", out.getvalue())
    put(tmp_path / "other", b"no picture")
    put(tmp_path / "empty", b"")
    assert len(names(tmp_path)) == 2


def test_links_to_folders_are_not_followed_so_that_a_loop_ends(tmp_path: Path) -> None:
    put(tmp_path / "DCIM/a.jpg")
    (tmp_path / "DCIM/loop").symlink_to(tmp_path)
    (tmp_path / "DCIM/b.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert names(tmp_path) == ["DCIM/a.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read every folder")
def test_a_folder_that_may_not_be_read_is_named_and_the_next_is_read(tmp_path: Path) -> None:
    put(tmp_path / "a/a.jpg")
    put(tmp_path / "b/b.jpg")
    (tmp_path / "a").chmod(0)
    found = list(find_pictures([tmp_path]))
    (tmp_path / "a").chmod(0o700)
    assert [one.problem.code if one.problem else one.path.name for one in found] == [
        "file-unreadable",
        "b.jpg",
    ]


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/IMG\xff\xfe.jpg"))
    put(path)
    assert [found.path for found in find_pictures([tmp_path])] == [path]


def test_more_folders_take_no_more_memory(tmp_path: Path) -> None:
    """A folder's names are held while it is read, and no others."""
    for folder in range(40):
        for n in range(50):
            put(tmp_path / f"DCIM/{folder}/IMG_{n:04}.JPG")

    def peak(folders: int) -> int:
        given = [tmp_path / f"DCIM/{n}" for n in range(folders)]
        tracemalloc.start()
        assert sum(1 for _ in find_pictures(given)) == folders * 50
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(40) < 2 * peak(2)
