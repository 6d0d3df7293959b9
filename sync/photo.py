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
from dataclasses import asdict

from PIL import Image, UnidentifiedImageError

from sync.photo_exif import ExifFacts, read_exif
from sync.photo_facts import PhotoFacts
from sync.problems import Problem, problem

MOST_PIXELS = 120_000_000
PREVIEW_LONGEST = 480

# Facts are read from pixels reduced to about this side, so that a large picture costs little.
_WORKING = 1024
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
_OTHER_KINDS = {
    b"ftyphei": "HEIC",
    b"ftyphev": "HEIC",
    b"ftypmif": "HEIF",
    b"ftypavi": "AVIF",
    b"ftypqt": "film",
    b"ftypmp4": "film",
    b"ftypiso": "film",
}
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
    """The facts of a JPEG, PNG, WebP or TIFF picture, judged by its content, fully decoded.

    Raises picture-unreadable (damaged, cut, or another kind) or picture-too-costly.
    """
    return _read(data, None)[0]


def preview(data: bytes, longest: int = PREVIEW_LONGEST) -> bytes:
    """A JPEG of the picture, upright, its longer side at most `longest` pixels, no metadata.

    Raises picture-unreadable or picture-too-costly.
    """
    return _read(data, longest)[1]


def read_photo_with_preview(
    data: bytes, longest: int = PREVIEW_LONGEST
) -> tuple[PhotoFacts, bytes]:
    """`read_photo` and `preview` at the price of decoding once."""
    return _read(data, longest)


def _read(data: bytes, longest: int | None) -> tuple[PhotoFacts, bytes]:
    with _hostile(data), Image.open(io.BytesIO(data), formats=_OPENERS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise problem("picture-too-costly", limit=_pixels(MOST_PIXELS))
        media_type = _MEDIA_TYPES[image.format or ""]
        pixels = _decode(image, max(_WORKING, longest or 0))
        exif = _exif(data, image)
        upright = _turn(pixels, exif.orientation)
        facts = PhotoFacts(
            media_type=media_type,
            width=width,
            height=height,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            phash=_difference_hash(upright),
            **asdict(exif),
        )
        return facts, b"" if longest is None else _small(upright, longest)


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
    except UnidentifiedImageError as exc:
        raise problem("picture-unreadable", why=_unknown_kind(data)) from exc
    except Exception as exc:
        # Decoders meet hostile bytes with every class there is, struct.error, SyntaxError and
        # RecursionError among them; no list of them is complete, and none may pass this line.
        raise problem("picture-unreadable", why=_damage(exc)) from exc


def _decode(image: Image.Image, longest: int) -> Image.Image:
    """The pixels as RGB, all of the file decoded, JPEG reduced to not less than `longest`."""
    reduced = max(image.size) // longest
    if reduced > 1:
        # Only JPEG knows this; its whole stream is still read, so a cut file is still noticed.
        image.draft(None, (max(1, image.width // reduced), max(1, image.height // reduced)))
    image.load()
    if image.mode.startswith("I;16"):
        # 16 bits a pixel: the upper eight; converting would clip nearly all to white.
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB")
    return image.convert("RGB")


def _exif(data: bytes, image: Image.Image) -> ExifFacts:
    if image.format == "TIFF":
        return read_exif(data)
    # Pillow finds the block wherever it lies; ExifRead looks into a JPEG's first kilobytes only.
    block = image.info.get("exif", b"")
    return read_exif(block) if isinstance(block, bytes) else ExifFacts()


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
    for mark, kind in _OTHER_KINDS.items():
        if data[4:12].startswith(mark):
            return f"it is a {kind} file; JPEG, PNG, WebP and TIFF are read"
    return "its bytes are not those of a JPEG, PNG, WebP or TIFF picture"


def _damage(exc: Exception) -> str:
    if isinstance(exc, OSError) and "truncated" in str(exc):
        return "it is cut off before its end"
    return f"its bytes are damaged ({type(exc).__name__})"


def _pixels(count: int) -> str:
    return f"{count // 1_000_000} million pixels"
