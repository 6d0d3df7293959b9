"""Picture bytes -> facts and previews. Bytes that mean harm end as a catalogue error.

Call it through a child process with memory and time limits (`fieldkit.imaging`,
`server.imaging`): what Pillow's decoders do with hostile bytes is bounded there, not here.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from sync import photo_heif
from sync.photo_exif import ExifFacts, read_exif
from sync.photo_facts import PhotoFacts
from sync.photo_whole import CUT, NotWhole, check_whole, webp_size
from sync.photo_xmp import with_xmp_position
from sync.problems import Problem, problem

MOST_PIXELS = 120_000_000
MOST_WEBP_PIXELS = 30_000_000  # its decoder takes sixteen bytes for each
PREVIEW_LONGEST = 480

# Facts are read from pixels reduced to about this side, so that a large picture costs little; the
# hash must not depend on whether a preview is wanted too, so both are made of the same pixels.
_WORKING = PREVIEW_LONGEST
_XMP_TAG, _SUBFILE_TAG, _DNG_VERSION_TAG = 700, 254, 50706
# Pillow's names of the kinds that are read, and their media types. MPO is a JPEG with more
# pictures behind the first, as many cameras write it; its first picture is the photograph.
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
}
_OPENERS = ("JPEG", "PNG", "WEBP", "TIFF")
_READ = "JPEG, PNG, WebP, TIFF and HEIC pictures are read"
# How files begin that may be read: where, with what, and what they are.
_READ_KINDS = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (8, b"WEBP", "WebP"),
)
# How files of other kinds begin: where, with what, and what they are.
_OTHER_KINDS = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\x00\x00\x01\x00", "an icon file"),
    (0, b"BM", "a bitmap file"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"FUJIFILMCCD-RAW", "a raw camera file"),
    (0, b"IIU\x00", "a raw camera file"),
    (0, b"IIR", "a raw camera file"),
    (4, b"ftypcrx", "a raw camera file"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyp", "a film"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"<", "a page of text"),
    (0, b"RIFF", "a film or a sound"),
)
_REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")
# EXIF orientation -> what makes the pixels upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_photo(data: bytes) -> PhotoFacts:
    """The facts of a JPEG, PNG, WebP, TIFF or HEIC picture, judged by content, fully decoded.

    Raises picture-unreadable (damaged, cut, or another kind) or picture-too-costly.
    """
    return _read(data, None)[0]


def preview(data: bytes, longest: int = PREVIEW_LONGEST) -> bytes:
    """A JPEG of the picture, upright, its longer side at most `longest` pixels, no metadata.

    Of more than PREVIEW_LONGEST no more comes. Raises picture-unreadable or picture-too-costly.
    """
    return _read(data, longest)[1]


def read_photo_with_preview(
    data: bytes, longest: int = PREVIEW_LONGEST
) -> tuple[PhotoFacts, bytes]:
    """`read_photo` and `preview` at the price of decoding once."""
    return _read(data, longest)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture decoded: `pixels` upright and reduced, `width` and `height` as stored."""

    media_type: str
    width: int
    height: int
    pixels: Image.Image
    exif: ExifFacts


def _read(data: bytes, longest: int | None) -> tuple[PhotoFacts, bytes]:
    with _hostile(data):
        opened = _open_heif(data) if photo_heif.is_heif(data) else _open(data)
        facts = PhotoFacts(
            media_type=opened.media_type,
            width=opened.width,
            height=opened.height,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            phash=_difference_hash(opened.pixels),
            **asdict(opened.exif),
        )
        return facts, b"" if longest is None else _small(opened.pixels, longest)


def _open(data: bytes) -> _Opened:
    if data[8:12] == b"WEBP":
        _limit(*webp_size(data), MOST_WEBP_PIXELS)
    with Image.open(io.BytesIO(data), formats=_OPENERS) as image:
        width, height = image.size
        _limit(width, height)
        if image.format == "TIFF" and _is_raw(data, image):
            raise problem("picture-unreadable", why=f"it is a raw camera file; {_READ}")
        media_type = _MEDIA_TYPES[image.format or ""]
        pixels = _plain(_decode(image))
        check_whole(data, image.format or "")
        exif = _exif(data, image)
        return _Opened(media_type, width, height, _turn(pixels, exif.orientation), exif)


def _open_heif(data: bytes) -> _Opened:
    stored = photo_heif.read_boxes(data)
    picture = photo_heif.open_picture(data)
    _limit(*picture.size)
    width, height = stored.width or picture.size[0], stored.height or picture.size[1]
    exif = read_exif(picture.info.get("exif") or b"")
    exif = with_xmp_position(exif, picture.info.get("xmp") or b"")
    pixels = _plain(photo_heif.decode(picture, _WORKING))
    return _Opened(photo_heif.media_type(data), width, height, pixels, exif)


