"""Picture bytes -> facts: camera files, damaged files, positions that are none."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from PIL.TiffImagePlugin import IFDRational

from sync.photo import PhotoFacts, preview, read_photo, read_photo_with_preview
from sync.photo_exif import ExifFacts, decimal_text, read_exif
from sync.problems import Problem

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
PHOTOS = SHARED / "photos"
TRUTH_FILE = PHOTOS / "GROUND_TRUTH_exiftool.json"
PAIRS_FILE = SHARED / "phash" / "pairs_dev.json"
TRUTH: dict[str, dict[str, Any]] = json.loads(TRUTH_FILE.read_text()) if TRUTH_FILE.exists() else {}
# Cut or corrupted: exiftool reads what stands before the cut, but they are no pictures.
NOT_WHOLE = ("truncated_jpeg.jpg", "truncated.heic", "corrupted.heic")
CAMERA_FILES = sorted(
    n
    for n, t in TRUTH.items()
    if t.get("file_type") in ("JPEG", "HEIC") and not n.endswith(NOT_WHOLE)
)
SOMEWHERE = {1: "N", 2: (20, 27, Fraction(52, 10)), 3: "E", 4: (99, 52, Fraction(489, 10))}


def drawn(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """A picture with an arrow, so that every turn of it looks different."""
    image = Image.new(mode, size, "white")
    draw = ImageDraw.Draw(image)
    w, h = size
    draw.rectangle((0, 0, w // 2, h // 2), fill="black")
    draw.line((0, h, w, h // 2), fill="red", width=max(1, h // 10))
    return image


def jpeg(exif: Image.Exif | None = None, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    out = io.BytesIO()
    if exif is not None:
        options["exif"] = exif
    drawn(size).save(out, "JPEG", **options)
    return out.getvalue()


def with_gps(gps: dict[int, Any]) -> PhotoFacts:
    """The facts of a JPEG whose GPS block holds `gps`, rationals given as fractions or pairs."""
    exif = Image.Exif()
    exif[0x8825] = {k: rational(v) for k, v in gps.items()}
    return read_photo(jpeg(exif))


def rational(value: Any) -> Any:
    if isinstance(value, list):  # [numerator, denominator], kept as written
        return IFDRational(*value)
    if isinstance(value, tuple):
        return tuple(rational(v) for v in value)
    if isinstance(value, Fraction):
        return IFDRational(value.numerator, value.denominator)
    return IFDRational(value, 1) if isinstance(value, int) and value > 255 else value


# -- camera files ---------------------------------------------------------------------------------


@pytest.mark.skipif(not TRUTH, reason="the shared test photos are not here")
@pytest.mark.parametrize("name", CAMERA_FILES)
def test_a_camera_file_reads_as_exiftool_reads_it(name: str) -> None:
    truth = TRUTH[name]
    facts = read_photo((PHOTOS / name).read_bytes())
    assert facts.sha256 == truth["sha256"]
    assert facts.size == truth["bytes"]
    assert (facts.width, facts.height) == (truth["width"], truth["height"])
    assert (facts.gps_block != "none") == truth["has_gps_ifd"]
    numbers = (
        ("lat", "lat"),
        ("lon", "lon"),
        ("altitude_m", "altitude_m"),
        ("direction_deg", "img_direction"),
        ("accuracy_m", "h_pos_error_m"),
    )
    for ours, theirs in numbers:
        value = getattr(facts, ours)
        if theirs not in truth:
            assert value is None, ours
        else:
            assert abs(float(value) - truth[theirs]) <= 1e-6, ours
    assert facts.direction_ref == {"T": "true", "M": "magnetic"}.get(
        truth.get("img_direction_ref", "")
    )
    assert facts.gps_time == _iso(truth.get("gps_datetime_utc"))
    assert facts.camera_time == _iso(truth.get("datetime_original"))
    assert facts.camera_offset == truth.get("offset_time_original")
    # The offset that one editing program appends to the time of change is no camera's.
    assert facts.modified_time == _iso((truth.get("modify_date") or "")[:19])
    assert (facts.make, facts.model) == (truth.get("make"), truth.get("model"))
    assert facts.orientation == truth.get("orientation")


@pytest.mark.skipif(not TRUTH, reason="the shared test photos are not here")
def test_the_software_that_wrote_a_camera_file_is_named() -> None:
    folder = PHOTOS / "ianare+exif-samples/jpg"
    assert read_photo((folder / "hdr/iphone_hdr_NO.jpg").read_bytes()).software == "8.3"
    assert read_photo((folder / "Kodak_CX7530.jpg").read_bytes()).software == "GIMP 2.4.5"


def _iso(text: str | None) -> str | None:
    if not text:
        return None
    return text[:10].replace(":", "-") + "T" + text[11:]


@pytest.mark.skipif(not TRUTH, reason="the shared test photos are not here")
def test_one_picture_stored_in_eight_orientations_has_one_upright_preview_and_hash() -> None:
    folder = PHOTOS / "ianare+exif-samples/jpg/orientation"
    read = [
        read_photo_with_preview((folder / f"landscape_{n}.jpg").read_bytes()) for n in range(1, 9)
    ]
    assert [facts.orientation for facts, _ in read] == list(range(1, 9))
    assert {Image.open(io.BytesIO(small)).size for _, small in read} == {(480, 360)}
    first = int(read[0][0].phash, 16)
    assert all((int(facts.phash, 16) ^ first).bit_count() <= 3 for facts, _ in read)


@pytest.mark.skipif(not PAIRS_FILE.exists(), reason="the shared picture pairs are not here")
def test_near_duplicates_are_near_and_other_pictures_far_by_the_hash() -> None:
    for pair in json.loads(PAIRS_FILE.read_text()):
        a, b = (read_photo((SHARED / pair[k]).read_bytes()) for k in "ab")
        distance = (int(a.phash, 16) ^ int(b.phash, 16)).bit_count()
        if pair["expected"] == "near_duplicate":
            assert distance <= 4, pair
        elif pair["expected"] == "different":
            assert distance >= 14, pair
        assert (a.sha256 == b.sha256) == pair["sha_equal"]


@pytest.mark.skipif(not PAIRS_FILE.exists(), reason="the shared picture pairs are not here")
def test_a_picture_that_was_edited_a_little_keeps_its_hash_nearly() -> None:
    """Smaller, packed harder, lighter, with a caption, its edge cut off by a hundredth."""
    folder = SHARED / "phash" / "idealo+imagededup" / "tests" / "data" / "base_images"
    for path in sorted(folder.glob("*.jpg")):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        w, h = image.size
        caption = image.copy()
        ImageDraw.Draw(caption).rectangle((0, h * 92 // 100, w, h), fill="black")
        edited = (
            image.resize((w // 3, h // 3)),
            ImageEnhance.Brightness(image).enhance(1.3),
            caption,
            image.crop((w // 100, h // 100, w - w // 100, h - h // 100)),
        )
        first = int(read_photo(path.read_bytes()).phash, 16)
        for one in edited:
            out = io.BytesIO()
            one.save(out, "JPEG", quality=40)
            assert (int(read_photo(out.getvalue()).phash, 16) ^ first).bit_count() <= 8, path.name


def test_a_preview_does_not_change_the_hash() -> None:
    for size in ((64, 48), (700, 500), (1300, 900), (4000, 3000)):
        data = jpeg(size=size)
        assert read_photo(data) == read_photo_with_preview(data)[0]
        assert read_photo(data) == read_photo_with_preview(data, longest=200)[0]


# -- three different things about a position -------------------------------------------------------


def test_no_gps_block_a_block_without_position_and_the_position_zero_are_three_things() -> None:
    none = read_photo(jpeg(Image.Exif()))
    assert (none.gps_block, none.lat) == ("none", None)
    empty = with_gps({0: b"\x02\x03\x00\x00"})
    assert (empty.gps_block, empty.lat, empty.lon) == ("without-position", None, None)
    zero = with_gps({1: "N", 2: (0, 0, 0), 3: "E", 4: (0, 0, 0)})
    assert (zero.gps_block, zero.lat, zero.lon) == ("position", "0", "0")


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("0/0", {2: ([0, 0], [0, 0], [0, 0])}),
        ("a zero denominator", {2: (20, 27, [52, 0])}),
        ("latitude past the pole", {2: (90, 0, Fraction(1, 100))}),
        ("longitude past 180", {4: (181, 0, 0)}),
        ("no letter for the latitude", {1: None}),
        ("no letter for the longitude", {3: None}),
        ("a letter that is none", {1: "Q"}),
        ("no longitude", {4: None}),
        ("four parts", {2: (20, 27, 5, 1)}),
    ],
)
def test_a_malformed_position_is_a_block_without_position(
    what: str, change: dict[int, Any]
) -> None:
    gps = {k: v for k, v in {**SOMEWHERE, **change}.items() if v is not None}
    facts = with_gps(gps)
    assert (facts.gps_block, facts.lat, facts.lon) == ("without-position", None, None), what


@given(
    micro_lat=st.integers(-90_000_000, 90_000_000),
    micro_lon=st.integers(-180_000_000, 180_000_000),
)
@settings(max_examples=60, deadline=None)
def test_any_position_on_earth_comes_back_to_the_millionth_of_a_degree(
    micro_lat: int, micro_lon: int
) -> None:
    def dms(micro: int) -> tuple[Any, ...]:
        degrees, rest = divmod(abs(micro), 10**6)
        minutes, rest = divmod(rest * 60, 10**6)
        return degrees, minutes, Fraction(rest * 60, 10**6)

    facts = with_gps(
        {
            1: "S" if micro_lat < 0 else "N",
            2: dms(micro_lat),
            3: "W" if micro_lon < 0 else "E",
            4: dms(micro_lon),
        }
    )
    assert facts.gps_block == "position"
    assert facts.lat is not None
    assert facts.lon is not None
    assert abs(Fraction(facts.lat) - Fraction(micro_lat, 10**6)) <= Fraction(1, 10**9)
    assert abs(Fraction(facts.lon) - Fraction(micro_lon, 10**6)) <= Fraction(1, 10**9)


def test_height_direction_accuracy_datum_and_time_of_the_gps_block_are_read() -> None:
    facts = with_gps(
        {
            **SOMEWHERE,
            5: b"\x01",
            6: Fraction(1234, 100),
            7: (Fraction(9), Fraction(5), Fraction(725, 100)),
            16: "M",
            17: Fraction(36000, 100),
            18: "TOKYO",
            29: "2026:11:23",
            31: Fraction(85, 10),
        }
    )
    assert (facts.lat, facts.lon) == ("20.451444444", "99.88025")
    assert facts.altitude_m == "-12.34"
    assert (facts.direction_deg, facts.direction_ref) == ("0", "magnetic")
    assert facts.accuracy_m == "8.5"
    assert facts.datum == "TOKYO"
    assert facts.gps_time == "2026-11-23T09:05:07.25Z"


@pytest.mark.parametrize("date", ["1999:99:99", "0000:00:00", "yesterday", ""])
def test_a_date_that_is_none_gives_no_gps_time(date: str) -> None:
    clock = (Fraction(9), Fraction(5), Fraction(7))
    assert with_gps({**SOMEWHERE, 7: clock, 29: date}).gps_time is None
    assert with_gps({**SOMEWHERE, 7: clock, 29: "2026:11:23"}).gps_time == "2026-11-23T09:05:07Z"


# -- the camera's own words ------------------------------------------------------------------------


def test_the_cameras_clock_stays_naive_and_its_offset_stands_beside_it() -> None:
    exif = Image.Exif()
    exif[0x0132] = "2026:11:24 08:00:00"
    exif[0x8769] = {0x9003: "2026:11:23 14:05:09", 0x9011: "+07:00"}
    facts = read_photo(jpeg(exif))
    assert (facts.camera_time, facts.camera_offset) == ("2026-11-23T14:05:09", "+07:00")
    assert facts.modified_time == "2026-11-24T08:00:00"
    exif[0x8769] = {0x9003: "0000:00:00 00:00:00", 0x9011: "+99:00"}
    unset = read_photo(jpeg(exif))
    assert (unset.camera_time, unset.camera_offset) == (None, None)


def test_text_from_a_camera_has_no_control_characters_and_a_bounded_length() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Contoh\x1b[31m \x07Sdn\u202e Bhd".encode()
    exif[0x0110] = "K" * 5000
    exif[0x0131] = "  \t "
    facts = read_photo(jpeg(exif))
    assert facts.make == "Contoh [31m Sdn Bhd"
    assert facts.model == "K" * 64
    assert facts.software is None


def test_an_orientation_that_does_not_exist_is_absent() -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    assert read_photo(jpeg(exif)).orientation is None


def test_exif_that_lies_behind_other_metadata_is_found() -> None:
    """A long XMP packet often comes first."""
    exif = Image.Exif()
    exif[0x010F] = "Contoh"
    plain = jpeg(exif)
    note = b"http://ns.adobe.com/xap/1.0/\x00" + b" " * 30_000
    packet = b"\xff\xe1" + (len(note) + 2).to_bytes(2, "big") + note
    assert read_photo(plain[:2] + packet + plain[2:]).make == "Contoh"


def test_an_exif_block_of_noise_reads_as_none_and_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert read_exif(b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\x00" * 40) == ExifFacts()
    assert capfd.readouterr().err == ""


@given(st.fractions(-180, 180, max_denominator=10**7), st.integers(0, 9))
def test_a_decimal_string_is_the_nearest_one_of_its_length(value: Fraction, places: int) -> None:
    text = decimal_text(value, places)
    assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**places)
    assert text not in ("-0", "")
    assert not ("." in text and text.endswith("0"))


# -- pixels ---------------------------------------------------------------------------------------


def test_a_preview_is_an_upright_jpeg_without_metadata_and_never_larger() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {k: rational(v) for k, v in SOMEWHERE.items()}
    small = Image.open(io.BytesIO(preview(jpeg(exif, (600, 200), comment=b"of mine"), longest=300)))
    assert (small.format, small.size) == ("JPEG", (100, 300))
    assert not small.getexif()
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(small.info)
    # Stored with its black corner top left; turned by 90 degrees it is at the top right.
    assert small.convert("L").getpixel((90, 10)) < 60 < 200 < small.convert("L").getpixel((10, 10))
    tiny = Image.open(io.BytesIO(preview(jpeg())))
    assert tiny.size == (64, 48)


def test_a_large_picture_is_read_reduced_with_the_same_hash() -> None:
    large, small = read_photo(jpeg(size=(4000, 3000))), read_photo(jpeg(size=(400, 300)))
    assert (large.width, large.height) == (4000, 3000)
    assert (int(large.phash, 16) ^ int(small.phash, 16)).bit_count() <= 2
    assert read_photo(jpeg(size=(5000, 3))).width == 5000


@pytest.mark.parametrize(
    ("kind", "mode", "media_type"),
    [
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "L", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("WEBP", "RGB", "image/webp"),
        ("TIFF", "RGB", "image/tiff"),
        ("JPEG", "CMYK", "image/jpeg"),
    ],
)
def test_the_kind_is_judged_by_content_and_every_usual_kind_of_pixels_is_read(
    kind: str, mode: str, media_type: str
) -> None:
    out = io.BytesIO()
    image = drawn()
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda v: v * 257).convert("I;16")
    image.convert(mode).save(out, kind)
    facts, small = read_photo_with_preview(out.getvalue())
    assert facts.media_type == media_type
    assert (int(facts.phash, 16) ^ int(read_photo(jpeg()).phash, 16)).bit_count() <= 6
    assert Image.open(io.BytesIO(small)).mode == "RGB"


def test_exif_of_png_webp_and_tiff_is_read() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Contoh"
    for kind in ("PNG", "WEBP", "TIFF"):
        out = io.BytesIO()
        drawn().save(out, kind, exif=exif)
        assert read_photo(out.getvalue()).make == "Contoh", kind


# -- hostile bytes ---------------------------------------------------------------------------------


def test_a_jpeg_cut_anywhere_is_unreadable() -> None:
    whole = jpeg(size=(400, 300), quality=95)
    for cut in (len(whole) - 2, len(whole) - 200, len(whole) // 2, 700):
        with pytest.raises(Problem) as caught:
            read_photo(whole[:cut])
        assert caught.value.code == "picture-unreadable", cut
    with pytest.raises(Problem, match="cut off before its end"):
        read_photo(whole[: len(whole) // 2])


def test_a_large_jpeg_that_is_read_reduced_is_unreadable_when_cut() -> None:
    whole = jpeg(size=(4000, 3000), quality=90)
    with pytest.raises(Problem, match="cut off before its end"):
        read_photo(whole[: len(whole) * 9 // 10])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "holds no bytes"),
        (b"not a picture", "not those of a JPEG"),
        (b"\x00\x00\x00\x1cftypheic" + b"\x00" * 50, "HEIC"),
        (b"GIF89a \x00 \x00" + b"\x00" * 30, "GIF"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 300, "bytes"),
    ],
)
def test_bytes_that_are_no_picture_are_said_to_be_none(data: bytes, why: str) -> None:
    with pytest.raises(Problem, match=why) as caught:
        preview(data)
    assert caught.value.code == "picture-unreadable"


@pytest.mark.parametrize("side", [(12_000, 10_001), (65_000, 65_000)])
def test_a_picture_of_too_many_pixels_is_refused_from_its_header(side: tuple[int, int]) -> None:
    """120 million pixels are the limit; the header of a small file may claim any number."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = side[1].to_bytes(2, "big") + side[0].to_bytes(2, "big")
    with pytest.raises(Problem, match="120 million pixels") as caught:
        read_photo(bytes(data))
    assert caught.value.code == "picture-too-costly"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_end_with_facts_or_a_problem(data: st.DataObject) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Contoh"
    exif[0x8825] = {k: rational(v) for k, v in SOMEWHERE.items()}
    whole = bytearray(jpeg(exif))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        facts = read_photo(bytes(whole))
    except Problem as problem:
        assert problem.code in ("picture-unreadable", "picture-too-costly")
    else:
        assert facts.gps_block in ("none", "without-position", "position")
        assert (facts.lat is None) == (facts.gps_block != "position")
        if facts.lat is not None:
            assert abs(float(facts.lat)) <= 90


# -- the facts as JSON ----------------------------------------------------------------------------


def test_facts_survive_json_and_an_object_of_another_shape_is_refused() -> None:
    facts = with_gps(SOMEWHERE)
    written = json.loads(json.dumps(facts.to_json()))
    assert PhotoFacts.from_json(written) == facts
    for wrong in ({**written, "lat": 20.45}, {**written, "width": True}, {"lat": "1"}):
        with pytest.raises(ValueError, match=r"lat|width|fields"):
            PhotoFacts.from_json(wrong)
