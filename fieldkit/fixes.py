"""A typed position -> a fix. It accepts what sync.place.parse_fix accepts, and loads at once:
sync.place brings the coordinate systems along, which an answer does not need.
"""

from __future__ import annotations

from decimal import Decimal

from sync.inspection import Fix, is_decimal
from sync.problems import problem


def read_fix(text: str) -> Fix:
    """Read latitude,longitude[,accuracy] in degrees WGS 84 and metres; raises `place-malformed`."""
    parts = [part.strip().removeprefix("+") for part in text.split(",")]
    if len(parts) not in (2, 3):
        raise problem("place-malformed", text=text, why="it has not two or three numbers")
    for part in parts:
        if not is_decimal(part):
            raise problem("place-malformed", text=text, why=f"{part!r} is not a decimal number")
    for value, most, what in ((parts[0], 90, "latitude"), (parts[1], 180, "longitude")):
        if abs(Decimal(value)) > most:
            why = f"the {what} {value} is beyond {most} degrees"
            raise problem("place-malformed", text=text, why=why)
    if len(parts) == 3 and Decimal(parts[2]) <= 0:
        raise problem("place-malformed", text=text, why="the accuracy is not more than 0 m")
    return Fix(parts[0], parts[1], parts[2] if len(parts) == 3 else None)


def fix_value(fix: Fix | None) -> dict[str, str | int] | None:
    """A fix as an entry holds it, or None where there is none."""
    if fix is None:
        return None
    value: dict[str, str | int] = {"lat": fix.lat, "lon": fix.lon}
    if fix.accuracy_m is not None:
        value["accuracy_m"] = fix.accuracy_m
    if fix.at is not None:
        value["at"] = fix.at
    if fix.mock:
        value["mock"] = True
    return value | {"source": fix.source}