def _is_raw(data: bytes, image: Image.Image) -> bool:
    """Raw camera files are TIFF files whose first picture is only a small one of the photograph."""
    tags: Any = getattr(image, "tag_v2", {})
    reduced = tags.get(_SUBFILE_TAG, 0)
    return (
        _DNG_VERSION_TAG in tags
        or data[8:10] == b"CR"
        or (isinstance(reduced, int) and bool(reduced & 1))
    )


def _limit(width: int, height: int, most: int = MOST_PIXELS) -> None:
    if width * height > most:
        raise problem("picture-too-costly", limit=_pixels(most))


@contextmanager
def _hostile(data: bytes) -> Iterator[None]:
    """Turns whatever a decoder raises at these bytes into a catalogue error."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about damage that it reads past; the facts say what was found.
            warnings.simplefilter("ignore")
            yield
    except Problem:
        raise
    except Image.DecompressionBombError as exc:
        raise problem("picture-too-costly", limit=_pixels(MOST_PIXELS)) from exc
    except MemoryError as exc:
        raise problem("picture-too-costly", limit="the memory set aside for it") from exc
    except NotWhole as exc:
        raise problem("picture-unreadable", why=exc.why) from exc
    except UnidentifiedImageError as exc:
        raise problem("picture-unreadable", why=_unknown_kind(data)) from exc
    except Exception as exc:
        # Decoders meet hostile bytes with every class there is, struct.error, SyntaxError and
        # RecursionError among them; no list of them is complete, and none may pass this line.
        raise problem("picture-unreadable", why=_damage(exc, data)) from exc


def _decode(image: Image.Image) -> Image.Image:
    """The pixels, all of the file decoded, reduced to not less than `_WORKING`."""
    reduced = max(image.size) // _WORKING
    if reduced > 1:
        # Only JPEG knows this; its whole stream is still read, so a cut file is still noticed.
        image.draft(None, (max(1, image.width // reduced), max(1, image.height // reduced)))
    image.load()
    reduced = max(image.size) // _WORKING
    return image.reduce(reduced) if reduced > 1 and image.mode in _REDUCIBLE else image


def _plain(image: Image.Image) -> Image.Image:
    """The pixels as RGB, what is transparent on white."""
    image = photo_heif.eight_bits(image)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB")
    return image.convert("RGB")


def _exif(data: bytes, image: Image.Image) -> ExifFacts:
    """What the camera wrote; Pillow finds the blocks wherever they lie."""
    if image.format == "TIFF":
        block, packet = data, getattr(image, "tag_v2", {}).get(_XMP_TAG, b"")
    else:
        packet = image.info.get("xmp", b"")
        block = image.info.get("exif", b"") or _raw_profile(image)
    exif = read_exif(block) if isinstance(block, bytes) else ExifFacts()
    return with_xmp_position(exif, packet) if isinstance(packet, bytes) else exif


def _raw_profile(image: Image.Image) -> bytes:
    """The EXIF block as older programs keep it in a PNG: digits in a text (ImageMagick)."""
    text = image.info.get("Raw profile type exif") or image.info.get("Raw profile type APP1")
    if not isinstance(text, str):
        return b""
    # A line end, the name, the length, and then the digits.
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""


def _turn(image: Image.Image, orientation: int | None) -> Image.Image:
    how = _UPRIGHT.get(orientation or 1)
    return image if how is None else image.transpose(how)


def _difference_hash(image: Image.Image) -> str:
    """64-bit dHash: whether each of 8x8 cells is darker than its right neighbour, rows first.

    Source: Neal Krawetz, "Kind of Like That", hackerfactor.com, 2013.
    """
    grey = image.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (grey[at] < grey[at + 1])
    return f"{bits:016x}"


def _small(image: Image.Image, longest: int) -> bytes:
    small = image.copy()
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    small.info.clear()  # else the original's comment travels along
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue()


def _unknown_kind(data: bytes) -> str:
    if not data:
        return "it holds no bytes"
    if photo_heif.brands(data) & photo_heif.AVIF_BRANDS:
        return f"it is an AVIF picture; {_READ}"
    for at, mark, kind in _READ_KINDS:
        if data[at:].startswith(mark):
            return f"it begins as a {kind} picture, but its bytes are damaged"
    for at, mark, kind in _OTHER_KINDS:
        if data[at:].startswith(mark):
            return f"it is {kind}; {_READ}"
    return "its bytes are not those of a JPEG, PNG, WebP, TIFF or HEIC picture"


def _damage(exc: Exception, data: bytes) -> str:
    if isinstance(exc, OSError) and "truncated" in str(exc):
        return CUT
    kind = "HEIC, " if photo_heif.is_heif(data) else ""
    return f"its bytes are damaged ({kind}{type(exc).__name__})"


def _pixels(count: int) -> str:
    return f"{count // 1_000_000} million pixels"
