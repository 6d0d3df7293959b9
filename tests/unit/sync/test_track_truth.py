"""Real tracks beside the project, each held against what other programs found in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.nmea_receiver import Report
from sync.track import summarise, with_gaps
from sync.track_nmea import hear
from sync.track_reader import read_track

GNSS = Path(__file__).parents[3].parent / "shared" / "data" / "gnss"
TRUTH_FILE = GNSS / "GROUND_TRUTH_tracks.json"
TRUTH: dict[str, dict[str, Any]] = (
    json.loads(TRUTH_FILE.read_text(encoding="utf-8")) if TRUTH_FILE.exists() else {}
)
GPX = sorted(name for name, truth in TRUTH.items() if "trkpts" in truth)
NMEA = sorted(name for name, truth in TRUTH.items() if "tpv" in truth)
DECODED = sorted(str(p.relative_to(GNSS)) for p in GNSS.rglob("*.log.chk"))

pytestmark = pytest.mark.skipif(not TRUTH, reason="the shared tracks are not here")


@pytest.mark.parametrize("name", GPX)
def test_a_gpx_file_reads_as_its_ground_truth(name: str) -> None:
    truth = TRUTH[name]
    track = read_track((GNSS / name).read_bytes(), name)
    counts = track.counts
    assert track.format == f"GPX {truth['version']}"
    assert (counts["tracks"], counts["segments"]) == (truth["tracks"], truth["segments"])
    assert counts["points"] == len(track.points) == truth["trkpts"]
    assert (counts["routes"], counts["waypoints"]) == (truth["routes"], truth["wpts"])
    assert (counts["with_hdop"] > 0) is truth["has_hdop"]
    assert track.length_2d_m == pytest.approx(truth["length2d_m"], abs=0.01)
    ends = [[float(p.lat), float(p.lon)] for p in (*track.points[:1], *track.points[-1:])]
    assert ends == [e for e in (truth["first"], truth["last"]) if e is not None]
    shown = summarise(with_gaps(track.points, track.segments))
    times = [t and str(datetime.fromtimestamp(t / 1000, UTC)) for t in (shown.start, shown.end)]
    assert times == [truth["t0"], truth["t1"]]


@pytest.mark.parametrize("name", NMEA)
def test_an_nmea_log_reads_as_its_ground_truth(name: str) -> None:
    truth = TRUTH[name]
    data = (GNSS / name).read_bytes()
    heard = hear(data)
    assert len(data) == truth["bytes"]
    assert heard.tally.sentences == truth["nmea_sentences"]
    assert len(heard.reports) == truth["tpv"]
    assert len(heard.fixes) == truth["fixes"]
    ends = (heard.fixes[0], heard.fixes[-1])
    for fix, wanted, eph in zip(ends, (truth["first"], truth["last"]), truth["eph"], strict=True):
        assert (float(fix.fix.lat or 99), float(fix.fix.lon or 999)) == tuple(wanted[:2])
        assert _time(fix) == wanted[2]
        assert _eph(fix) == eph


@pytest.mark.parametrize("name", DECODED)
def test_every_report_of_a_log_is_the_one_gpsd_made_of_it(name: str) -> None:
    lines = (GNSS / name).read_bytes().splitlines()
    wanted = [json.loads(line) for line in lines if line.startswith(b'{"class":"TPV"')]
    reports = hear((GNSS / name.removesuffix(".chk")).read_bytes()).reports
    assert len(reports) == len(wanted)
    for report, tpv in zip(reports, wanted, strict=True):
        assert max(report.fix.mode, 1) == tpv["mode"]
        assert report.is_fix is ("lat" in tpv)
        assert _time(report) == tpv.get("time")
        assert _eph(report) == tpv.get("eph")
        if "lat" in tpv:
            assert (str(report.fix.lat), str(report.fix.lon)) == (
                f"{tpv['lat']:.9f}",
                f"{tpv['lon']:.9f}",
            )


@pytest.mark.parametrize("name", NMEA)
def test_a_log_gives_one_point_for_each_moment(name: str) -> None:
    """Early reports tell the same moment several times; a track holds it once."""
    points = read_track((GNSS / name).read_bytes(), name).points
    times = [p.at for p in points if p.at is not None]
    assert len(times) == len(set(times))
    assert len(points) - len(times) <= 1  # at most one moment passed before there was a date
    assert all(p.accuracy_m is None or float(p.accuracy_m) > 0 for p in points)


def _time(report: Report) -> str | None:
    at = report.fix.at
    return at and at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _eph(report: Report) -> float | None:
    return None if report.fix.eph is None else pytest.approx(float(report.fix.eph), abs=0.001)
