"""One visit with a wrong clock, a track, and pictures: the device and the server say the same."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_region import Region

from checklists.discrepancies.catalogue import findings_to_json
from fieldkit.home import Home
from fieldkit.keys import load_key
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.preview import Sources, check
from fieldkit.syncer import Syncer
from fieldkit.transport import HttpTransport
from server.context import open_context
from server.demo.pictures import picture
from server.settings import read_settings
from server.store import assessments
from sync.inspection import TrackPoint
from sync.track_entry import track_values

pytestmark = pytest.mark.xdist_group("rules-of-time")

RULES = ("R02", "R03", "R07", "R08", "R09")
MINUTE = 60_000
BEHIND = 5 * MINUTE  # how far the laptop's clock is behind
LAT, LON = 4.01, 101.01


def now() -> int:
    return int(time.time() * 1000) // 1000 * 1000


def card(folder: Path, name: str, at: int, lat: float) -> Path:
    """A picture as a camera wrote it, with its position and GPS time."""
    taken = datetime.fromtimestamp(at / 1000, UTC)
    path = folder / name
    path.write_bytes(
        picture("drain", len(name), lat=lat, lon=LON, accuracy_m=5, direction_deg=1, taken=taken)
    )
    return path


def fix(lat: float, at: int, **more: Any) -> dict[str, Any]:
    value = {"lat": f"{lat:.7f}", "lon": f"{LON}", "accuracy_m": "6", "source": "gnss", "at": at}
    return value | more


def record_visit(region: Region, home: Home, began: int) -> str:
    """An hour on site by a clock that is five minutes behind."""
    region.fieldkit("start", "bukit-contoh", "--new")
    store = home.open_store()
    identity = store.identity()
    inspection = str(store.note("current"))

    def write(minute: float, path: str, value: Any) -> None:
        at = began - BEHIND + int(minute * MINUTE)
        with store.writing(identity, at, "an entry") as log:
            log.append(inspection, path, value)

    said = store.about(inspection)
    assert said is not None
    mine = began - BEHIND
    write(0, "about", said.value | {"fix": fix(LAT, mine)})
    write(10, "answers/GEN-G1/-", {"level": "fully", "fix": fix(LAT, mine + 5 * MINUTE)})
    mocked = fix(LAT, mine + 20 * MINUTE, mock=True, accuracy_m="80")
    write(20, "answers/GEN-G2/-", {"level": "fully", "fix": mocked})
    away = fix(LAT + 2, mine + 30 * MINUTE)
    write(30, "answers/GEN-G3/-", {"level": "fully", "fix": away})
    points = [
        TrackPoint(began + n * 10_000, f"{LAT:.7f}", f"{LON}", "5", mine + n * 10_000)
        for n in range(90)
    ]
    for n, value in enumerate(track_values("recorded", "", points, (0,)), 1):
        write(40, f"track/{identity.device}/{n}", value)
    write(60, "outcome", {"outcome": "visited"})
    return inspection


def on_device(home: Home, inspection: str) -> list[dict[str, Any]]:
    store = home.open_store()
    sources = Sources(store, Library(store.database), home.blobs(), "2026-01-01")
    return [f for f in findings_to_json(check(sources, inspection)) if f["rule"] in RULES]


def on_server(region: Region, inspection: str) -> list[dict[str, Any]]:
    ctx = open_context(read_settings(region.stage.server_data, environ={}))
    with ctx.db.read() as tx:
        row = assessments.find(tx, "inspection", inspection)
    ctx.db.close()
    assert row is not None
    return [f for f in json.loads(row.findings) if f["rule"] in RULES]


def sync_behind(home: Home) -> None:
    """Sync as a laptop does whose clock is five minutes behind."""
    store = home.open_store()
    identity = store.identity()
    with HttpTransport(identity.server, identity.token) as transport:
        ledger, key = Ledger(store.database), load_key(home.key)
        Syncer(store, ledger, home.blobs(), key, identity, transport, lambda: now() - BEHIND).run()


def flagged(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(f["rule"], f["severity"]) for f in findings if f["kind"] == "flag"]


def test_device_and_server_build_the_same_case_and_say_the_same(region: Region) -> None:
    """L9: the offset that the server measured is known on the device after the sync."""
    home = Home(region.stage.home(region.person))
    began = now() - int(timedelta(hours=2).total_seconds() * 1000)
    inspection = record_visit(region, home, began)
    folder = region.stage.folder
    on_track = card(folder, "on-track.jpg", began + 3 * MINUTE, LAT + 0.0003)
    off_track = card(folder, "off-track.jpg", began + 4 * MINUTE, LAT + 0.005)
    last_week = card(folder, "last-week.jpg", began - 7 * 24 * 60 * MINUTE, LAT)
    region.fieldkit("photo", *map(str, (on_track, off_track, last_week)), "--item", "GEN-G1")

    before = on_device(home, inspection)
    kinds = {(f["rule"], f["kind"]) for f in before}
    assert ("R08", "flag") in kinds, "the track gives GNSS times beside the device's own"
    sync_behind(home)
    region.stage.tapak("worker", "--once")
    here, there = on_device(home, inspection), on_server(region, inspection)
    assert flagged(here) == [
        ("R02", "major"),
        ("R03", "major"),
        ("R03", "minor"),
        ("R07", "major"),
        ("R08", "minor"),
        ("R09", "major"),
    ]
    assert here == there
    assert json.dumps(here, sort_keys=True) == json.dumps(there, sort_keys=True)
    r08 = next(f for f in here if f["rule"] == "R08")
    assert {c["with"] for c in r08["inputs"]["comparisons"]} == {"gnss", "server"}
    assert flagged(before) == flagged(here)

    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        page = unescape(officer.get(f"/inspections/{inspection}").text)
    for flag in (f for f in there if f["kind"] == "flag"):
        assert flag["title"] in page
        assert flag["explanation"] in page


def test_before_any_sync_of_the_visit_the_device_says_what_it_cannot_know(region: Region) -> None:
    region.fieldkit("start", "bukit-contoh", "--fix", "4.01,101.01,6")
    region.fieldkit("answer", "GEN-G1", "FM")
    home = Home(region.stage.home(region.person))
    inspection = str(home.open_store().note("current"))
    (told,) = [f for f in on_device(home, inspection) if f["rule"] == "R08"]
    assert told["kind"] == "not-evaluated"
    assert "at a sync after the visit began" in told["needs"]
    region.fieldkit("sync")
    assert [f for f in on_device(home, inspection) if f["rule"] == "R08"] == []
