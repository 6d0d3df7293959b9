"""Tracks on a device: the file is kept as it is, its way recorded once, no gap is bridged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from field_device import FieldDevice
from memory_server import Office

from fieldkit.capture import load_inspection
from fieldkit.cli import cli
from fieldkit.evidence import Attachment
from fieldkit.tracks import Taken, standing_tracks, take_tracks
from sync.log import MAX_ENTRY_BYTES

START = 1_769_947_200  # 1 February 2026, 12:00 UTC


def gpx(path: Path, *seconds: int, north: float = 0.0) -> Path:
    """A walk with a step of 1.1 m for each second, from noon on."""
    points = "".join(
        f'<trkpt lat="{4.01 + north + s * 1e-5:.7f}" lon="101.01"><time>'
        f"{datetime.fromtimestamp(START + s, UTC):%Y-%m-%dT%H:%M:%SZ}</time><hdop>1</hdop></trkpt>"
        for s in seconds
    )
    path.write_text(f'<gpx version="1.1" creator="t"><trk><trkseg>{points}</trkseg></trk></gpx>')
    return path


def take(device: FieldDevice, inspection: str, *files: Path, most: int = 10**6) -> list[Taken]:
    what = Attachment("track", "imported")
    blobs = device.home.blobs()
    return list(take_tracks(device.recorder(), blobs, inspection, files, what, most))


def run(device: FieldDevice, *args: str) -> tuple[int, Any]:
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *args, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_track_is_kept_as_a_file_and_its_way_as_entries(
    device: FieldDevice, tmp_path: Path
) -> None:
    """L5"""
    inspection = device.start().inspection
    file = gpx(tmp_path / "walk.gpx", *range(10), *range(200, 210))
    (taken,) = take(device, inspection, file)
    assert (taken.state, taken.entries, taken.points) == ("attached", 1, 20)
    read = load_inspection(device.store, inspection)
    (evidence,) = (slot.value for slot in read.evidence.values())
    assert evidence is not None
    assert (evidence.kind, evidence.media_type) == ("track", "application/gpx+xml")
    assert device.home.blobs().path(evidence.sha256).read_bytes() == file.read_bytes()
    track = read.tracks[f"{device.id}/1"].value
    assert track is not None
    assert (track.file, track.source, track.segments) == (evidence.sha256, "imported", (0, 10))
    assert (track.points[0].at, track.points[0].accuracy_m) == (START * 1000, "19.0")


def test_the_same_track_again_changes_nothing(device: FieldDevice, tmp_path: Path) -> None:
    inspection = device.start().inspection
    file = gpx(tmp_path / "walk.gpx", *range(10))
    take(device, inspection, file)
    before = device.store.logs(inspection)
    (again,) = take(device, inspection, file)
    assert (again.state, again.entries) == ("already-here", 0)
    assert device.store.logs(inspection) == before


def test_a_file_that_was_attached_without_its_way_gets_it(
    device: FieldDevice, tmp_path: Path
) -> None:
    """As where a command ended between the two."""
    from fieldkit.evidence import attach_files

    inspection = device.start().inspection
    file = gpx(tmp_path / "walk.gpx", *range(10))
    what = Attachment("track", "imported")
    list(attach_files(device.recorder(), device.home.blobs(), inspection, [file], what))
    (taken,) = take(device, inspection, file)
    assert (taken.state, taken.entries) == ("changed", 1)
    assert len(load_inspection(device.store, inspection).evidence) == 1


def test_a_second_track_goes_on_numbering(device: FieldDevice, tmp_path: Path) -> None:
    inspection = device.start().inspection
    take(device, inspection, gpx(tmp_path / "a.gpx", 0, 1), gpx(tmp_path / "b.gpx", 5, 6))
    read = load_inspection(device.store, inspection)
    assert sorted(read.tracks) == [f"{device.id}/1", f"{device.id}/2"]
    assert [one.name for one in standing_tracks(read)] == ["a.gpx", "b.gpx"]


def test_a_long_track_is_several_entries_and_one_way(device: FieldDevice, tmp_path: Path) -> None:
    """S12"""
    inspection = device.start().inspection
    (taken,) = take(device, inspection, gpx(tmp_path / "long.gpx", *range(12_000)))
    assert taken.entries > 1
    (log,) = device.store.logs(inspection)
    assert all(len(line) <= MAX_ENTRY_BYTES for line in log.lines)
    (one,) = standing_tracks(load_inspection(device.store, inspection))
    assert (one.summary.points, one.summary.gaps, one.entries) == (12_000, (), taken.entries)


def test_a_track_that_is_thinned_says_so(device: FieldDevice, tmp_path: Path) -> None:
    inspection = device.start().inspection
    (taken,) = take(device, inspection, gpx(tmp_path / "long.gpx", *range(1000)), most=100)
    assert taken.points + taken.left_out == 1000
    (one,) = standing_tracks(load_inspection(device.store, inspection))
    assert (one.thinned_from, one.summary.points, one.summary.gaps) == (1000, taken.points, ())
    assert one.summary.end == (START + 999) * 1000


def test_a_bad_file_is_named_and_the_next_is_taken(device: FieldDevice, tmp_path: Path) -> None:
    device.start()
    bad, good = tmp_path / "bad.gpx", gpx(tmp_path / "good.gpx", 0, 1)
    bad.write_bytes(good.read_bytes()[:150])
    code, said = run(device, "track", str(bad), str(tmp_path / "none"), str(good))
    assert code == 1
    assert [f["state"] for f in said["files"]] == ["not-attached", "not-attached", "attached"]
    codes = [f["problem"] and f["problem"]["code"] for f in said["files"]]
    assert codes == ["track-unreadable", "file-missing", None]


def test_looking_at_a_track_needs_no_device_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "none"
    file = gpx(tmp_path / "walk.gpx", 0, 1)
    args = ["--home", str(home), "track", "--look", str(file), "--json"]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0
    (said,) = json.loads(result.stdout)["files"]
    assert (said["state"], said["format"], said["points"]) == ("looked-at", "GPX 1.1", 2)
    assert not home.exists()


def test_the_tracks_of_an_inspection_are_shown_with_gaps_and_accuracy(
    device: FieldDevice, tmp_path: Path
) -> None:
    device.start()
    file = gpx(tmp_path / "walk.gpx", *range(10), *range(200, 210))
    run(device, "track", str(file))
    code, said = run(device, "track")
    (one,) = said["tracks"]
    assert (code, one["name"], one["points"], len(one["gaps"])) == (0, "walk.gpx", 20, 1)
    assert one["accuracy_median_m"] == 19.0
    text = CliRunner().invoke(cli, ["--home", str(device.home.folder), "track"]).stdout
    assert "20 m in 2 segments, gaps left out" in text
    assert "median 19.0 m, worst 19.0 m" in text


def test_a_file_of_waypoints_is_attached_and_has_no_way(
    device: FieldDevice, tmp_path: Path
) -> None:
    device.start()
    file = tmp_path / "points.gpx"
    file.write_text('<gpx version="1.1" creator="t"><wpt lat="4" lon="101"/></gpx>')
    result = CliRunner().invoke(cli, ["--home", str(device.home.folder), "track", str(file)])
    assert result.exit_code == 0
    assert "there is none in it: 1 waypoint" in result.stdout
    inspection = device.store.inspections()[0]
    read = load_inspection(device.store, inspection)
    assert (len(read.evidence), read.tracks) == (1, {})


def test_a_track_goes_up_whole(device: FieldDevice, office: Office, tmp_path: Path) -> None:
    """S4: entries and the file arrive as they were written."""
    inspection = device.start().inspection
    take(device, inspection, gpx(tmp_path / "long.gpx", *range(9_000)))
    device.sync()
    device.holds_exactly()
