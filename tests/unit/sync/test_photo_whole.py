"""Files that a decoder reads to their end although they are not whole."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from sync.photo import read_photo
from sync.photo_whole import webp_size
from sync.problems import Problem


def noise(kind: str, **options: Any) -> bytes:
    """A picture whose pixels are noise, so that no piece of its file is empty."""
    out = io.BytesIO()
    Image.effect_noise((300, 220), 80).convert("RGB").save(out, kind, **options)
    return out.getvalue()


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {"compression": "tiff_lzw"}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_file_whose_end_was_never_written_is_unreadable(
    kind: str, options: dict[str, Any]
) -> None:
    """A copy that was broken off leaves its length and zeros."""
    whole = noise(kind, **options)
    read_photo(whole)
    for zeros in (1100, len(whole) // 2):
        with pytest.raises(Problem) as caught:
            read_photo(whole[:-zeros] + bytes(zeros))
        assert caught.value.code == "picture-unreadable", zeros


@pytest.mark.parametrize(("kind", "options"), [*KINDS, ("TIFF", {})])
def test_a_file_that_is_cut_is_unreadable(kind: str, options: dict[str, Any]) -> None:
    whole = noise(kind, **options)
    for cut in (1, 2, 60, len(whole) // 2, len(whole) - 40):
        with pytest.raises(Problem) as caught:
            read_photo(whole[:-cut])
        assert caught.value.code == "picture-unreadable", cut


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_bytes_behind_the_end_are_no_damage(kind: str, options: dict[str, Any]) -> None:
    """Cameras append films, other pictures and notes of their own."""
    whole = noise(kind, **options)
    for more in (b"\0" * 5000, b"SEFT" * 50, whole):
        assert read_photo(whole + more).width == 300


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0"}])
def test_the_size_of_a_webp_is_known_before_its_decoder_is_asked(options: dict[str, Any]) -> None:
    assert webp_size(noise("WEBP", **options)) == (300, 220)
    assert webp_size(b"RIFF\0\0\0\0WEBPnone") == (0, 0)


def test_a_png_whose_pixels_were_changed_is_unreadable() -> None:
    """Pixels stored without being packed decode whatever they are; the check sum does not fit."""
    whole = bytearray(noise("PNG", compress_level=0))
    whole[len(whole) // 2] ^= 0xFF
    with pytest.raises(Problem) as caught:
        read_photo(bytes(whole))
    assert caught.value.code == "picture-unreadable"


def test_a_png_with_pixels_behind_other_chunks_is_whole() -> None:
    whole = noise("PNG")
    text = b"tEXtComment\0of mine"
    chunk = struct.pack(">L", len(text) - 4) + text + struct.pack(">L", zlib.crc32(text))
    assert read_photo(whole[:33] + chunk + whole[33:]).width == 300


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<!DOCTYPE html><p>Log in to the network", "page of text"),
        (b"8BPS\0\1" + bytes(60), "Photoshop"),
        (b"GIF89a" + bytes(60), "GIF"),
        (b"\0\0\1\0\1\0" + bytes(60), "icon"),
        (b"%PDF-1.7" + bytes(60), "PDF"),
        (b"PK\3\4" + bytes(60), "ZIP"),
        (b"RIFF\x40\0\0\0AVI LIST" + bytes(60), "film"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "JPEG XL"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "begins as a PNG"),
        (bytes(5000), "not those of a JPEG"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(data: bytes, why: str) -> None:
    with pytest.raises(Problem, match=why) as caught:
        read_photo(data)
    assert caught.value.code == "picture-unreadable"


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_a_raw_camera_file_is_not_taken_for_its_small_picture(tags: dict[int, Any]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (160, 120), "olive").save(out, "TIFF", tiffinfo=tags)
    with pytest.raises(Problem, match="raw camera file"):
        read_photo(out.getvalue())
    plain = io.BytesIO()
    Image.new("RGB", (160, 120), "olive").save(plain, "TIFF", tiffinfo={254: 0})
    assert read_photo(plain.getvalue()).width == 160
