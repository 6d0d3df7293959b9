"""HEIC pictures: upright once, never twice; whole or named; large ones in little memory."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from exif_blocks import LONG, SHORT, ascii, block, rationals
from heic import heic
from PIL import Image

from sync.photo import read_photo, read_photo_with_preview
from sync.problems import Problem

PHOTOS = Path(__file__).parents[3].parent / "shared" / "data" / "photos"
IPHONE = PHOTOS / "ianare+exif-samples/heic/IMG_5195.HEIC"
POSITION = {
    1: ascii("S"),
    2: rationals((20, 1), (27, 1), (52, 10)),
    3: ascii("W"),
    4: rationals((99, 1), (52, 1), (489, 10)),
}
# What the made picture shows top left, top right, bottom left, bottom right.
UPRIGHT = (0, 255, 255, 128)
A_QUARTER_TO_THE_RIGHT = (255, 0, 255, 255)
A_QUARTER_TO_THE_LEFT = (255, 128, 0, 255)


def corners(jpeg: bytes) -> tuple[int, ...]:
    """The grey of four points: the middle of the upper left eighth, and so on."""
    image = Image.open(io.BytesIO(jpeg)).convert("L")
    w, h = image.size
    seen = [image.getpixel((w * x // 8, h * y // 8)) for y in (1, 5) for x in (1, 5)]
    return tuple(min((0, 128, 255), key=lambda grey: abs(grey - one)) for one in seen)


def test_a_heic_is_read_with_everything_its_camera_wrote() -> None:
    exif = block(
        ">",
        image={0x010F: ascii("Contoh"), 0x0110: ascii("K1"), 0x0112: (SHORT, (1,))},
        exif={0x9003: ascii("2026:11:23 14:05:09"), 0x9011: ascii("+07:00")},
        gps={**POSITION, 31: rationals((85, 10))},
    )
    data = heic(exif)
    facts = read_photo(data)
    assert (facts.media_type, facts.width, facts.height) == ("image/heic", 64, 64)
    assert facts.size == len(data)
    assert (facts.lat, facts.lon, facts.accuracy_m) == ("-20.451444444", "-99.88025", "8.5")
    assert (facts.make, facts.model, facts.orientation) == ("Contoh", "K1", 1)
    assert facts.camera_time == "2026-11-23T14:05:09"


@pytest.mark.parametrize("padding", [0, 70_000, 3_000_000])
def test_exif_is_found_however_far_into_the_file_it_lies(padding: int) -> None:
    assert read_photo(heic(block(gps=POSITION), padding=padding)).gps_block == "position"


@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
@pytest.mark.parametrize(
    ("turn", "seen"), [(None, UPRIGHT), (1, A_QUARTER_TO_THE_LEFT), (3, A_QUARTER_TO_THE_RIGHT)]
)
def test_the_files_own_turning_is_applied_once_and_exifs_is_only_told(
    turn: int | None, seen: tuple[int, ...], orientation: int | None
) -> None:
    """ISO/IEC 23008-12: irot and imir turn the pixels; EXIF's orientation does not again."""
    image = {} if orientation is None else {0x0112: (SHORT, (orientation,))}
    facts, small = read_photo_with_preview(heic(block(image=image), turn=turn))
    assert corners(small) == seen
    assert facts.orientation == orientation


def test_a_mirrored_heic_is_shown_mirrored() -> None:
    assert corners(read_photo_with_preview(heic(mirror=1))[1]) == (255, 0, 128, 255)


def test_width_and_height_are_those_before_the_turning() -> None:
    facts, small = read_photo_with_preview(heic(grid=(3, 2), turn=3))
    assert (facts.width, facts.height) == (192, 128)
    assert Image.open(io.BytesIO(small)).size == (128, 192)


def test_the_hash_is_that_of_the_upright_picture() -> None:
    upright = Image.open(io.BytesIO(read_photo_with_preview(heic(turn=3))[1]))
    out = io.BytesIO()
    upright.save(out, "PNG")
    as_png = read_photo(out.getvalue()).phash
    assert (int(as_png, 16) ^ int(read_photo(heic(turn=3)).phash, 16)).bit_count() <= 4


