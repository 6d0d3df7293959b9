"""Photos get a position from the track by time: marked, honest about doubt, never overwriting."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from field_device import FieldDevice
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from test_tracks import START, gpx, take

from fieldkit.capture import load_inspection
from fieldkit.cli import cli
from sync.inspection import Evidence

ZONE = 8 * 3600


def shot(
    path: Path,
    second: float,
    *,
    clock: float | None = ZONE,
    gps_time: bool = False,
    at: tuple[str, str] | None = None,
    model: str = "TG-6",
) -> Path:
    """A JPEG taken so many seconds after noon UTC, by a camera whose clock is `clock` ahead."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "OLYMPUS", model
    utc = datetime.fromtimestamp(START + second, UTC)
    if clock is not None:
        exif.get_ifd(0x8769)[0x9003] = f"{utc + timedelta(seconds=clock):%Y:%m:%d %H:%M:%S}"
    gps: dict[int, Any] = exif.get_ifd(0x8825)
    if gps_time:
        gps[0x001D] = f"{utc:%Y:%m:%d}"
        gps[0x0007] = tuple(IFDRational(n, 1) for n in (utc.hour, utc.minute, utc.second))
    if at is not None:
        for tag, degrees, side in ((0x0002, at[0], "N"), (0x0004, at[1], "E")):
            gps[tag - 1] = side
            number = Fraction(degrees)
            parts = IFDRational(number.numerator, number.denominator)
            gps[tag] = (parts, IFDRational(0, 1), IFDRational(0, 1))
    Image.new("RGB", (32, 24), (round(second) % 256, 90, 60)).save(path, "JPEG", exif=exif)
    return path


def run(device: FieldDevice, *args: str) -> tuple[int, Any]:
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *args, "--json"])
    return result.exit_code, json.loads(result.stdout)


def said_of(device: FieldDevice, name: str) -> Evidence:
    read = load_inspection(device.store, device.store.inspections()[0])
    (found,) = (h for slot in read.evidence.values() for h in slot.heads if h.name == name)
    return found


@pytest.fixture
def walked(device: FieldDevice, tmp_path: Path) -> FieldDevice:
    """A device with a track from noon on: a minute of it, four minutes of nothing, a minute."""
    inspection = device.start().inspection
    take(device, inspection, gpx(tmp_path / "walk.gpx", *range(61), *range(300, 361)))
    return device


def test_a_photo_without_a_position_gets_one_that_is_marked(
    walked: FieldDevice, tmp_path: Path
) -> None:
    """HDOP 1 is 19 m; a second of EXIF's rounding at a brisk walk adds 1.5 m."""
    file = shot(tmp_path / "a.jpg", 30)
    code, said = run(walked, "photo", str(file), "--from-track", "--camera-offset", "+08:00")
    assert (code, [p["state"] for p in said["placed"]]) == (0, ["placed"])
    fix = said_of(walked, "a.jpg").fix
    assert fix is not None
    assert (fix.lat, fix.lon, fix.source) == ("4.0103000", "101.0100000", "track")
    assert (fix.accuracy_m, fix.at) == ("20.5", (START + 30) * 1000)


def test_photos_attached_before_are_placed_later_and_only_once(
    walked: FieldDevice, tmp_path: Path
) -> None:
    run(walked, "photo", str(shot(tmp_path / "a.jpg", 30)))
    assert said_of(walked, "a.jpg").fix is None
    _, first = run(walked, "place", "--camera-offset", "+08:00")
    lines = walked.store.logs(walked.store.inspections()[0])
    _, again = run(walked, "place", "--camera-offset", "+08:00")
    assert [first["placed"][0]["state"], again["placed"][0]["state"]] == [
        "placed",
        "already-placed",
    ]
    assert walked.store.logs(walked.store.inspections()[0]) == lines
    _, other = run(walked, "place", "--camera-offset", "+28810")
    assert (other["placed"][0]["state"], other["placed"][0]["lat"]) == ("placed", "4.0102000")


def test_a_photos_own_position_and_a_typed_one_are_left_alone(
    walked: FieldDevice, tmp_path: Path
) -> None:
    own = shot(tmp_path / "own.jpg", 30, gps_time=True, at=("4.5", "101.5"))
    typed, plain = shot(tmp_path / "typed.jpg", 31), shot(tmp_path / "air.jpg", 32)
    run(walked, "photo", str(typed), "--fix", "4.7,101.7")
    run(walked, "photo", str(plain), "--source", "aerial")
    _, said = run(walked, "photo", str(own), "--from-track", "--camera-offset", "+08:00")
    states = {p["name"]: p["state"] for p in said["placed"]}
    assert states == {"own.jpg": "own-position", "typed.jpg": "typed", "air.jpg": "elsewhere"}
    fix = said_of(walked, "typed.jpg").fix
    assert (said_of(walked, "own.jpg").fix, fix and fix.lat) == (None, "4.7")


