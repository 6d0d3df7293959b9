"""What a picture's bytes say, as values and as JSON; no decoder is needed to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a picture's bytes say.

    `width` and `height` are as stored, before `orientation` turns the picture. `lat` and `lon` are
    degrees as decimal strings, WGS 84 unless `datum` names another; `altitude_m` and `accuracy_m`
    are metres; `direction_deg` is clockwise from the north that `direction_ref` names (true or
    magnetic). `gps_block` is none, without-position or position: a position of 0,0 is a position.
    `gps_time` is UTC, `camera_time` and `modified_time` are the camera's own clock without a zone,
    `camera_offset` is that clock's offset when it was recorded. `phash` is a 64-bit difference
    hash of the upright pixels, 16 hex digits.
    """

    media_type: str
    width: int
    height: int
    size: int
    sha256: str
    phash: str
    exif: bool
    gps_block: str
    lat: str | None = None
    lon: str | None = None
    datum: str | None = None
    altitude_m: str | None = None
    direction_deg: str | None = None
    direction_ref: str | None = None
    accuracy_m: str | None = None
    gps_time: str | None = None
    camera_time: str | None = None
    camera_offset: str | None = None
    modified_time: str | None = None
    orientation: int | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object, every field present."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PhotoFacts:
        """The facts that `to_json` wrote; raises ValueError for an object that it did not write."""
        names = {f.name: str(f.type) for f in fields(cls)}
        if set(value) != set(names):
            raise ValueError("the object does not have the fields of photo facts")
        for name, type_name in names.items():
            if not isinstance(value[name], _JSON_TYPES[type_name]) or (
                type_name != "bool" and isinstance(value[name], bool)
            ):
                raise ValueError(f"{name} is not {type_name}")
        return cls(**value)


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
}