def test_heif_of_the_general_brand_is_read_and_named_so() -> None:
    assert read_photo(heic(brand=b"mif1")).media_type == "image/heif"


@pytest.mark.parametrize("brand", [b"avif", b"avis"])
def test_avif_is_refused_by_its_name(brand: bytes) -> None:
    for data in (
        heic(brand=brand),
        heic().replace(b"ftypheic", b"ftypmif1").replace(b"mif1heic", b"mif1" + brand),
    ):
        with pytest.raises(Problem, match="AVIF") as caught:
            read_photo(data)
        assert caught.value.code == "picture-unreadable"


@pytest.mark.parametrize("brand", [b"qt  ", b"mp42", b"isom", b"crx "])
def test_films_and_raw_files_of_the_same_family_are_named(brand: bytes) -> None:
    with pytest.raises(Problem, match=r"film|raw camera"):
        read_photo(heic(brand=brand))


def test_a_heic_cut_anywhere_is_unreadable() -> None:
    whole = heic(block(gps=POSITION), grid=(4, 3))
    for cut in (1, 5, 50, len(whole) // 2, len(whole) - 100):
        with pytest.raises(Problem) as caught:
            read_photo(whole[: len(whole) - cut])
        assert caught.value.code == "picture-unreadable", cut
    with pytest.raises(Problem, match="cut off before its end"):
        read_photo(whole[:-1])


def test_a_heic_cut_behind_a_box_without_a_length_is_noticed_by_its_pieces() -> None:
    whole = heic(block(gps=POSITION))
    at = whole.index(b"mdat") - 4
    endless = whole[:at] + bytes(4) + whole[at + 4 :]
    assert read_photo(endless).gps_block == "position"
    with pytest.raises(Problem, match="cut off before its end"):
        read_photo(endless[:-1])


def test_a_heic_whose_last_box_is_cut_is_unreadable() -> None:
    with pytest.raises(Problem, match="cut off before its end"):
        read_photo(heic() + b"\0\0\1\0free" + bytes(100))
    assert read_photo(heic() + b"\0\0\0\x6cfree" + bytes(100)).width == 64


def test_a_heic_with_a_hole_of_zeros_is_unreadable() -> None:
    whole = heic(tile=512)
    hole = whole[:-200] + bytes(100) + whole[-100:]
    with pytest.raises(Problem, match="never written"):
        read_photo(hole)


def test_a_heic_that_claims_more_than_its_tiles_hold_is_unreadable() -> None:
    with pytest.raises(Problem) as caught:
        read_photo(heic(grid=(2, 2), claimed=(9000, 9000)))
    assert caught.value.code == "picture-unreadable"
    with pytest.raises(Problem, match="120 million pixels"):
        read_photo(heic(grid=(2, 2), claimed=(30_000, 30_000)))


@pytest.mark.skipif(not IPHONE.exists(), reason="the shared test photos are not here")
def test_a_telephones_heic_is_unreadable_when_cut_or_full_of_holes() -> None:
    whole = IPHONE.read_bytes()
    for cut in (1, 1000, len(whole) // 2, len(whole) - 2000):
        with pytest.raises(Problem) as caught:
            read_photo(whole[: len(whole) - cut])
        assert caught.value.code == "picture-unreadable", cut
    for hole in (20_000, len(whole) // 2, len(whole) - 40_000):
        with pytest.raises(Problem, match="never written"):
            read_photo(whole[:hole] + bytes(4096) + whole[hole + 4096 :])


def test_an_exif_block_that_is_none_leaves_a_good_picture() -> None:
    for exif in (b"", b"rubbish", b"II*\0\xff\xff\xff\xff", block(image={0x8825: (LONG, (1,))})):
        facts = read_photo(heic(exif))
        assert (facts.width, facts.gps_block) == (64, "none")