@pytest.mark.parametrize(
    ("second", "state", "away"), [(-5, "before", 5), (400, "after", 40), (100, "gap", 40)]
)
def test_beyond_the_ends_and_in_a_gap_there_is_no_position(
    walked: FieldDevice, tmp_path: Path, second: int, state: str, away: int
) -> None:
    file = shot(tmp_path / "a.jpg", second)
    _, said = run(walked, "photo", str(file), "--from-track", "--camera-offset", "+08:00")
    (one,) = said["placed"]
    assert (one["state"], one["away_s"], one["lat"]) == (state, away, None)
    assert said_of(walked, "a.jpg").fix is None


def test_a_receivers_time_in_the_photo_needs_no_clock(walked: FieldDevice, tmp_path: Path) -> None:
    file = shot(tmp_path / "a.jpg", 30, clock=None, gps_time=True)
    _, said = run(walked, "photo", str(file), "--from-track")
    assert (said["placed"][0]["state"], said["placed"][0]["lat"]) == ("placed", "4.0103000")


def test_a_receivers_time_that_does_not_fit_the_clock_places_nothing(
    walked: FieldDevice, tmp_path: Path
) -> None:
    file = shot(tmp_path / "a.jpg", 30, gps_time=True)
    _, said = run(walked, "photo", str(file), "--from-track", "--camera-offset", "+07:00")
    assert said["placed"][0]["state"] == "times-differ"
    assert said_of(walked, "a.jpg").fix is None


def test_a_cameras_clock_is_learned_from_its_pictures_with_both_times(
    walked: FieldDevice, tmp_path: Path
) -> None:
    fast = ZONE + 37
    files = [
        shot(tmp_path / "1.jpg", 10, clock=fast, gps_time=True, at=("4.5", "101.5")),
        shot(tmp_path / "2.jpg", 20, clock=fast + 4, gps_time=True, at=("4.5", "101.5")),
        shot(tmp_path / "3.jpg", 30, clock=fast, gps_time=True, at=("4.5", "101.5")),
        shot(tmp_path / "4.jpg", 40, clock=fast),
        shot(tmp_path / "5.jpg", 40, clock=fast, model="another"),
    ]
    _, said = run(walked, "photo", *map(str, files), "--from-track")
    (clock,) = said["clocks"]
    assert (clock["zone_s"], clock["drift_s"], clock["spread_s"]) == (ZONE, 37, 4)
    states = {p["name"]: p["state"] for p in said["placed"]}
    assert (states["4.jpg"], states["5.jpg"]) == ("placed", "clock-unknown")
    fix = said_of(walked, "4.jpg").fix
    # 19 m, and five seconds at a brisk walk: four of spread, one of rounding.
    assert fix is not None
    assert (fix.lat, fix.accuracy_m) == ("4.0104000", "26.5")


def test_a_clock_that_was_set_anew_places_nothing_until_it_is_said(
    walked: FieldDevice, tmp_path: Path
) -> None:
    at = ("4.5", "101.5")
    files = [
        shot(tmp_path / "1.jpg", 10, gps_time=True, at=at),
        shot(tmp_path / "2.jpg", 20, clock=ZONE - 3600, gps_time=True, at=at),
        shot(tmp_path / "3.jpg", 30),
    ]
    _, said = run(walked, "photo", *map(str, files), "--from-track")
    assert {p["name"]: p["state"] for p in said["placed"]}["3.jpg"] == "clock-unsure"
    assert said["clocks"][0]["used"] is False
    _, told = run(walked, "place", "--camera-offset", "+08:00")
    assert {p["name"]: p["state"] for p in told["placed"]}["3.jpg"] == "placed"


def test_without_a_track_that_is_said_and_the_photos_stay_attached(
    device: FieldDevice, tmp_path: Path
) -> None:
    device.start()
    code, said = run(device, "photo", str(shot(tmp_path / "a.jpg", 30)), "--from-track")
    assert (code, said["problem"]["code"]) == (1, "track-none")
    assert said_of(device, "a.jpg").fix is None


def test_an_offset_that_is_none_is_refused(walked: FieldDevice) -> None:
    code, said = run(walked, "place", "--camera-offset", "eight")
    assert (code, said["code"]) == (1, "offset-malformed")


def test_what_became_of_photos_is_told_in_words(walked: FieldDevice, tmp_path: Path) -> None:
    files = [shot(tmp_path / "a.jpg", 30), shot(tmp_path / "b.jpg", 100)]
    args = ["--home", str(walked.home.folder), "photo", *map(str, files)]
    result = CliRunner().invoke(cli, [*args, "--from-track", "--camera-offset", "+08:00:10"])
    text = result.stdout + result.stderr
    assert "UTC+08:00 and 10 s fast, as given" in text
    assert "within 20.5 m, from the track" in text
    assert "in a gap of the track, 30 s from the nearest point" in text
    assert "1 of 2 photos placed, 1 without a position." in text
