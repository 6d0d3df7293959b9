"""Positions that stand in XMP only, and blocks that lie where other programs put them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from exif_blocks import ascii, block, rationals
from heic import heic
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sync.photo import read_photo

HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
MARK = b"Exif\0\0"
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"
POSITION = {
    1: ascii("N"),
    2: rationals((20, 1), (30, 1), (0, 1)),
    3: ascii("E"),
    4: rationals((99, 1), (30, 1), (0, 1)),
}


def packet(**properties: str) -> bytes:
    return (HEAD + " ".join(f'exif:{k}="{v}"' for k, v in properties.items()) + ">" + TAIL).encode()


def elements(**properties: str) -> bytes:
    return (
        HEAD + ">" + "".join(f"<exif:{k}>{v}</exif:{k}>" for k, v in properties.items()) + TAIL
    ).encode()


def saved(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "olive").save(out, kind, **options)
    return out.getvalue()


HERE = packet(
    GPSLatitude="39,3.08S",
    GPSLongitude="94,17,19.58W",
    GPSAltitude="2605/10",
    GPSAltitudeRef="1",
    GPSTimeStamp="2026-11-23T14:05:09+07:00",
)


@pytest.mark.parametrize(
    "data",
    [
        saved("JPEG", xmp=HERE),
        saved("WEBP", xmp=HERE),
        saved("TIFF", tiffinfo={700: HERE}),
        heic(xmp=HERE),
    ],
    ids=["jpeg", "webp", "tiff", "heic"],
)
def test_a_position_that_stands_in_xmp_only_is_read_from_every_kind(data: bytes) -> None:
    facts = read_photo(data)
    assert (facts.gps_block, facts.lat, facts.lon) == ("position", "-39.051333333", "-94.288772222")
    assert (facts.altitude_m, facts.gps_time) == ("-260.5", "2026-11-23T07:05:09Z")


def test_a_png_carries_its_packet_as_text() -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", HERE.decode())
    assert read_photo(saved("PNG", pnginfo=info)).lat == "-39.051333333"


def test_a_packet_may_be_written_as_elements() -> None:
    data = saved("JPEG", xmp=elements(GPSLatitude="39,3.08N", GPSLongitude="94,17.3E"))
    assert read_photo(data).lat == "39.051333333"


def test_what_exif_says_stands_before_what_xmp_says() -> None:
    data = saved("JPEG", xmp=HERE, exif=MARK + block(gps=POSITION))
    assert read_photo(data).lat == "20.5"


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("39,3.08", "94,17.3E"),
        ("39.0513", "94.2887"),
        ("91,0.0N", "94,17.3E"),
        ("39,61.0N", "94,17.3E"),
        ("39,3.08E", "94,17.3E"),
        ("", ""),
        ("39,3.08N", ""),
    ],
)
def test_a_coordinate_that_xmp_does_not_allow_is_none(lat: str, lon: str) -> None:
    facts = read_photo(saved("JPEG", xmp=packet(GPSLatitude=lat, GPSLongitude=lon)))
    assert (facts.gps_block, facts.lat) == ("none", None)


def test_a_packet_that_is_no_xml_does_no_harm() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY a "&a;&a;">]>exif:GPSLatitude="' + b"9" * 50_000
    assert read_photo(saved("JPEG", xmp=bomb)).gps_block == "none"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_exif_block_is_found_in_every_kind(kind: str, order: str) -> None:
    facts = read_photo(saved(kind, exif=MARK + block(order, gps=POSITION)))
    assert (facts.gps_block, facts.lat) == ("position", "20.5")


def test_the_gps_block_of_a_tiff_is_found() -> None:
    exif = Image.Exif()
    exif.load(MARK + block(gps=POSITION))
    facts = read_photo(saved("TIFF", exif=exif))
    assert (facts.media_type, facts.lat) == ("image/tiff", "20.5")


def test_a_png_of_an_older_program_has_its_exif_as_digits() -> None:
    exif = MARK + block(gps=POSITION)
    digits = exif.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    info = PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(exif):8}\n{lines}\n", zip=True)
    assert read_photo(saved("PNG", pnginfo=info)).lat == "20.5"


def test_a_picture_of_several_is_read_by_its_first() -> None:
    out = io.BytesIO()
    first, second = Image.new("RGB", (40, 30), "olive"), Image.new("RGB", (20, 10), "red")
    first.save(out, "MPO", save_all=True, append_images=[second], exif=MARK + block(gps=POSITION))
    facts = read_photo(out.getvalue())
    assert (facts.media_type, facts.width, facts.lat) == ("image/jpeg", 40, "20.5")


def test_a_damaged_exif_block_leaves_a_good_picture_with_what_could_be_read() -> None:
    exif = MARK + block(image={0x010F: ascii("Contoh")}, gps=POSITION)
    whole = bytearray(saved("JPEG", exif=exif))
    at = whole.index(b"\x02\x00\x05\x00\x03\x00\x00\x00")  # the latitude: 3 rationals
    whole[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    facts = read_photo(bytes(whole))
    assert (facts.make, facts.gps_block, facts.width) == ("Contoh", "without-position", 40)
