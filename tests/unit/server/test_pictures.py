"""Pictures of every camera as they arrive: read, previewed, shown or handed over."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image
from region import HILL, VISIT_1, enrolled_device, jpeg

from server.context import Context
from server.permissions import Principal
from server.services import browse_files, photos
from server.services.photos import read_new
from server.store import facts
from sync.problems import Problem

sys.path.append(str(Path(__file__).parents[1] / "sync"))

from exif_blocks import ascii, block, rationals
from heic import heic

POSITION = {
    1: ascii("N"),
    2: rationals((20, 1), (30, 1), (0, 1)),
    3: ascii("E"),
    4: rationals((99, 1), (30, 1), (0, 1)),
}
OFFICER = Principal("person", "p-officer", grants=(("officer", "example"),))


def arrived(ctx: Context, *pictures: bytes) -> list[str]:
    """The digests of these pictures, sent and read."""
    device = enrolled_device(ctx)
    device.start(VISIT_1, HILL)
    digests = [device.photo(VISIT_1, one, ["GEN-G1/-"]) for one in pictures]
    device.send()
    for one in pictures:
        device.send_file(one)
    assert read_new(ctx) == len(pictures)
    return digests


def bytes_of(found: browse_files.FileToSend) -> bytes:
    return b"".join(found.chunks(0))


def tiff() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "olive").save(out, "TIFF", compression="tiff_lzw")
    return out.getvalue()


def test_a_heic_is_read_and_shown_as_a_jpeg_and_handed_over_as_itself(region: Context) -> None:
    data = heic(block(gps=POSITION), turn=3, grid=(12, 8))
    (digest,) = arrived(region, data)
    with region.db.read() as tx:
        said = json.loads(facts.facts_of(tx, [digest])[digest].facts or b"")
    assert (said["media_type"], said["gps_block"], said["lat"]) == (
        "image/heic",
        "position",
        "20.5",
    )
    small = browse_files.preview(region, OFFICER, digest)
    assert (small.media_type, small.show) == ("image/jpeg", True)
    with Image.open(io.BytesIO(bytes_of(small))) as shown:
        # Stored 768 wide and 512 high: it was turned upright, once.
        assert (shown.format, shown.width, shown.height) == ("JPEG", 320, 480)
    whole = browse_files.original(region, OFFICER, digest)
    assert (whole.show, whole.media_type) == (False, "application/octet-stream")
    assert whole.name.endswith(".heic")
    assert bytes_of(whole) == data


def test_a_tiff_has_a_preview_and_is_handed_over(region: Context) -> None:
    (digest,) = arrived(region, tiff())
    small = browse_files.preview(region, OFFICER, digest)
    with Image.open(io.BytesIO(bytes_of(small))) as shown:
        assert shown.size == (480, 360)
    whole = browse_files.original(region, OFFICER, digest)
    assert (whole.show, whole.name[-4:]) == (False, ".tif")


def test_a_jpeg_is_shown_as_it_is(region: Context) -> None:
    (digest,) = arrived(region, jpeg(1))
    whole = browse_files.original(region, OFFICER, digest)
    assert (whole.show, whole.media_type, whole.name[-4:]) == (True, "image/jpeg", ".jpg")


@pytest.mark.parametrize("data", [heic()[:-9], heic(brand=b"avif"), b"GIF89a" + bytes(90)])
def test_what_cannot_be_read_has_no_preview_and_is_a_download(region: Context, data: bytes) -> None:
    (digest,) = arrived(region, data)
    with region.db.read() as tx:
        assert "cannot be read" in (facts.facts_of(tx, [digest])[digest].problem or "")
    with pytest.raises(Problem, match="not-found"):
        browse_files.preview(region, OFFICER, digest)
    assert not browse_files.original(region, OFFICER, digest).show


def test_a_preview_that_cannot_be_written_is_told_and_read_again_later(region: Context) -> None:
    arrived(region, jpeg(1))
    folder = region.settings.data / "previews"
    (taken,) = (p for p in folder.rglob("*") if p.is_file())
    taken.unlink()
    taken.mkdir()  # a folder stands where the preview should go
    region.db.write(facts.delete_all)
    with pytest.raises(Problem) as caught:
        read_new(region)
    assert caught.value.code == "folder-read-only"
    assert [p for p in folder.rglob("*") if p.is_file()] == []
    taken.rmdir()
    assert read_new(region) == 1


def test_reading_stops_between_batches_where_another_worker_does_it(
    region: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "BATCH", 1)
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    for seed in range(3):
        device.photo(VISIT_1, jpeg(seed), ["GEN-G1/-"])
    device.send()
    for seed in range(3):
        device.send_file(jpeg(seed))
    answers = [True, True, False]
    assert read_new(region, lambda: answers.pop(0)) == 2
    assert read_new(region) == 1
