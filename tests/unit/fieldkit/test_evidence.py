"""Files: bytes first, then the entry; the same bytes are one file, whatever is ended when."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from field_device import FieldDevice, picture

from fieldkit.blobs import Blobs
from fieldkit.capture import find_evidence, load_inspection
from fieldkit.disk import part_name
from sync.log import records_of
from sync.problems import Problem


def test_a_kept_file_is_named_by_its_bytes_and_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "files")
    source = picture(tmp_path / "a.jpg")
    first, second = blobs.keep(source), blobs.keep(source)
    assert first == second
    assert b"".join(blobs.chunks(first.sha256)) == source.read_bytes()
    assert [p for p in blobs.folder.rglob("*") if p.is_file()] == [blobs.path(first.sha256)]


def test_a_cut_off_copy_is_made_whole(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "files")
    source = picture(tmp_path / "a.jpg")
    kept = blobs.keep(source)
    blobs.path(kept.sha256).write_bytes(b"half")
    blobs.keep(source)
    assert blobs.path(kept.sha256).read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda p: None, "file-missing"),
        (lambda p: p.mkdir(), "file-unreadable"),
        (lambda p: p.write_bytes(b""), "file-empty"),
    ],
)
def test_a_file_that_cannot_be_kept_is_named_and_leaves_nothing(
    tmp_path: Path, make: object, code: str
) -> None:
    source = tmp_path / "source"
    make(source)  # type: ignore[operator]
    blobs = Blobs(tmp_path / "files")
    with pytest.raises(Problem) as raised:
        blobs.keep(source)
    assert raised.value.code == code
    assert not list(blobs.folder.rglob("*.part"))


def test_what_an_ended_command_left_is_swept_and_a_running_ones_is_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = part_name(tmp_path / "incoming")
    left = tmp_path / f".incoming.{ended.pid}.part"
    mine.touch()
    left.touch()
    assert Blobs(tmp_path).sweep() == 1
    assert mine.exists()
    assert not left.exists()


def test_a_photo_is_kept_with_its_item_and_the_same_again_changes_nothing(
    device: FieldDevice, tmp_path: Path
) -> None:
    inspection = device.start().inspection
    file = picture(tmp_path / "a.jpg")
    (first,) = device.photo(inspection, file, items=["GEN-G1"])
    (again,) = device.photo(inspection, file, items=["GEN-G1"])
    assert (first.state, again.state) == ("attached", "already-here")
    assert len(device.store.records(inspection)) == 2


def test_more_items_for_a_file_are_added_to_those_it_has(
    device: FieldDevice, tmp_path: Path
) -> None:
    inspection = device.start().inspection
    file = picture(tmp_path / "a.jpg")
    device.photo(inspection, file, items=["GEN-G1"])
    (more,) = device.photo(inspection, file, items=["ISL-E2/well-1"])
    assert more.state == "changed"
    read = load_inspection(device.store, inspection)
    (slot,) = read.evidence.values()
    assert slot.value is not None
    assert slot.value.items == ("GEN-G1/-", "ISL-E2/well-1")
    assert [e.sha256 for e in read.evidence_for("ISL-E2", "well-1")] == [more.sha256]
    assert len(device.ledger.files()) == 1


def test_how_a_file_was_attached_can_be_corrected(device: FieldDevice, tmp_path: Path) -> None:
    inspection = device.start().inspection
    file = picture(tmp_path / "a.jpg")
    device.photo(inspection, file, items=["GEN-G1"])
    (corrected,) = device.photo(inspection, file, source="taken-here")
    assert corrected.state == "changed"
    (slot,) = load_inspection(device.store, inspection).evidence.values()
    assert slot.value is not None
    assert (slot.value.source, slot.value.items) == ("taken-here", ("GEN-G1/-",))
    assert [e.source for e in slot.earlier] == ["imported"]


def test_a_picture_that_cannot_be_read_is_kept_and_the_next_one_too(
    device: FieldDevice, tmp_path: Path
) -> None:
    inspection = device.start().inspection
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    good = picture(tmp_path / "good.jpg")
    missing = tmp_path / "missing.jpg"
    found = device.photo(inspection, missing, broken, good)
    assert [(one.name, one.state) for one in found] == [
        ("missing.jpg", "not-attached"),
        ("broken.jpg", "attached"),
        ("good.jpg", "attached"),
    ]
    assert found[1].problem is not None
    assert found[1].problem.code == "picture-unreadable"
    assert found[2].facts is not None
    assert b"".join(device.home.blobs().chunks(found[1].sha256)) == broken.read_bytes()
    facts = device.store.facts()
    assert facts[found[1].sha256][1] is not None
    assert facts[found[2].sha256][0] is not None


def test_evidence_is_found_by_how_its_digest_begins(device: FieldDevice, tmp_path: Path) -> None:
    inspection = device.start().inspection
    (one,) = device.photo(inspection, picture(tmp_path / "a.jpg"))
    assert find_evidence(device.store, inspection, [one.sha256[:6], one.sha256]) == [one.sha256]
    for prefix in ("zzzz", one.sha256[:3]):
        with pytest.raises(Problem, match="evidence-unknown"):
            find_evidence(device.store, inspection, [prefix])


def test_a_photo_from_a_camera_card_brings_its_position_and_time(device: FieldDevice) -> None:
    folder = Path(__file__).parents[4] / "shared" / "data" / "photos"
    cards = sorted(folder.rglob("DSCN0010.jpg")) if folder.is_dir() else []
    if not cards:
        pytest.skip("the shared test pictures are not here")
    inspection = device.start().inspection
    (one,) = device.photo(inspection, cards[0])
    assert one.facts is not None
    assert one.facts["gps_block"] == "position"


# -- ended in the middle --------------------------------------------------------------------------


def _kept(device: FieldDevice) -> list[Path]:
    """The files that are complete, under their names."""
    return list((device.home.folder / "files").glob("??/*"))


def _photo_command(device: FieldDevice, inspection: str, files: list[Path]) -> list[str]:
    return [
        sys.executable, "-m", "fieldkit", "--home", str(device.home.folder), "photo",
        "--inspection", inspection, "--item", "GEN-G1", *map(str, files),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_photo_killed_at_any_moment_loses_and_doubles_nothing(
    device: FieldDevice, tmp_path: Path, seed: int
) -> None:
    """Ended with kill -9 after some of its output, or of its files, and then run again."""
    inspection = device.start().inspection
    files = [picture(tmp_path / f"{n}.jpg", 10 * seed + n) for n in range(6)]
    dice = random.Random(seed)
    running = subprocess.Popen(
        _photo_command(device, inspection, files), stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    done = dice.randrange(1, 6)
    if seed % 2:
        while running.poll() is None and len(_kept(device)) < done:
            pass
    else:
        for _ in range(done):
            running.stdout.readline()
    os.kill(running.pid, signal.SIGKILL)
    said = running.stdout.read()
    running.wait()
    running.stdout.close()
    (log,) = device.store.logs(inspection)
    public_key = device.store.identity().public_key
    before = records_of(log.lines, public_key, device.id, inspection)
    assert before[-1].h == log.hashes[-1].hex()
    for sha256, _ in load_inspection(device.store, inspection).evidence:
        assert device.home.blobs().has(sha256), said
    again = subprocess.run(
        _photo_command(device, inspection, files), capture_output=True, text=True, check=True
    )
    assert len(again.stdout.splitlines()) == 6
    evidence = load_inspection(device.store, inspection).evidence
    assert len(evidence) == 6
    assert all(slot.value is not None and not slot.earlier for slot in evidence.values())
    assert not list(device.home.folder.rglob("*.part"))
    assert len(_kept(device)) == 6
    device.sync()
    device.holds_exactly()


# -- a disk that is full --------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tapak-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("this needs a disk of its own, which only root can mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_file_too_large_for_the_disk_is_told_and_a_smaller_one_goes_in(
    small_disk: Path, tmp_path: Path
) -> None:
    blobs = Blobs(small_disk / "files")
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(2_000_000))
    with pytest.raises(Problem) as raised:
        blobs.keep(large)
    assert raised.value.code == "disk-full"
    assert "large.bin" in raised.value.happened
    assert not list(small_disk.rglob("*.part"))
    assert blobs.has(blobs.keep(picture(tmp_path / "a.jpg")).sha256)


def test_a_folder_that_cannot_be_written_to_is_told(small_disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(Problem) as raised:
        Blobs(small_disk / "files").keep(picture(tmp_path / "a.jpg"))
    assert raised.value.code == "folder-read-only"
