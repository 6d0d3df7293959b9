"""Pictures of the example region, drawn by code: fictional places with a camera's EXIF.

Every picture carries the words "EXAMPLE - fictional site". The same scene, seed and library
versions give the same bytes.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

from PIL import Image, ImageDraw, ImageFont
from PIL.TiffImagePlugin import IFDRational

from server.demo import buildings, hall, scenes
from server.demo.brush import HEIGHT, WIDTH, Brush

CAPTION = "EXAMPLE - fictional site"

SCENES: dict[str, Callable[[Brush], None]] = {
    "hillside-ponds": scenes.hillside_ponds,
    "lined-pond": scenes.lined_pond,
    "injection-slope": scenes.injection_slope,
    "kiln": buildings.kiln,
    "chemical-store": buildings.chemical_store,
    "outfall": scenes.outfall,
    "solvent-extraction": hall.solvent_extraction,
    "permit-board": scenes.permit_board,
    "dormitory": buildings.dormitory,
    "drain": scenes.drain,
}
# Scenes with words in them are never shown in a mirror.
_WITH_WORDS = frozenset({"permit-board", "chemical-store", "dormitory"})
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def picture(
    scene: str,
    seed: int,
    *,
    lat: float | None,
    lon: float | None,
    accuracy_m: float | None,
    direction_deg: float | None,
    taken: datetime,
    offset: str = "+07:00",
    make: str = "Contoh",
    model: str = "Kamera 1",
) -> bytes:
    """A JPEG of 1280 x 853 pixels of one of `SCENES`, as a camera would have written it.

    `lat` and `lon` are degrees WGS 84; without both the EXIF has no GPS block. `accuracy_m` is a
    radius in metres, `direction_deg` clockwise from true north. `taken` is the camera's local
    time, or an aware time that is turned into it; `offset` is that clock's, as +07:00. Raises
    ValueError for an unknown scene or offset.
    """
    if scene not in SCENES:
        raise ValueError(f"no scene {scene!r}; there are {', '.join(SCENES)}")
    exif = camera_exif(lat, lon, accuracy_m, direction_deg, taken, offset, make, model)
    out = io.BytesIO()
    draw(scene, seed).save(out, "JPEG", quality=80, exif=exif, subsampling="4:2:0", optimize=True)
    return out.getvalue()


def draw(scene: str, seed: int) -> Image.Image:
    """The pixels of a scene, without a camera."""
    rng = random.Random(f"{scene}/{seed}")  # noqa: S311 - a drawing's chance, not a secret
    brush = Brush(rng)
    SCENES[scene](brush)
    zoom, shift = rng.uniform(1.0, 1.16), (rng.random(), rng.random())
    image = brush.finish(
        mirror=scene not in _WITH_WORDS and rng.random() < 0.5, zoom=zoom, shift=shift
    )
    _caption(image)
    return image


def _caption(image: Image.Image) -> None:
    font = ImageFont.load_default(15)
    pen = ImageDraw.Draw(image, "RGBA")
    left, top, right, bottom = pen.textbbox((WIDTH - 14, HEIGHT - 12), CAPTION, font, anchor="rs")
    pen.rectangle((left - 8, top - 5, right + 8, bottom + 5), fill=(20, 18, 18, 140))
    pen.text((WIDTH - 14, HEIGHT - 12), CAPTION, (255, 255, 255, 235), font, anchor="rs")


# -- EXIF (CIPA DC-008) ---------------------------------------------------------------------------


def camera_exif(
    lat: float | None,
    lon: float | None,
    accuracy_m: float | None,
    direction_deg: float | None,
    taken: datetime,
    offset: str,
    make: str,
    model: str,
) -> Image.Exif:
    """The EXIF of a `picture`, from the same arguments."""
    local = _local(taken, offset).strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[0x010E] = CAPTION
    exif[0x010F] = make
    exif[0x0110] = model
    exif[0x0112] = 1
    exif[0x0131] = "Tapak example"
    exif[0x0132] = local
    exif[0x8769] = {
        0x9003: local,
        0x9004: local,
        0x9010: offset,
        0x9011: offset,
        0x9012: offset,
    }
    if lat is not None and lon is not None:
        exif[0x8825] = _gps(lat, lon, accuracy_m, direction_deg, _utc(taken, offset))
    return exif


def _gps(
    lat: float, lon: float, accuracy_m: float | None, direction_deg: float | None, utc: datetime
) -> dict[int, object]:
    gps: dict[int, object] = {
        0: b"\x02\x03\x00\x00",
        1: "S" if lat < 0 else "N",
        2: _degrees(lat),
        3: "W" if lon < 0 else "E",
        4: _degrees(lon),
        7: tuple(IFDRational(n, 1) for n in (utc.hour, utc.minute, utc.second)),
        18: "WGS-84",
        29: utc.strftime("%Y:%m:%d"),
    }
    if direction_deg is not None:
        gps[16], gps[17] = "T", _hundredths(direction_deg % 360)
    if accuracy_m is not None:
        gps[31] = _hundredths(accuracy_m)
    return gps


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds; seconds to a hundred-thousandth, 0.3 mm on the ground."""
    units = round(abs(Fraction(str(value))) * 3600 * 100_000)
    minutes, seconds = divmod(units, 60 * 100_000)
    degrees, minutes = divmod(minutes, 60)
    return IFDRational(degrees, 1), IFDRational(minutes, 1), IFDRational(seconds, 100_000)


def _hundredths(value: float) -> IFDRational:
    return IFDRational(round(value * 100), 100)


def _local(taken: datetime, offset: str) -> datetime:
    return taken if taken.tzinfo is None else taken.astimezone(_zone(offset))


def _utc(taken: datetime, offset: str) -> datetime:
    aware = taken if taken.tzinfo is not None else taken.replace(tzinfo=_zone(offset))
    return aware.astimezone(UTC)


def _zone(offset: str) -> timezone:
    found = _OFFSET.fullmatch(offset)
    if found is None:
        raise ValueError(f"{offset!r} is not an offset such as +07:00")
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-away if found[1] == "-" else away)
