"""The example region's drawn pictures carry what a camera would have written."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from server.demo.pictures import SCENES, camera_exif, picture
from sync.photo import PhotoFacts, read_photo

TAKEN = datetime(2026, 11, 23, 1, 5, 9)  # noqa: DTZ001 - a camera's clock knows no zone
HERE: dict[str, Any] = {
    "lat": 20.451344,
    "lon": 99.880217,
    "accuracy_m": 6.5,
    "direction_deg": 271.25,
    "taken": TAKEN,
}
NOWHERE: dict[str, Any] = {**HERE, "lat": None, "lon": None}


@pytest.fixture(scope="module")
def outfall() -> bytes:
    return picture("outfall", 1, **HERE)


def test_the_position_and_everything_else_of_a_picture_reads_back(outfall: bytes) -> None:
    facts = read_photo(outfall)
    assert facts.gps_block == "position"
    assert abs(float(facts.lat or "nan") - 20.451344) <= 1e-6
    assert abs(float(facts.lon or "nan") - 99.880217) <= 1e-6
    assert facts.datum == "WGS-84"
    assert facts.accuracy_m == "6.5"
    assert (facts.direction_deg, facts.direction_ref) == ("271.25", "true")
    assert facts.camera_time == facts.modified_time == "2026-11-23T01:05:09"
    assert facts.camera_offset == "+07:00"
    assert facts.gps_time == "2026-11-22T18:05:09Z"
    assert (facts.make, facts.model, facts.orientation) == ("Contoh", "Kamera 1", 1)
    assert (facts.media_type, facts.width, facts.height) == ("image/jpeg", 1280, 853)


def test_a_picture_without_a_position_has_exif_and_no_gps_block() -> None:
    facts = read_photo(picture("drain", 1, **NOWHERE, make="Lain", model="K-2"))
    assert facts.exif
    assert (facts.gps_block, facts.lat, facts.gps_time) == ("none", None, None)
    assert (facts.make, facts.model) == ("Lain", "K-2")
    assert facts.camera_time == "2026-11-23T01:05:09"


def test_the_same_scene_and_seed_give_the_same_bytes_and_another_seed_others(
    outfall: bytes,
) -> None:
    assert picture("outfall", 1, **HERE) == outfall
    assert picture("outfall", 2, **HERE) != outfall


def facts_of(**options: Any) -> PhotoFacts:
    """The facts of a tiny picture with the EXIF that a drawn one would carry."""
    given = {**HERE, "offset": "+07:00", "make": "Contoh", "model": "Kamera 1", **options}
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=camera_exif(**given))
    return read_photo(out.getvalue())


def test_an_aware_time_is_turned_into_the_cameras_clock() -> None:
    facts = facts_of(taken=datetime(2026, 11, 22, 18, 5, 9, tzinfo=UTC), offset="-03:30")
    assert (facts.camera_time, facts.camera_offset) == ("2026-11-22T14:35:09", "-03:30")
    assert facts.gps_time == "2026-11-22T18:05:09Z"


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
@settings(max_examples=80, deadline=None)
def test_any_position_survives_the_cameras_degrees_minutes_and_seconds(
    lat: float, lon: float
) -> None:
    facts = facts_of(lat=lat, lon=lon)
    assert facts.lat is not None
    assert facts.lon is not None
    assert abs(float(facts.lat) - lat) <= 1e-6
    assert abs(float(facts.lon) - lon) <= 1e-6


def test_every_scene_is_a_picture_of_its_own_that_the_reuse_rule_does_not_confuse() -> None:
    hashes = {}
    for scene in SCENES:
        data = picture(scene, 7, **NOWHERE)
        assert 80_000 < len(data) < 320_000, scene
        hashes[scene] = int(read_photo(data).phash, 16)
    for one, other in itertools.combinations(hashes, 2):
        assert (hashes[one] ^ hashes[other]).bit_count() > 8, (one, other)


def test_every_picture_says_that_it_is_an_example(outfall: bytes) -> None:
    """The caption stands in the lower right corner and in the EXIF description."""
    image = Image.open(io.BytesIO(outfall))
    assert image.getexif()[0x010E] == "EXAMPLE - fictional site"
    corner = image.convert("L").crop((1080, 815, 1280, 853))
    dark, bright = (sum(corner.histogram()[a:b]) for a, b in ((0, 110), (200, 256)))
    assert bright > 200
    assert dark > 2000


@pytest.mark.parametrize(
    ("scene", "options", "what"),
    [("moon", {}, "hillside-ponds"), ("kiln", {"offset": "WIB"}, r"\+07:00")],
)
def test_an_unknown_scene_or_offset_is_named(
    scene: str, options: dict[str, str], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        picture(scene, 1, **HERE, **options)
